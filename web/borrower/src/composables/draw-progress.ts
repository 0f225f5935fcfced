import { onScopeDispose, ref, shallowRef } from 'vue'
import { api, ApiError, demandSuccess, headers } from '../api/client.ts'
import type { Draw } from '../api/types.ts'
import { readEvents } from './event-stream.ts'

const BACKOFF_MS = [500, 1000, 2000, 4000, 8000, 15000]
const isFinal = (draw: Draw | null) => draw?.state === 'paid' || draw?.state === 'failed'

/** Follow one draw live. A stream that breaks is opened again, waiting longer each time, until the draw is final. */
export function useDrawProgress(id: string) {
  const draw = shallowRef<Draw | null>(null)
  const error = shallowRef<ApiError | null>(null)
  const live = ref(false)
  const broken = ref(false)
  const left = new AbortController()
  let wake: (() => void) | null = null

  async function listen(): Promise<void> {
    const response = await fetch(api.drawProgressPath(id), {
      headers: headers({ Accept: 'text/event-stream' }), signal: left.signal, cache: 'no-store',
    })
    await demandSuccess(response)
    if (!response.body) return
    for await (const { event, data } of readEvents(response.body)) {
      if (event !== 'draw') continue
      draw.value = JSON.parse(data) as Draw
      live.value = true
      broken.value = false
      error.value = null
    }
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => (clearTimeout(timer), resolve())
    })
  }

  async function follow(): Promise<void> {
    for (let attempt = 0; !isFinal(draw.value) && !left.signal.aborted; attempt++) {
      try {
        if (!draw.value) draw.value = await api.drawById(id)
        if (isFinal(draw.value)) break
        await listen()
      } catch (failure) {
        if (left.signal.aborted) return
        if (failure instanceof ApiError) error.value = failure
        if (failure instanceof ApiError && failure.settled && failure.status !== 429) break
      }
      if (live.value) attempt = 0
      live.value = false
      broken.value = true
      if (!isFinal(draw.value)) await pause(BACKOFF_MS[Math.min(attempt, BACKOFF_MS.length - 1)] ?? 15000)
    }
    live.value = false
  }

  let following = follow()
  async function reconnect(): Promise<void> {
    wake?.()
    // After a refusal nobody is listening any more: begin again.
    if (error.value?.settled) {
      error.value = null
      await following
      following = follow()
    }
  }

  onScopeDispose(() => left.abort())
  return { draw, error, live, broken, reconnect }
}
