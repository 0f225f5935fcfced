import { onScopeDispose, ref, type Ref } from 'vue'

/** Count whole seconds down on the monotonic clock, so that a changed device clock shortens nothing. */
export function useCountdown(): { left: Ref<number>; start: (seconds: number) => void; stop: () => void } {
  const left = ref(0)
  let endsAt = 0
  let timer: ReturnType<typeof setInterval> | undefined
  function stop(): void {
    clearInterval(timer)
    left.value = 0
  }
  function tick(): void {
    left.value = Math.max(0, Math.ceil((endsAt - performance.now()) / 1000))
    if (left.value === 0) stop()
  }
  function start(seconds: number): void {
    stop()
    endsAt = performance.now() + seconds * 1000
    timer = setInterval(tick, 250)
    tick()
  }
  onScopeDispose(stop)
  return { left, start, stop }
}

/** Seconds between two instants of the server, so that the device's own date does not matter. */
export function secondsBetween(from: string, until: string): number {
  return Math.max(0, (Date.parse(until) - Date.parse(from)) / 1000)
}

const USUAL_WAIT_S = 60
const BELIEVABLE_S = { before: 3600, after: 180 }

/**
 * Seconds until a code may be asked for again, given the server's time. A time that cannot be right (a sandbox was moved in
 * time since the page was opened) says nothing: then wait as usual.
 */
export function resendWait(resendAt: string, now: number): number {
  const ahead = (Date.parse(resendAt) - now) / 1000
  if (ahead > BELIEVABLE_S.after || ahead < -BELIEVABLE_S.before) return USUAL_WAIT_S
  // Our reading of the server's clock is late by the time its answer took: 60.02 seconds are 60.
  return Math.max(0, Math.round(ahead))
}
