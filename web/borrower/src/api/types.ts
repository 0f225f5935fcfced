export type Reason = { code: string; text: string }
export type Page<T> = { items: T[]; next_cursor: string | null }

export type Meta = { sandbox: boolean; today: string; now: string; inbox_url: string | null; product_name: string }

export type OtpSent = { expires_at: string; resend_at: string; sent_to: string }
export type Session = { token: string; expires_at: string }

export type NextStep = 'real_name' | 'card' | 'consents' | 'line' | 'borrow' | null
export type Score = { name: string; low: number; high: number; min: number; points: number | null }
export type WalletEntry = {
  product: string
  name: string
  invited: boolean
  expires_on: string | null
  limit_fen: number | null
  available_fen: number | null
}
export type Wallet = {
  product: string
  product_name: string
  phone: string
  name: string | null
  next_step: NextStep
  invitation: {
    invited: boolean
    score: Score | null
    expires_on: string | null
    next_evaluation_on: string | null
    reasons: Reason[]
    advice: Reason[]
  }
  real_name: boolean
  card: boolean
  line: Line | null
  application: Decision | null
  open_loans: number
  next_due: { due_on: string; amount_fen: number } | null
  products: WalletEntry[]
}

/** What the newest whitelist found of the member; `month` is null where none has judged them. Points are 10⁻². */
export type Whitelist = {
  month: string | null
  policy: string | null
  invited: boolean
  way: 'directed' | 'delayed' | null
  expires_on: string | null
  score: WhitelistScore | null
  preconditions: Reason[]
  reasons: Reason[]
  advice: Change[]
  supplements: Supplement[]
  answered_within_days: number
  next_evaluation_on: string
}
export type WhitelistScore = {
  total_e2: number
  threshold_e2: number
  full_e2: number
  supplement_e2: number
  /** From how many points on, in so many months in a row, a later invitation may come. */
  delayed_from_e2: number
  delayed_months: number
  dimensions: WhitelistDimension[]
}
/** `points_e2` is null where the dimension is not scored; the weight is what it counted for in this total. */
export type WhitelistDimension = {
  dimension: 'social' | 'consumption' | 'assets' | 'credit'
  name: string
  weight_e4: number
  points_e2: number | null
  items: WhitelistItem[]
}
export type WhitelistItem = {
  feature: string
  meaning: string
  unit: string
  value: number | null
  value_text: string | null
  points_e2: number | null
  of_e2: number
}
/** One change, and what the total would gain by it. */
export type Change = {
  code: string
  text: string
  feature: string
  meaning: string
  unit: string
  value: number | null
  value_text: string | null
  wanted: number
  wanted_text: string
  gain_e2: number
}
export type SupplementKind = 'occupation' | 'education' | 'property' | 'income'
export type Supplement = {
  kind: SupplementKind
  name: string
  adds_e2: number
  state: 'submitted' | 'accepted' | 'refused' | null
  submitted_at: string | null
  answer_by: string | null
  decided_at: string | null
  reason: string | null
}

export type Identity = { name: string; verified_at: string }
export type Card = { card_id: string; bank: string; last4: string; usual: boolean }

export type Shape = 'equal_principal' | 'equal_instalment' | 'interest_first' | 'bullet'
export type NamedShape = { code: Shape; name: string }
export type Product = {
  code: string
  name: string
  version: string
  admission: { kind: 'invitation' | 'score'; score: Score | null }
  rate: { daily_min_percent: string; daily_max_percent: string; annual_min_percent: string; annual_max_percent: string }
  shapes: NamedShape[]
  prepayment: { code: string; name: string }
  debit_times: string[]
  draw: { min_fen: number; step_fen: number; max_fen: number; day_max_fen: number; funded_within_minutes: number }
  instalments: number[]
  purposes: { code: string; name: string }[]
  line_min_fen: number
  line_max_fen: number
  disclosure: { reading_seconds: number }
  campaigns: Campaign[]
}
/** A campaign that runs today; `until_on` is the first day without it. */
export type Campaign = {
  code: string
  name: string
  text: string
  audience: 'renewal' | 'everyone'
  audience_name: string
  from_on: string
  until_on: string
  min_draw_fen: number | null
}

export type Products = {
  items: Product[]
  amounts: { min_fen: number; max_fen: number; step_fen: number }
  instalments: number[]
  shapes: NamedShape[]
}
export type Cost = {
  daily_rate_percent: string
  annual_rate_percent: string
  annual_rate_irr_percent: string
  interest_fen: number
  total_fen: number
  instalments_fen: number[]
}
export type Compared = {
  product: string
  shape: Shape
  possible: boolean
  cannot: Reason | null
  instalments: number | null
  lowest: Cost | null
  highest: Cost | null
}
export type Comparison = { amount_fen: number; instalments: number; starts_on: string; items: Compared[] }

