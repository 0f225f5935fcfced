import { ref, watch, type Ref } from 'vue'

const PREFIX = 'grainline.work.'

/** A value that survives a reload in this browser; forgotten with `forgetWork` when another person signs in. */
export function kept<T>(storage: Storage, name: string, initial: T): Ref<T> {
  const value = ref(initial) as Ref<T>
  const text = storage.getItem(PREFIX + name)
  if (text) {
    try {
      value.value = JSON.parse(text) as T
    } catch {
      storage.removeItem(PREFIX + name)
    }
  }
  watch(value, (now) => storage.setItem(PREFIX + name, JSON.stringify(now)), { deep: true, flush: 'sync' })
  return value
}

const forgetters: (() => void)[] = []

/** Call `reset` whenever what a person was doing has to be forgotten. */
export function onForget(reset: () => void): void {
  forgetters.push(reset)
}

export function forgetWork(): void {
  for (const reset of forgetters) reset()
  for (const storage of [localStorage, sessionStorage]) {
    for (const key of Object.keys(storage)) if (key.startsWith(PREFIX)) storage.removeItem(key)
  }
}
