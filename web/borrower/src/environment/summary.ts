import { environmentOf, type Browser, type Environment } from './device.ts'
import { usageOf, type Diary, type Stay, type Usage } from './usage.ts'

export type Moment = 'open_line' | 'sign'
export type Summary = { id: string; made_at_ms: number; moment: Moment; environment: Environment; usage: Usage }
/** The version of the fields that this page makes; a lender that asks for another gets none. */
export const VERSION = 1

/** Make the summary that is sealed: classes, small counts, yes or no. `now` is the device's time, `madeAt` the lender's. */
export function summarise(
  said: { browser: Browser; diary: Diary; stay: Stay; now: number },
  moment: Moment,
  madeAt: number,
  id: string,
): Summary {
  return {
    id,
    made_at_ms: madeAt,
    moment,
    environment: environmentOf(said.browser),
    usage: usageOf(said.diary, said.stay, said.now),
  }
}
