import { opened, type Diary } from '../environment/usage.ts'
import { kept, onForget } from './kept.ts'

/** The diary of this device, where its owner consents to the summary made of it; see environment/usage.ts. */
export const diary = kept<Diary | null>(localStorage, 'usage', null)
onForget(() => (diary.value = null))
// A page that is loaded anew is a session of its own; where there is no diary, none is begun here.
if (diary.value) diary.value = opened(diary.value, Date.now())
