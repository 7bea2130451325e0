import { createClient } from '@fanfare/client'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { json, problem, serve } from '../../client/test/server.ts'
import { Edits } from '../src/preferences/edits.ts'
import type { Preferences } from '../src/preferences/values.ts'

const stored: Preferences = {
  filter_mode: 'mutations',
  custom_actions: [],
  muted: false,
  muted_actions: [],
  muted_actors: [],
  inherited: {},
  updated_at: null,
}

/** A request that waits for its answer. */
interface Held {
  method: string
  change: Partial<Preferences>
  respond: (response: Response) => void
}

/** setUp returns edits, and next, which returns the next request of theirs. */
async function setUp(t: TestContext): Promise<{ edits: Edits; next: () => Promise<Held>; held: Held[] }> {
  const held: Held[] = []
  const asked = new EventTarget()
  const baseUrl = await serve(t, async (request) => {
    const change = request.method === 'PUT' ? ((await request.json()) as Partial<Preferences>) : {}
    return new Promise<Response>((respond) => {
      held.push({ method: request.method, change, respond })
      asked.dispatchEvent(new Event('request'))
    })
  })
  const next = async () => {
    if (held.length === 0) await once(asked, 'request')
    return held.shift()!
  }
  return { edits: new Edits(createClient({ baseUrl }), 'own', () => {}), next, held }
}

async function loaded(t: TestContext) {
  const { edits, next, held } = await setUp(t)
  const load = edits.load()
  ;(await next()).respond(json(stored))
  await load
  return { edits, next, held }
}

test('changes show at once, and are sent one after another', async (t) => {
  const { edits, next, held } = await loaded(t)
  const first = edits.save({ muted_actions: ['a.*'] })
  const second = edits.save({ filter_mode: 'all' })
  const both = { ...stored, muted_actions: ['a.*'], filter_mode: 'all' }
  assert.deepEqual(edits.value, both)
  const put = await next()
  assert.deepEqual([put.change, held.length], [{ muted_actions: ['a.*'] }, 0])
  put.respond(json({ ...stored, muted_actions: ['a.*'] }))
  await first
  assert.deepEqual(edits.value, both, 'the answer to the first does not take the second back')
  const other = await next()
  assert.deepEqual(other.change, { filter_mode: 'all' })
  other.respond(json({ ...both, updated_at: '2026-01-02T03:04:05Z' }))
  await second
  assert.equal(edits.value?.updated_at, '2026-01-02T03:04:05Z')
})

test('a change that the API refuses is taken back, and those after it are sent', async (t) => {
  const { edits, next } = await loaded(t)
  const refused = assert.rejects(edits.save({ muted_actions: ['['] }))
  const kept = edits.save({ muted: true })
  ;(await next()).respond(problem(422, 'invalid-field'))
  await refused
  ;(await next()).respond(json({ ...stored, muted: true }))
  await kept
  assert.deepEqual(edits.value, { ...stored, muted: true })

  const last = assert.rejects(edits.save({ muted_actions: ['['] }))
  ;(await next()).respond(problem(422, 'invalid-field'))
  const read = await next()
  assert.equal(read.method, 'GET')
  read.respond(problem(503, 'unavailable'))
  await last
  assert.deepEqual(edits.value, { ...stored, muted: true }, 'what was there before the change')
})

test('what is read does not replace a change that was made meanwhile', async (t) => {
  const { edits, next } = await loaded(t)
  const load = edits.load()
  const get = await next()
  const save = edits.save({ muted: true })
  ;(await next()).respond(json({ ...stored, muted: true }))
  await save
  get.respond(json(stored))
  await load
  assert.equal(edits.value?.muted, true)
})

test('nothing is sent before the preferences are read', async (t) => {
  const { edits, held } = await setUp(t)
  await edits.save({ muted: true })
  assert.deepEqual([edits.value, held], [undefined, []])
})
