import { computed, ref } from 'vue'
import { api } from '../api/client.ts'
import { forgetWork } from './kept.ts'

const TOKEN = 'grainline.token'
const PHONE = 'grainline.phone'
const token = ref(localStorage.getItem(TOKEN))

export const session = {
  token,
  signedIn: computed(() => token.value !== null),
  lastPhone: () => sessionStorage.getItem(PHONE) ?? '',

  async signIn(phone: string, code: string): Promise<void> {
    const given = await api.signIn(phone, code)
    // Work left by an expired session is kept for the same person only.
    if (sessionStorage.getItem(PHONE) !== phone) forgetWork()
    sessionStorage.setItem(PHONE, phone)
    localStorage.setItem(TOKEN, given.token)
    token.value = given.token
  },

  expire(): void {
    localStorage.removeItem(TOKEN)
    token.value = null
  },

  async signOut(): Promise<void> {
    await api.signOut().catch(() => undefined)
    session.expire()
    sessionStorage.removeItem(PHONE)
    forgetWork()
  },
}
