import { createClient, ProblemError } from '@fanfare/client'
import type { ReactiveController, ReactiveControllerHost } from 'lit'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { json, problem, serve } from '../../client/test/server.ts'
import { faultsOf, matchesOf, type PatternResults, split, Trial } from '../src/preferences/trial.ts'
import { apply, type Change, type Field, originOf, type Preferences, reverse } from '../src/preferences/values.ts'

const stored: Preferences = {
  filter_mode: 'custom',
  custom_actions: ['a.*'],
  muted: false,
  muted_actions: ['m.*'],
  muted_actors: ['p1'],
  inherited: { muted: 'installation', muted_actions: 'tenant' },
  updated_at: null,
}

test('where a value comes from', () => {
  const origins: Record<Field, string> = {
    filter_mode: 'own',
    custom_actions: 'own',
    muted: 'installation',
    muted_actions: 'tenant',
  }
  for (const [field, origin] of Object.entries(origins)) assert.equal(originOf(stored, field as Field), origin)
})

test('a change is shown before it is confirmed, and what reverses it', () => {
  const cases: { change: Change; back: Change; inherited: object }[] = [
    { change: { filter_mode: 'all' }, back: { filter_mode: 'custom' }, inherited: stored.inherited },
    { change: { muted: true }, back: { inherit: ['muted'] }, inherited: { muted_actions: 'tenant' } },
    {
      change: { custom_actions: [], muted_actions: ['x'] },
      back: { custom_actions: ['a.*'], inherit: ['muted_actions'] },
      inherited: { muted: 'installation' },
    },
    {
      change: { inherit: ['filter_mode', 'muted'] },
      back: { filter_mode: 'custom', inherit: ['muted'] },
      inherited: stored.inherited,
    },
    { change: { muted_actors: [] }, back: { muted_actors: ['p1'] }, inherited: stored.inherited },
    { change: {}, back: {}, inherited: stored.inherited },
  ]
  const before = structuredClone(stored)
  for (const { change, back, inherited } of cases) {
    const { inherit: _, ...values } = change
    assert.deepEqual(reverse(stored, change), back, JSON.stringify(change))
    assert.deepEqual(apply(stored, change), { ...stored, ...values, inherited }, JSON.stringify(change))
  }
  assert.deepEqual(stored, before, 'what was there is not changed')
  const { muted_actors: __, ...tenant } = stored
  assert.deepEqual(reverse(tenant, { muted_actors: ['p2'] }), { muted_actors: [] })
})

test('patterns of a text', () => {
  const cases: [text: string, patterns: string[]][] = [
    ['', []],
    [' , \n', []],
    ['a.* b.*', ['a.*', 'b.*']],
    ['a.*,b.*,\n a.*', ['a.*', 'b.*']],
    ['a;b', ['a;b']],
    ['[!a]?\\*', ['[!a]?\\*']],
  ]
  for (const [text, patterns] of cases) assert.deepEqual(split(text), patterns, JSON.stringify(text))
})

const results = (taxonomy: string[], counts: Record<string, number> = {}, patterns: string[] = []): PatternResults =>
  ({
    patterns: patterns.map((pattern) => ({ pattern, actions: taxonomy.length })),
    taxonomy,
    recent: { actions: Object.entries(counts).map(([action, count]) => ({ action, count })), count: 0, exact: true },
  }) as unknown as PatternResults

test('matches are those that happen most first, and then by name', () => {
  const matches = matchesOf(results(['c', 'a', 'b'], { b: 2, x: 9 }))
  assert.deepEqual(
    matches.map((m) => `${m.action} ${m.count} ${m.known}`),
    ['x 9 false', 'b 2 true', 'a 0 true', 'c 0 true'],
  )
  assert.deepEqual(matchesOf({ ...results(['a']), recent: undefined } as unknown as PatternResults), [
    { action: 'a', count: 0, known: true },
  ])
})

test('faults name the pattern that they are of', () => {
  const errors = [
    { field: 'patterns[3]', rule: 'is longer than 200 bytes' },
    { field: 'patterns', rule: 'must have at most 100 items' },
    { field: 'patterns[12]', rule: 'contains a NUL character' },
  ]
  const document = { type: '/problems/invalid-field', title: 't', status: 422, request_id: '', errors }
  const error = new ProblemError(document as unknown as ProblemError['problem'])
  assert.deepEqual(faultsOf(error), [
    { index: 3, rule: 'is longer than 200 bytes' },
    { index: 12, rule: 'contains a NUL character' },
  ])
  assert.deepEqual(faultsOf(new Error('offline')), [])
})

/** host counts the updates that a controller requests, and announces each. */
class Host extends EventTarget implements ReactiveControllerHost {
  updateComplete = Promise.resolve(true)
  addController(_: ReactiveController): void {}
  removeController(_: ReactiveController): void {}
  requestUpdate(): void {
    this.dispatchEvent(new Event('update'))
  }
}

test('only the newest patterns are tested, and each once', async (t) => {
  const tested: string[][] = []
  const held: { patterns: string[]; respond: (response: Response) => void }[] = []
  const asked = new EventTarget()
  const baseUrl = await serve(t, async (request) => {
    const { patterns } = (await request.json()) as { patterns: string[] }
    tested.push(patterns)
    const answer = new Promise<Response>((respond) => held.push({ patterns, respond }))
    asked.dispatchEvent(new Event('request'))
    return answer
  })
  const client = createClient({ baseUrl })
  const host = new Host()
  const trial = new Trial(host, 0)
  const next = () => once(asked, 'request')
  const updated = () => once(host, 'update')

  let request = next()
  trial.test(client, ['a'])
  trial.test(client, ['a'])
  await request
  request = next()
  trial.test(client, ['a', 'b']) // replaces the one that is under way
  await request
  assert.equal(trial.pending, true)
  let update = updated()
  for (const { patterns, respond } of held.splice(0)) respond(json(results(['x'], {}, patterns)))
  await update
  assert.deepEqual([trial.results?.patterns.length, trial.pending], [2, false])

  request = next()
  update = updated()
  trial.test(client, ['a', 'b'], true)
  await request
  held.splice(0)[0]?.respond(problem(503, 'unavailable'))
  await update
  assert.ok(trial.error instanceof ProblemError)
  assert.equal(trial.results, undefined)

  update = updated()
  trial.test(client, [])
  await update
  assert.deepEqual([trial.error, trial.pending, trial.faults], [undefined, false, []])
  assert.deepEqual(tested, [['a'], ['a', 'b'], ['a', 'b']])
})
