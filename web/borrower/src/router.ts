import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { session } from './composables/session.ts'

const routes: RouteRecordRaw[] = [
  { path: '/', redirect: '/me' },
  { path: '/sign-in', name: 'sign-in', component: () => import('./pages/SignInPage.vue'), meta: { open: true } },
  { path: '/me', name: 'me', component: () => import('./pages/MePage.vue') },
  { path: '/services', name: 'services', component: () => import('./pages/ServicesPage.vue') },
  { path: '/wallet', name: 'wallet', component: () => import('./pages/WalletPage.vue') },
  { path: '/products', name: 'products', component: () => import('./pages/ProductsPage.vue'), meta: { open: true } },
  { path: '/invitation', name: 'invitation', component: () => import('./pages/InvitationPage.vue') },
  { path: '/credit', name: 'credit', component: () => import('./pages/CreditPage.vue') },
  { path: '/credit/real-name', name: 'real-name', component: () => import('./pages/RealNamePage.vue') },
  { path: '/credit/card', name: 'card', component: () => import('./pages/CardPage.vue') },
  { path: '/credit/consents', name: 'give-consents', component: () => import('./pages/GiveConsentsPage.vue') },
  { path: '/credit/line', name: 'line', component: () => import('./pages/LinePage.vue') },
  { path: '/consents', name: 'consents', component: () => import('./pages/ConsentsPage.vue') },
  { path: '/device', name: 'device', component: () => import('./pages/DevicePage.vue') },
  { path: '/cards', name: 'cards', component: () => import('./pages/CardsPage.vue') },
  { path: '/borrow', name: 'borrow', component: () => import('./pages/BorrowPage.vue') },
  { path: '/borrow/contract', name: 'contract', component: () => import('./pages/ContractPage.vue') },
  { path: '/draws/:draw', name: 'draw', component: () => import('./pages/DrawPage.vue'), props: true },
  { path: '/loans', name: 'loans', component: () => import('./pages/LoansPage.vue') },
  { path: '/loans/:loan', name: 'loan', component: () => import('./pages/LoanPage.vue'), props: true },
  { path: '/loans/:loan/pay', name: 'pay', component: () => import('./pages/PayPage.vue'), props: true },
  {
    path: '/loans/:loan/repayments/:repayment', name: 'repayment', props: true,
    component: () => import('./pages/RepaymentPage.vue'),
  },
  { path: '/calendar', name: 'calendar', component: () => import('./pages/CalendarPage.vue') },
  { path: '/:rest(.*)*', name: 'missing', component: () => import('./pages/MissingPage.vue'), meta: { open: true } },
]

export const router = createRouter({
  history: createWebHistory('/'),
  routes,
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
})

router.beforeEach((to) => {
  if (!to.meta.open && !session.signedIn.value) return { name: 'sign-in', query: { return: to.fullPath } }
  if (to.name === 'sign-in' && session.signedIn.value) return { name: 'me' }
  return true
})

/** Only a path of this app may be returned to. */
export function returnPath(wanted: unknown): string {
  return typeof wanted === 'string' && /^\/(?![/\\])/.test(wanted) && !wanted.startsWith('/sign-in') ? wanted : '/me'
}
