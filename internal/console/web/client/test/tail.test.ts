import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient, tail } from '@fanfare/client'
import { problem, serve } from './server.ts'

const stream = (...chunks: string[]): Response =>
  new Response(new Blob(chunks).stream(), {
    headers: { 'Content-Type': 'text/event-stream' },
  })

test('a tail resumes after the last event, and ends when it is refused', async (t) => {
  const asked: (string | null)[] = []
  const baseUrl = await serve(t, (request) => {
    asked.push(request.headers.get('Last-Event-ID'))
    if (asked.length === 1) return stream('id: 1\n\nid: 2\nevent: activity\nda', 'ta: {"event_id": "a"}\n\n')
    if (asked.length === 2)
      return stream('id: 3\r\nevent: activity\r\ndata: {"event_id":\r\ndata: "b"}\r\n\r\nid: 4\nda')
    return problem(403, 'forbidden')
  })
  const events: string[] = []
  const states: string[] = []
  await tail(createClient({ baseUrl }), {
    signal: new AbortController().signal,
    event: (event) => events.push(event.event_id),
    state: (state) => states.push(state),
  })
  assert.deepEqual(events, ['a', 'b'])
  assert.deepEqual(asked, [null, '2', '3'])
  assert.deepEqual(states, ['live', 'waiting', 'live', 'waiting', 'ended'])
})

test('an abort ends a tail that waits', async (t) => {
  const baseUrl = await serve(t, () => problem(503, 'unavailable'))
  const abort = new AbortController()
  await tail(createClient({ baseUrl }), {
    signal: abort.signal,
    event: () => {},
    state: () => abort.abort(),
  })
})
