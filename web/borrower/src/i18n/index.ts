import { Locale as VantLocale } from 'vant/es/locale'
import vantEnglish from 'vant/es/locale/lang/en-US'
import vantChinese from 'vant/es/locale/lang/zh-CN'
import { createI18n } from 'vue-i18n'
import en from './en.ts'
import zh from './zh-CN.ts'

export const languages = [
  { code: 'zh-CN', name: '简体中文' },
  { code: 'en', name: 'English' },
] as const
export type Language = (typeof languages)[number]['code']

const KEY = 'grainline.language'
const kept = localStorage.getItem(KEY)

export const i18n = createI18n<[typeof zh], Language, false>({
  legacy: false,
  locale: kept === 'en' ? 'en' : 'zh-CN',
  fallbackLocale: 'zh-CN',
  messages: { 'zh-CN': zh, en },
})

export function setLanguage(language: Language): void {
  i18n.global.locale.value = language
  localStorage.setItem(KEY, language)
  document.documentElement.lang = language
  if (language === 'en') VantLocale.use('en-US', vantEnglish)
  else VantLocale.use('zh-CN', vantChinese)
}
