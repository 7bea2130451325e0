import { ProblemError } from '@fanfare/client'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Check, grouped, isCommand, nameOf, textOf, verdict } from '../src/views/doctor/checks.ts'
import {
  changeOf,
  entriesOf,
  errorsOf,
  limits,
  problemsOf,
  removing,
  type Retention,
  textOf as limitText,
  valueText,
} from '../src/views/retention/limits.ts'
import { removedText } from '../src/views/retention/holds.ts'
import { linesOf } from '../src/views/start/lines.ts'
import { search } from '../src/views/taxonomy/groups.ts'

const check = (name: string, status: Check['status'], remedy = ''): Check => ({ name, status, detail: 'd', remedy })

test('checks are grouped, those that failed first', () => {
  const checks = [
    check('postgres-a', 'ok'),
    check('postgres-b', 'ok'),
    check('centrifugo-x', 'ok'),
    check('centrifugo-bad-tokens', 'fail', 'r'),
  ]
  const groups = grouped(checks)
  assert.deepEqual(
    groups.map((g) => g.title),
    ['Centrifugo', 'PostgreSQL'],
  )
  assert.deepEqual(groups[0]?.checks.map(nameOf), ['bad tokens', 'x'])
  assert.deepEqual(
    grouped(checks.slice(0, 3)).map((g) => g.title),
    ['PostgreSQL', 'Centrifugo'],
  )
  assert.deepEqual(verdict(checks), { tone: 'error', text: '1 failed, 3 passed' })
  assert.match(textOf({ ok: false, examined_at: 't', checks }), /FAIL {4}centrifugo-bad-tokens: d\n {8}remedy: r$/)
})

test('only a remedy that is a command as a whole can be copied', () => {
  const commands = ['fanfare migrate up', 'GRANT USAGE ON SCHEMA fanfare TO a;', 'ALTER TABLE a; ANALYZE a;']
  const prose = ['run fanfare migrate up', 'CREATE ROLE a; and fanfare migrate repair', 'fanfare migrate up, or wait']
  assert.deepEqual(commands.map(isCommand), [true, true, true])
  assert.deepEqual(prose.map(isCommand), [false, false, false])
})

const values = {
  max_days: 0,
  max_entries: 0,
  min_days: 7,
  inbox_days: 90,
  idempotency_days: 30,
  dead_letter_days: 90,
  parked_days: 30,
  token_days: 90,
}
const policy = {
  ...Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value, from: 'installation' }])),
  max_days: { value: 365, from: 'tenant' },
  min_days_floor: 7,
  updated_at: null,
  updated_by: null,
  holds: [],
} as unknown as Retention

test('entries change only what differs', () => {
  const entries = entriesOf(policy)
  assert.deepEqual(changeOf(policy, entries), {})
  entries.max_days = { own: false, text: '365' }
  entries.inbox_days = { own: true, text: ' 30 ' }
  const change = changeOf(policy, entries)
  assert.deepEqual(change, { max_days: null, inbox_days: 30 })
  assert.deepEqual(
    removing(policy, change).map((l) => l.name),
    ['max_days', 'inbox_days'],
  )
  assert.deepEqual(removing(policy, { inbox_days: 120, max_days: 0, min_days: 30 }), [])
  assert.deepEqual(
    removing(policy, { max_entries: 10, min_days: 0 }).map((l) => l.name),
    ['max_entries', 'min_days'],
  )
})

test('wrong entries have an error at their field', () => {
  const entries = entriesOf(policy)
  for (const text of ['', '-1', '1.5', 'ten', '99999999999']) {
    assert.ok(errorsOf(policy, { ...entries, inbox_days: { own: true, text } }).inbox_days, text)
  }
  assert.match(
    errorsOf(policy, { ...entries, max_days: { own: true, text: '3' } }).max_days ?? '',
    /at least the minimum age \(7\)/,
  )
  assert.deepEqual(errorsOf(policy, { ...entries, max_days: { own: true, text: '0' } }), {})
  assert.match(errorsOf(policy, { ...entries, min_days: { own: true, text: '6' } }).min_days ?? '', /minimum age \(7\)/)
  assert.deepEqual(errorsOf(policy, { ...entries, min_days: { own: true, text: '7' } }), {})
  const error = new ProblemError({
    type: '/problems/invalid-field',
    title: 'x',
    status: 422,
    request_id: 'r',
    detail: '',
    errors: [{ field: 'max_days', rule: 'must be at least min_days (7), or 0' }],
  })
  assert.deepEqual(problemsOf(error), { max_days: 'Must be at least min_days (7), or 0.' })
  assert.deepEqual(problemsOf(new Error('other')), {})
})

test('the minimum age has the floor of the installation', () => {
  const own: Retention = { ...policy, min_days: { value: 30, from: 'tenant' } }
  assert.deepEqual(
    removing(own, { min_days: null }).map((l) => l.name),
    ['min_days'],
  )
  assert.deepEqual(removing(policy, { min_days: null }), [])
  const texts = limits.map((limit) => limitText(limit, own)).filter((text) => /At least 7 days/.test(text))
  assert.equal(texts.length, 1)
})

test('values and runs are described in words', () => {
  const [days, entries] = limits
  assert.ok(days && entries)
  assert.deepEqual(
    [valueText(days, 1), valueText(days, 0), valueText(entries, 1), valueText(entries, 20_000)],
    ['1 day', 'no limit', '1 activity', '20,000 activities'],
  )
  assert.equal(
    removedText({ activities: 1200, notifications: 3, policy: {} }),
    'Removed 1,200 activities, 3 notifications',
  )
})

test('the lines have the ids of the caller, and no secret', () => {
  const lines = linesOf({ tenant: 'TENANT', principal: 'PRINCIPAL', origin: 'https://x.example' })
  for (const { id, text } of lines) {
    assert.match(text, /PRINCIPAL/, id)
    assert.doesNotMatch(text, /Bearer (?!\$FANFARE_TOKEN)/, id)
    if (id !== 'curl') assert.match(text, /TENANT/, id)
  }
  const hostile = linesOf({ tenant: 'T', principal: 'P', resource: { id: 'R', type: `a'b` }, origin: '' })
  assert.match(hostile[0]?.text ?? '', /"a''b"/)
  assert.ok(hostile[1]?.text.includes(String.raw`"a'\''b"`))
})

test('a search of actions needs every word', () => {
  const action = (name: string, description: string) =>
    ({ name, description, category: 'c', severity: 'info', visibility: 'tenant', own: false }) as const
  const all = [
    action('file.created', 'A file was added.'),
    action('file.removed', 'Gone.'),
    action('user.added', 'A user.'),
  ]
  assert.deepEqual(
    search(all, 'file ADDED').map((g) => [g.resource, g.actions.length]),
    [['file', 1]],
  )
  assert.equal(search(all, '').length, 2)
  assert.equal(search(all, 'nothing').length, 0)
})
