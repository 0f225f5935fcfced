import { watch, type Ref } from 'vue'
import type { OtpSent } from '../api/types.ts'
import { resendWait, useCountdown } from './countdown.ts'
import { serverNow } from './reference.ts'

/** Seconds until another code may be asked for. */
export function useOtpWait(sent: Ref<OtpSent | null>): Ref<number> {
  const { left, start, stop } = useCountdown()
  watch(sent, (now) => (now ? start(resendWait(now.resend_at, serverNow())) : stop()), { immediate: true })
  return left
}
