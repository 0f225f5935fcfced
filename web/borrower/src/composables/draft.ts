import { reactive } from 'vue'
import type { Contract, Shape, SupplementKind } from '../api/types.ts'
import { kept, onForget } from './kept.ts'

export type BorrowDraft = {
  product: string | undefined
  amount: string
  instalments: number | null
  shape: Shape | null
  purpose: string
  card_id: string
}
export type SigningContract = Contract & { amount_fen: number; instalments: number }

export type PayDraft = { loan: string; way: 'due' | 'payoff' | 'other' | null; typed: string }

const emptyBorrow = (): BorrowDraft => ({
  product: undefined,
  amount: '',
  instalments: null,
  shape: null,
  purpose: '',
  card_id: '',
})

/** What the person is choosing on the borrow page, and the contract they are about to sign. */
export const borrowDraft = kept<BorrowDraft>(sessionStorage, 'borrow', emptyBorrow())
export const signing = kept<SigningContract | null>(sessionStorage, 'contract', null)

/** Personal data being typed lives in memory only: it survives a detour to sign-in, not a reload. */
export const identityDraft = reactive({ name: '', national_id: '' })
export const cardDraft = reactive({ number: '', phone: '' })

/** What the person is stating for a supplement, by its kind. */
export const statementDraft = reactive<Partial<Record<SupplementKind, string>>>({})

/** Which loan the products are compared for; it outlives a change of language, which opens the page anew. */
export const comparisonDraft = reactive<{ amount: string; instalments: number; shape: Shape }>({
  amount: '10000',
  instalments: 6,
  shape: 'equal_principal',
})

/** How much the person is about to repay, and of which loan. */
export const payDraft = reactive<PayDraft>({ loan: '', way: null, typed: '' })

export function clearBorrow(): void {
  borrowDraft.value = emptyBorrow()
  signing.value = null
}

onForget(() => {
  clearBorrow()
  Object.assign(identityDraft, { name: '', national_id: '' })
  Object.assign(cardDraft, { number: '', phone: '' })
  Object.assign(payDraft, { loan: '', way: null, typed: '' })
  for (const kind of Object.keys(statementDraft) as SupplementKind[]) delete statementDraft[kind]
})
