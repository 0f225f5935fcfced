import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { ApiError } from '../api/client.ts'

export type Action<Arguments extends unknown[], Answer> = {
  run: (...given: Arguments) => Promise<Answer | undefined>
  busy: Ref<boolean>
  error: ShallowRef<ApiError | null>
}

/** Run one request at a time; a failure is kept for the page to show, and what was typed stays as it is. */
export function useAction<Arguments extends unknown[], Answer>(
  act: (...given: Arguments) => Promise<Answer>,
): Action<Arguments, Answer> {
  const busy = ref(false)
  const error = shallowRef<ApiError | null>(null)
  async function run(...given: Arguments): Promise<Answer | undefined> {
    if (busy.value) return undefined
    busy.value = true
    error.value = null
    try {
      return await act(...given)
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure
      error.value = failure
      return undefined
    } finally {
      busy.value = false
    }
  }
  return { run, busy, error }
}

export type Load<T> = {
  data: ShallowRef<T | null>
  error: ShallowRef<ApiError | null>
  busy: Ref<boolean>
  reload: () => Promise<void>
}

/** Load what a page needs as it opens. A reload keeps the old answer on the page until the new one is there. */
export function useLoad<T>(fetchIt: () => Promise<T>): Load<T> {
  const data = shallowRef<T | null>(null)
  const { run, busy, error } = useAction(fetchIt)
  async function reload(): Promise<void> {
    const answer = await run()
    if (answer !== undefined) data.value = answer
  }
  void reload()
  return { data, error, busy, reload }
}
