/** Show points of 10⁻² by moving characters only: 6525 → "65.25", 6500 → "65". */
export function points(e2: number): string {
  const digits = String(Math.abs(e2)).padStart(3, '0')
  const tail = digits.slice(-2).replace(/0+$/, '')
  return `${e2 < 0 ? '-' : ''}${digits.slice(0, -2)}${tail && `.${tail}`}`
}

/** Show a share of 10⁻⁴ as a percentage with one decimal at most: 3571 → "35.7", 3000 → "30". */
export function percentOf(e4: number): string {
  return (e4 / 100).toFixed(1).replace(/\.0$/, '')
}
