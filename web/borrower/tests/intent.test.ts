import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '../src/api/client.ts'
import { useIntent } from '../src/composables/intent.ts'

class MemoryStorage {
  readonly kept = new Map<string, string>()
  getItem = (key: string) => this.kept.get(key) ?? null
  setItem = (key: string, value: string) => void this.kept.set(key, value)
  removeItem = (key: string) => void this.kept.delete(key)
}
const storage = () => new MemoryStorage() as unknown as Storage
const noAnswer = () => Promise.reject(new ApiError({ status: 0, code: 'offline', detail: 'no connection' }))

test('a retry after no answer repeats the same body under the same key', async () => {
  const intent = useIntent<{ amount_fen: number }>('repay.1', storage())
  const sent: { amount_fen: number; key: string }[] = []
  await assert.rejects(intent.send({ amount_fen: 100 }, (body, key) => (sent.push({ ...body, key }), noAnswer())))
  assert.equal(intent.inDoubt.value, true)
  await intent.send({ amount_fen: 999 }, async (body, key) => void sent.push({ ...body, key }))
  assert.deepEqual(sent[1], sent[0])
  assert.equal(intent.inDoubt.value, false)
})

test('the doubt outlives a reload of the page', async () => {
  const drawer = storage()
  let first = ''
  await assert.rejects(useIntent('repay.1', drawer).send(7, (_, key) => ((first = key), noAnswer())))
  const reloaded = useIntent<number>('repay.1', drawer)
  assert.equal(reloaded.body.value, 7)
  await reloaded.send(8, async (body, key) => assert.deepEqual([body, key], [7, first]))
})

test('an answer ends the wish: the next one has a key of its own', async () => {
  const intent = useIntent<number>('repay.1', storage())
  const keys = new Set<string>()
  await intent.send(1, async (_, key) => keys.add(key))
  await intent.send(1, async (_, key) => keys.add(key))
  const refused = new ApiError({ status: 422, code: 'otp_wrong', detail: 'wrong code' })
  await assert.rejects(intent.send(1, (_, key) => (keys.add(key), Promise.reject(refused))))
  await intent.send(2, async (_, key) => keys.add(key))
  assert.equal(keys.size, 4)
})

test('while the server is still busy with the same request, or breaks, the key is kept', async () => {
  for (const [status, code] of [[409, 'idempotency_in_progress'], [503, 'unavailable'], [408, 'timeout']] as const) {
    const intent = useIntent<number>('repay.1', storage())
    await assert.rejects(intent.send(1, () => Promise.reject(new ApiError({ status, code, detail: code }))))
    assert.equal(intent.inDoubt.value, true, code)
  }
})
