import { computed, type ComputedRef } from 'vue'
import { useRoute, type RouteLocationRaw } from 'vue-router'

type ProductInView = {
  product: ComputedRef<string | undefined>
  to: (path: string) => RouteLocationRaw
}

/** The product a page's address names; where it names none, the server's own choice. `to` stays with it. */
export function useProduct(): ProductInView {
  const route = useRoute()
  const product = computed(() => (typeof route.query.product === 'string' ? route.query.product : undefined))
  const to = (path: string): RouteLocationRaw => ({ path, query: product.value ? { product: product.value } : {} })
  return { product, to }
}
