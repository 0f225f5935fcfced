/** Show fen as yuan with grouping, by moving characters only: 1234567 → "12,345.67". Whole yuan may drop ".00". */
export function yuan(fen: number, cents: 'always' | 'if-any' = 'always'): string {
  const digits = String(fen).replace('-', '').padStart(3, '0')
  const whole = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ',')
  const tail = digits.slice(-2)
  const shown = cents === 'if-any' && tail === '00' ? whole : `${whole}.${tail}`
  return fen < 0 ? `-${shown}` : shown
}

/** Read typed yuan ("1,200", "0.5", "12.34") as fen without arithmetic; null when it is not an amount of money. */
export function fenFromYuan(typed: string): number | null {
  const match = /^(\d{1,9})(?:\.(\d{0,2}))?$/.exec(typed.replace(/[,，\s]/g, ''))
  if (!match) return null
  return Number(`${match[1]}${(match[2] ?? '').padEnd(2, '0')}`)
}

/** The value of a number input for an amount in fen: "1200" or "1200.50", without grouping. */
export function plainYuan(fen: number): string {
  return yuan(fen, 'if-any').replaceAll(',', '')
}
