import type * as T from './types.ts'

/** What the server refused, or that no answer came. `settled` says the server did answer, so nothing is in doubt. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly settled: boolean

  constructor(failure: { status: number; code: string; detail: string }) {
    super(failure.detail)
    this.status = failure.status
    this.code = failure.code
    // A 4xx means nothing was done, except where the server is still busy with the same request.
    const refused = failure.status >= 400 && failure.status < 500 && ![408, 425].includes(failure.status)
    this.settled = refused && !failure.code.startsWith('idempotency')
  }
}

type Environment = {
  token: () => string | null
  language: () => string
  signedOut: () => void
  words: (key: 'offline' | 'slow' | 'broken') => string
}

const BASE = '/api/v1'
const TIMEOUT_MS = 20_000
let environment: Environment = { token: () => null, language: () => 'zh-CN', signedOut: () => {}, words: (key) => key }

export function connect(given: Environment): void {
  environment = given
}

export function headers(extra: Record<string, string> = {}): Record<string, string> {
  const token = environment.token()
  return {
    Accept: 'application/json, application/problem+json',
    'Accept-Language': environment.language(),
    ...(token ? { Authorization: `Bearer ${token}` } : {}),
    ...extra,
  }
}

async function refusal(response: Response): Promise<ApiError> {
  const problem = await response.json().catch(() => null)
  const detail = typeof problem?.detail === 'string' ? problem.detail : environment.words('broken')
  return new ApiError({ status: response.status, code: String(problem?.code ?? 'broken'), detail })
}

/** Throw what a response that is not a success says; an expired session also leads back to the sign-in page. */
export async function demandSuccess(response: Response): Promise<void> {
  if (response.ok) return
  const error = await refusal(response)
  if (response.status === 401 && environment.token()) environment.signedOut()
  throw error
}

async function send<Answer>(
  method: string,
  path: string,
  read: (response: Response) => Promise<Answer>,
  body?: unknown,
  key?: string,
): Promise<Answer> {
  try {
    const response = await fetch(BASE + path, {
      method,
      headers: headers({
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(key ? { 'Idempotency-Key': key } : {}),
      }),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
      cache: 'no-store',
    })
    await demandSuccess(response)
    return await read(response)
  } catch (error) {
    if (error instanceof ApiError) throw error
    const slow = error instanceof DOMException && error.name === 'TimeoutError'
    throw new ApiError({ status: 0, code: slow ? 'slow' : 'offline', detail: environment.words(slow ? 'slow' : 'offline') })
  }
}

const json = async (response: Response) => (response.status === 204 ? undefined : response.json())
const call = <Answer>(method: string, path: string, body?: unknown, key?: string) =>
  send<Answer>(method, path, json, body, key)

/** Fetch a document and hand it to the browser as a file: a plain link would not carry the session. */
async function save(path: string): Promise<void> {
  const { name, content } = await send('GET', path, async (response) => ({
    name: /filename\*=UTF-8''([^;]+)/i.exec(response.headers.get('Content-Disposition') ?? '')?.[1],
    content: await response.blob(),
  }))
  const link = document.createElement('a')
  link.href = URL.createObjectURL(content)
  link.download = decodeURIComponent(name ?? 'document')
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}

const get = <Answer>(path: string) => call<Answer>('GET', path)
const post = <Answer>(path: string, body?: unknown, key?: string) => call<Answer>('POST', path, body, key)

/** Follow every page of a list to its end. */
async function all<Item>(path: string): Promise<Item[]> {
  const items: Item[] = []
  let cursor: string | null = null
  do {
    const query: string = cursor ? `?limit=100&cursor=${encodeURIComponent(cursor)}` : '?limit=100'
    const page: T.Page<Item> = await get(path + query)
    items.push(...page.items)
    cursor = page.next_cursor
  } while (cursor)
  return items
}

const id = encodeURIComponent
const about = (product?: string) => (product ? `?product=${id(product)}` : '')

