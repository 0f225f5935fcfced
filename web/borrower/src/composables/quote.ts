import { onScopeDispose, shallowRef, watch, type Ref } from 'vue'
import { api, ApiError } from '../api/client.ts'
import type { Quote, Shape } from '../api/types.ts'

const PAUSE_MS = 250

/** Ask for a quote whenever the choice settles; an answer to an older choice is dropped. */
export function useLiveQuote(
  { amount, instalments, shape, product }:
    { amount: Ref<number | null>; instalments: Ref<number | null>; shape: Ref<Shape | null>; product: string | undefined },
) {
  const quote = shallowRef<Quote | null>(null)
  const error = shallowRef<ApiError | null>(null)
  const busy = shallowRef(false)
  let latest = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  async function ask(): Promise<void> {
    const mine = ++latest
    if (amount.value === null || instalments.value === null) return
    try {
      const answer = await api.quote({
        amount_fen: amount.value,
        instalments: instalments.value,
        ...(shape.value ? { shape: shape.value } : {}),
        ...(product ? { product } : {}),
      })
      if (mine === latest) quote.value = answer
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure
      if (mine === latest) {
        error.value = failure
        quote.value = null
      }
    } finally {
      if (mine === latest) busy.value = false
    }
  }

  function askSoon(): void {
    clearTimeout(timer)
    latest++
    error.value = null
    busy.value = amount.value !== null && instalments.value !== null
    if (!busy.value) quote.value = null
    timer = setTimeout(() => void ask(), PAUSE_MS)
  }

  watch([amount, instalments, shape], askSoon, { immediate: true })
  onScopeDispose(() => clearTimeout(timer))
  return { quote, error, busy, retry: askSoon }
}
