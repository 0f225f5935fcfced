/** What the browser says of itself, as it says it. Nothing of this leaves the device but as `environmentOf` makes it. */
export type Browser = {
  agent: string
  languages: readonly string[]
  zone: string
  /** The shorter side of the screen, in CSS pixels. */
  side: number
  touchPoints: number
  webdriver: boolean
  storage: boolean
}

/** See src/grainline/guard/environment_fields.json: the one place that says which fields there are and their values. */
export type Environment = {
  platform: 'android' | 'ios' | 'harmony' | 'windows' | 'macos' | 'linux' | 'other'
  browser: 'wechat' | 'alipay' | 'edge' | 'firefox' | 'chrome' | 'safari' | 'other'
  browser_major: number
  language: 'zh' | 'en' | 'other'
  languages: number
  zone: 'china' | 'asia' | 'elsewhere'
  screen: 'small' | 'medium' | 'large'
  touch: boolean
  driven: boolean
  storage: boolean
}

// The first that fits; an iPad calls itself a Mac, and is told by its touch screen.
const PLATFORMS: [RegExp, Environment['platform']][] = [
  [/OpenHarmony|HarmonyOS/, 'harmony'], [/Android/, 'android'], [/iPhone|iPad|iPod/, 'ios'],
  [/Windows/, 'windows'], [/Macintosh/, 'macos'], [/Linux|X11/, 'linux'],
]
// The apps and derivatives first: they name the engine too, and mostly Chrome or Safari.
const BROWSERS: [RegExp, Environment['browser']][] = [
  [/MicroMessenger\/(\d+)/, 'wechat'], [/AlipayClient\/(\d+)/, 'alipay'], [/Edg(?:A|iOS)?\/(\d+)/, 'edge'],
  [/(?:Firefox|FxiOS)\/(\d+)/, 'firefox'], [/(?:Chrome|CriOS|Chromium)\/(\d+)/, 'chrome'],
  [/Version\/(\d+).*Safari/, 'safari'],
]
const CHINA = /^(?:PRC|Asia\/(?:Shanghai|Chongqing|Chungking|Harbin|Urumqi|Kashgar|Hong_Kong|Macau|Macao|Taipei))$/

/** Make the classes that are told of what the browser says. */
export function environmentOf(said: Browser): Environment {
  const named = PLATFORMS.find(([sign]) => sign.test(said.agent))?.[1] ?? 'other'
  const [sign, browser] = BROWSERS.find(([one]) => one.test(said.agent)) ?? [/$^/, 'other' as const]
  const first = said.languages[0]?.toLowerCase().split('-')[0]
  return {
    platform: named === 'macos' && said.touchPoints > 1 ? 'ios' : named,
    browser,
    browser_major: Math.min(Number(sign.exec(said.agent)?.[1] ?? 0), 999),
    language: first === 'zh' || first === 'en' ? first : 'other',
    languages: Math.min(said.languages.length, 3),
    zone: CHINA.test(said.zone) ? 'china' : said.zone.startsWith('Asia/') ? 'asia' : 'elsewhere',
    screen: said.side < 600 ? 'small' : said.side < 1000 && said.touchPoints > 0 ? 'medium' : 'large',
    touch: said.touchPoints > 0,
    driven: said.webdriver,
    storage: said.storage,
  }
}

/** Ask the browser; it is asked nothing else. */
export function askBrowser(): Browser {
  return {
    agent: navigator.userAgent,
    languages: navigator.languages,
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone ?? '',
    side: Math.min(screen.width, screen.height),
    touchPoints: navigator.maxTouchPoints,
    webdriver: navigator.webdriver === true,
    storage: keeps(),
  }
}

function keeps(): boolean {
  try {
    localStorage.setItem('grainline.probe', '1')
    localStorage.removeItem('grainline.probe')
    return true
  } catch {
    return false
  }
}