export type Line = {
  product: string
  tier: string
  tier_name: string
  limit_fen: number
  used_fen: number
  available_fen: number
  daily_rate_percent: string
  annual_rate_percent: string
  day_left_fen: number
  draw_max_fen: number
  opened_on: string
  reasons: Reason[]
}

export type ApplicationRequest = { student: boolean }
export type Verdict = 'approved' | 'declined' | 'review'
export type Review = { review_id: string; asked_by: 'rule' | 'member'; asked_at: string; answer_by: string }
/** A decision on a line; `answer` is what an officer said who decided. */
export type Decision = {
  decision_id: string
  product: string
  occasion: 'application' | 'review' | 'human'
  result: Verdict
  decided_at: string
  reasons: Reason[]
  review: Review | null
  answer: string | null
}
/** Changes to be made together, and what the same decision would then be. */
export type Way = {
  changes: { step: string; months: number | null; amount_fen: number | null; text: string }[]
  done_on: string
  limit_fen: number
  annual_rate_percent: string
  text: string
}
export type Ways = { items: Way[]; note: string }
export type Notice = {
  version: string
  title: string
  decision: string
  decided_by: string
  reasons: string[]
  sources: string[]
  rights: string[]
}

export type QuoteRow = {
  number: number
  due_on: string
  days: number
  principal_fen: number
  interest_fen: number
  total_fen: number
  principal_after_fen: number
}
export type Quote = {
  amount_fen: number
  instalments: number
  annual_rate_percent: string
  annual_rate_irr_percent: string
  daily_rate_percent: string
  total_interest_fen: number
  total_fen: number
  starts_on: string
  /** The rates above are without it; interest, total and rows are with it. */
  campaign: {
    code: string
    name: string
    text: string
    interest_before_fen: number
    saved_fen: number
    annual_rate_irr_percent: string
  } | null
  rows: QuoteRow[]
}

export type QuoteRequest = { amount_fen: number; instalments: number; product?: string; shape?: Shape }
export type DisclosureRequest = QuoteRequest & { purpose: string; card_id: string }
export type Disclosure = {
  disclosure_id: string
  hash: string
  shown_at: string
  may_sign_at: string
  reading_seconds: number
  expires_at: string
  title: string
  items: { label: string; value: string }[]
  statement: string
  quote: Quote
}

export type Contract = { contract_id: string; hash: string; title: string; text: string; otp: OtpSent }

export type DrawState = 'reserved' | 'sent' | 'paid' | 'failed'
export type DrawStep = {
  code: 'signed' | DrawState
  name: string
  at: string | null
  expected_at: string | null
}
export type Draw = {
  draw_id: string
  state: DrawState
  amount_fen: number
  instalments: number
  purpose: string
  card_last4: string
  annual_rate_percent: string
  steps: DrawStep[]
  expected_paid_by: string
  failure: Reason | null
  loan_id: string | null
}
export type DrawRequest = { contract_id: string; contract_hash: string; code: string }

export type RowState = 'paid' | 'due' | 'overdue' | 'scheduled'
export type LoanRow = {
  number: number
  due_on: string
  days: number
  principal_fen: number
  interest_fen: number
  total_fen: number
  paid_fen: number
  state: RowState
}
export type RepaymentState = 'requested' | 'sent' | 'collected' | 'failed'
export type Repayment = {
  repayment_id: string
  kind: 'by_hand' | 'automatic'
  state: RepaymentState
  amount_fen: number
  value_on: string
  requested_at: string
  collected_at: string | null
  failure: Reason | null
}
export type LoanState = 'active' | 'overdue' | 'settled' | 'written_off'
export type LoanSummary = {
  loan_id: string
  state: LoanState
  amount_fen: number
  instalments: number
  purpose: string
  daily_rate_percent: string
  annual_rate_percent: string
  started_on: string
  settled_on: string | null
  principal_outstanding_fen: number
  due_now_fen: number
  payoff_fen: number
  suspense_fen: number
  as_of: string
  next_due: { number: number; due_on: string; amount_fen: number } | null
  card_last4: string
}
export type Loan = LoanSummary & {
  rows: LoanRow[]
  repayments: Repayment[]
  contract_id: string
  disclosure_id: string
}

export type CalendarItem = { loan_id: string; number: number; due_on: string; amount_fen: number; state: RowState }

/** What may be asked about the member, source by source, and since when they consent to it. */
export type Source = 'bureau' | 'payment' | 'social' | 'device'
export type ConsentItem = {
  source: Source
  name: string
  purpose: string
  retention_days: number
  required: boolean
  text_version: string
  given_at: string | null
}
export type Consents = { items: ConsentItem[] }

/** The key to which the device seals its summary; `suite` has the numbers of RFC 9180, `now` is the server's time. */
export type LenderKey = {
  key_id: string
  public_key: string
  suite: { kem: number; kdf: number; aead: number }
  version: number
  now: string
}
export type EnvironmentField = { part: 'environment' | 'usage'; name: string; meaning: string; values: Record<string, string> }
export type EnvironmentFields = { version: number; items: EnvironmentField[] }
