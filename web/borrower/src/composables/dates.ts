import { useI18n } from 'vue-i18n'

const options = {
  day: { year: 'numeric', month: 'short', day: 'numeric', timeZone: 'UTC' },
  short: { month: 'short', day: 'numeric', timeZone: 'UTC' },
  month: { year: 'numeric', month: 'short', timeZone: 'UTC' },
  minute: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: 'Asia/Shanghai' },
  instant: {
    month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
    timeZone: 'Asia/Shanghai',
  },
} satisfies Record<string, Intl.DateTimeFormatOptions>

/** Write business dates ("2026-12-01") and instants (shown in the lender's time zone) in the reader's language. */
export function useDates() {
  const { locale } = useI18n()
  const write = (kind: keyof typeof options, value: string) => {
    const language = locale.value === 'en' ? 'en-GB' : 'zh-CN'
    const moment = new Date(value)
    return Number.isNaN(moment.getTime()) ? value : new Intl.DateTimeFormat(language, options[kind]).format(moment)
  }
  return {
    day: (date: string) => write('day', date),
    shortDay: (date: string) => write('short', date),
    month: (yearMonth: string) => write('month', `${yearMonth}-01`),
    minute: (instant: string) => write('minute', instant),
    instant: (moment: string) => write('instant', moment),
  }
}
