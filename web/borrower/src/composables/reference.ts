import { shallowRef, type ShallowRef } from 'vue'
import { api } from '../api/client.ts'
import type { Meta, Product } from '../api/types.ts'
import { i18n } from '../i18n/index.ts'

const meta = shallowRef<Meta | null>(null)
let serverAheadMs = 0

/** What the server says of itself; without an answer the pages simply show no sandbox signs. */
export function useMeta(): ShallowRef<Meta | null> {
  api.meta().then(keep).catch(() => undefined)
  return meta
}

function keep(answer: Meta): void {
  meta.value = answer
  serverAheadMs = Date.parse(answer.now) - Date.now() || 0
}

/** The server's time by what it said last; its clock may be far from the device's, in a sandbox moved in time above all. */
export const serverNow = (): number => Date.now() + serverAheadMs

const products = new Map<string, Promise<Product>>()

/** A product's terms, asked for once per language. */
export function product(code?: string): Promise<Product> {
  const key = `${i18n.global.locale.value} ${code ?? ''}`
  let answer = products.get(key)
  if (!answer) {
    answer = api.product(code)
    products.set(key, answer)
    answer.catch(() => products.delete(key))
  }
  return answer
}

/** Name a purpose from the products' lists; until they are there, or for a purpose since removed, show its code. */
export function usePurposes(): (code: string) => string {
  const purposes = shallowRef<Product['purposes']>([])
  api.products().then(({ items }) => (purposes.value = items.flatMap((terms) => terms.purposes))).catch(() => undefined)
  return (code) => purposes.value.find((purpose) => purpose.code === code)?.name ?? code
}
