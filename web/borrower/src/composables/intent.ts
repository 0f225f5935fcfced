import { computed, type ComputedRef } from 'vue'
import { ApiError } from '../api/client.ts'
import { kept } from './kept.ts'

type Pending<Body> = { key: string; body: Body }

export type Intent<Body> = {
  inDoubt: ComputedRef<boolean>
  body: ComputedRef<Body | null>
  send: <Answer>(body: Body, post: (body: Body, key: string) => Promise<Answer>) => Promise<Answer>
  forget: () => void
}

/**
 * One wish to move money. Its Idempotency-Key is made once and written down before the first attempt. When no answer
 * came, the next attempt repeats the same body under the same key, whatever the page says by then, also after a reload.
 * Only an answer (a success or a refusal) ends the wish, and the next one gets a key of its own.
 */
export function useIntent<Body>(name: string, storage: Storage = localStorage): Intent<Body> {
  const pending = kept<Pending<Body> | null>(storage, `intent.${name}`, null)

  async function send<Answer>(body: Body, post: (body: Body, key: string) => Promise<Answer>): Promise<Answer> {
    const wish = pending.value ?? { key: crypto.randomUUID(), body }
    pending.value = wish
    try {
      const answer = await post(wish.body, wish.key)
      pending.value = null
      return answer
    } catch (error) {
      if (error instanceof ApiError && error.settled) pending.value = null
      throw error
    }
  }

  return {
    inDoubt: computed(() => pending.value !== null),
    body: computed(() => pending.value?.body ?? null),
    send,
    forget: () => (pending.value = null),
  }
}
