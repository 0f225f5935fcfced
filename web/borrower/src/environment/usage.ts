/**
 * A diary of when these pages were opened on this device: the day of the first time, and of each since then the day and
 * a quarter of it. It begins with the consent, goes with it, and never leaves the device; `usageOf` is what is told of it.
 */
export type Diary = { first: number; opened: { day: number; quarter: number }[] }

/** See src/grainline/guard/environment_fields.json. */
export type Usage = {
  known: 'today' | 'week' | 'month' | 'longer'
  sessions: 'one' | 'few' | 'some' | 'many'
  night: boolean
  morning: boolean
  afternoon: boolean
  evening: boolean
  pace: 'under_10s' | 'under_1min' | 'under_5min' | 'longer'
  times_left: number
}

/** How somebody was on a page, from opening it to confirming. */
export type Stay = { seconds: number; timesLeft: number }

const KEPT_DAYS = 30
const ENTRIES_MAX = 60
const DAY_MS = 86_400_000
const SHANGHAI_MS = 8 * 3_600_000

/** The day, counted from 1970, and the quarter of it, in Shanghai, whatever zone the device is in. */
function moment(now: number): { day: number; quarter: number } {
  const there = now + SHANGHAI_MS
  return { day: Math.floor(there / DAY_MS), quarter: Math.floor((there % DAY_MS) / (DAY_MS / 4)) }
}

/** Write down that the pages are opened; what is older than 30 days is dropped. */
export function opened(diary: Diary | null, now: number): Diary {
  const here = moment(now)
  const recent = (diary?.opened ?? []).filter(({ day }) => day > here.day - KEPT_DAYS && day <= here.day)
  return { first: Math.min(diary?.first ?? here.day, here.day), opened: [...recent, here].slice(-ENTRIES_MAX) }
}

/** Make the classes that are told of the diary and of a stay on a page. */
export function usageOf(diary: Diary, stay: Stay, now: number): Usage {
  const days = moment(now).day - diary.first
  const recent = diary.opened.filter(({ day }) => day > moment(now).day - KEPT_DAYS)
  const at = (quarter: number) => recent.some((one) => one.quarter === quarter)
  const count = recent.length
  return {
    known: days < 1 ? 'today' : days < 7 ? 'week' : days < 30 ? 'month' : 'longer',
    sessions: count <= 1 ? 'one' : count <= 5 ? 'few' : count <= 20 ? 'some' : 'many',
    night: at(0), morning: at(1), afternoon: at(2), evening: at(3),
    pace: stay.seconds < 10 ? 'under_10s' : stay.seconds < 60 ? 'under_1min' : stay.seconds < 300 ? 'under_5min' : 'longer',
    times_left: Math.min(stay.timesLeft, 5),
  }
}