export const api = {
  meta: () => get<T.Meta>('/meta'),
  sendSignInCode: (phone: string) => post<T.OtpSent>('/sign-in/otp', { phone }),
  signIn: (phone: string, code: string) => post<T.Session>('/sign-in', { phone, code }),
  signOut: () => post<void>('/sign-out'),
  wallet: (product?: string) => get<T.Wallet>(`/wallet${about(product)}`),
  whitelist: () => get<T.Whitelist>('/invitation'),
  handIn: (body: { kind: T.SupplementKind; statement: string }) => post<T.Supplement>('/invitation/supplements', body),
  verifyIdentity: (body: { name: string; national_id: string }) => post<T.Identity>('/identity', body),
  cards: () => all<T.Card>('/cards'),
  addCard: (body: { number: string; phone: string }) => post<T.Card>('/cards', body),
  product: (product?: string) => get<T.Product>(`/product${about(product)}`),
  products: () => get<T.Products>('/products'),
  compare: (amount_fen: number, instalments: number) =>
    get<T.Comparison>(`/products/comparison?amount_fen=${amount_fen}&instalments=${instalments}`),
  apply: (product: string | undefined, body: T.ApplicationRequest, key: string) =>
    post<T.Decision>(`/applications${about(product)}`, body, key),
  ways: (decision: string) => get<T.Ways>(`/applications/${id(decision)}/ways`),
  notice: (decision: string) => get<T.Notice>(`/applications/${id(decision)}/notice`),
  askForReview: (decision: string) => post<T.Review>(`/applications/${id(decision)}/review`, { words: '' }),
  line: (product?: string) => get<T.Line>(`/line${about(product)}`),
  quote: (body: T.QuoteRequest) => post<T.Quote>('/quotes', body),
  disclose: (body: T.DisclosureRequest) => post<T.Disclosure>('/disclosures', body),
  contract: (body: { disclosure_id: string; disclosure_hash: string }) => post<T.Contract>('/contracts', body),
  resendContractCode: (contract: string) => post<T.OtpSent>(`/contracts/${id(contract)}/otp`),
  draw: (body: T.DrawRequest, key: string) => post<T.Draw>('/draws', body, key),
  draws: () => all<T.Draw>('/draws'),
  drawById: (draw: string) => get<T.Draw>(`/draws/${id(draw)}`),
  drawProgressPath: (draw: string) => `${BASE}/draws/${id(draw)}/progress`,
  loans: () => all<T.LoanSummary>('/loans'),
  loan: (loan: string) => get<T.Loan>(`/loans/${id(loan)}`),
  repay: (loan: string, body: { amount_fen: number }, key: string) =>
    post<T.Repayment>(`/loans/${id(loan)}/repayments`, body, key),
  repayment: (loan: string, repayment: string) =>
    get<T.Repayment>(`/loans/${id(loan)}/repayments/${id(repayment)}`),
  saveStatement: (loan: string, format: 'pdf' | 'csv') => save(`/loans/${id(loan)}/statement?format=${format}`),
  saveCertificate: (loan: string) => save(`/loans/${id(loan)}/settlement-certificate`),
  saveContract: (contract: string) => save(`/contracts/${id(contract)}/document`),
  saveDisclosure: (disclosure: string) => save(`/disclosures/${id(disclosure)}/document`),
  calendar: () => all<T.CalendarItem>('/calendar'),
  consents: () => get<T.Consents>('/consents'),
  consent: (sources: T.Source[]) => post<T.Consents>('/consents', { sources }),
  withdrawConsent: (source: T.Source) => call<T.Consents>('DELETE', `/consents/${source}`),
  environmentKey: () => get<T.LenderKey>('/environment/key'),
  environmentFields: () => get<T.EnvironmentFields>('/environment/fields'),
  handInEnvironment: (body: { key_id: string; sealed: string }) => post<void>('/environment', body),
  withdrawEnvironment: () => call<void>('DELETE', '/environment'),
}
