import { computed, onMounted, onUnmounted, ref, shallowRef } from 'vue'
import { api } from '../api/client.ts'
import type { ConsentItem } from '../api/types.ts'
import { askBrowser } from '../environment/device.ts'
import { summarise, VERSION, type Moment, type Summary } from '../environment/summary.ts'
import { opened } from '../environment/usage.ts'
import { diary } from './diary.ts'
import { onForget } from './kept.ts'
import { useAction, useLoad } from './load.ts'
import { session } from './session.ts'

const consent = shallowRef<ConsentItem | null>(null)
onForget(() => (consent.value = null))

function take(items: ConsentItem[]): void {
  consent.value = items.find(({ source }) => source === 'device') ?? null
  if (!consent.value?.given_at) diary.value = null
  else diary.value ??= opened(null, Date.now())
}

/** The consent to the device's summary, how somebody stays on this page, and the summary that would be sent now. */
export function useEnvironment(moment: Moment) {
  const began = performance.now()
  const timesLeft = ref(0)
  const left = () => void (document.hidden && timesLeft.value++)
  onMounted(() => document.addEventListener('visibilitychange', left))
  onUnmounted(() => document.removeEventListener('visibilitychange', left))

  const load = useLoad(async () => {
    take((await api.consents()).items)
    return true
  })
  const change = useAction(async (wanted: boolean) => {
    if (wanted) return take((await api.consent(['device'])).items)
    await api.withdrawEnvironment()
    take((await api.consents()).items)
  })

  function summary(): Summary {
    const stay = { seconds: (performance.now() - began) / 1000, timesLeft: timesLeft.value }
    const now = Date.now()
    const said = { browser: askBrowser(), diary: diary.value ?? opened(null, now), stay, now }
    return summarise(said, moment, now, crypto.randomUUID())
  }

  /** Seal and send a summary where it is agreed to. Nobody waits for it, and nothing depends on it: it may fail. */
  async function send(): Promise<void> {
    const token = session.token.value
    if (!consent.value?.given_at || !token) return
    try {
      const made = summary()
      const [key, { seal }] = await Promise.all([api.environmentKey(), import('../environment/seal.ts')])
      if (key.version !== VERSION) return
      const sealed = await seal(JSON.stringify({ ...made, made_at_ms: Date.parse(key.now) }), key, token)
      await api.handInEnvironment({ key_id: key.key_id, sealed })
    } catch {
      // The next one is made anew; a member who is borrowing has nothing to do about it.
    }
  }

  return { consent, agreed: computed(() => Boolean(consent.value?.given_at)), change, load, summary, send }
}

export type DeviceSummary = ReturnType<typeof useEnvironment>
