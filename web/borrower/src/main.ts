import { createApp } from 'vue'
import { connect } from './api/client.ts'
import App from './App.vue'
import './composables/diary.ts'
import { session } from './composables/session.ts'
import { i18n, setLanguage } from './i18n/index.ts'
import { router } from './router.ts'
import './styles/base.css'

setLanguage(i18n.global.locale.value)
connect({
  token: () => session.token.value,
  language: () => i18n.global.locale.value,
  words: (key) => i18n.global.t(`failure.${key}`),
  signedOut: () => {
    session.expire()
    const { fullPath, name } = router.currentRoute.value
    if (name !== 'sign-in') void router.replace({ name: 'sign-in', query: { return: fullPath, expired: '1' } })
  },
})
createApp(App).use(i18n).use(router).mount('#app')
