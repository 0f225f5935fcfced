import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readEvents, type StreamEvent } from '../src/composables/event-stream.ts'

async function read(...chunks: Uint8Array[]): Promise<StreamEvent[]> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
  const events: StreamEvent[] = []
  for await (const event of readEvents(body)) events.push(event)
  return events
}
const bytes = (text: string) => new TextEncoder().encode(text)

test('events are read in order, comments and retry hints passed over', async () => {
  const events = await read(bytes(': hello\n\nretry: 500\n\nevent: draw\ndata: {"state":"sent"}\n\ndata: a\ndata: b\n\n'))
  assert.deepEqual(events, [{ event: 'draw', data: '{"state":"sent"}' }, { event: 'message', data: 'a\nb' }])
})

test('an event may arrive byte by byte, also in the middle of a Chinese character or of a line end', async () => {
  const all = bytes('event: draw\r\ndata: 已到账\r\n\r\n')
  const events = await read(...Array.from(all, (_, index) => all.slice(index, index + 1)))
  assert.deepEqual(events, [{ event: 'draw', data: '已到账' }])
})

test('an event that was cut off is not an event', async () => {
  assert.deepEqual(await read(bytes('event: draw\ndata: {"state"')), [])
})
