import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { globOf, matches, type Matchable } from '../src/views/activity/matches.ts'

const event: Matchable = {
  action: 'order.shipped',
  correlation_id: 'c',
  created_at: '2026-03-10T12:00:00Z',
  actor: { principal_id: 'p', kind: 'user', display_name: 'Ada' },
  resource: { resource_id: 'r', resource_type: 'order', name: 'Order 7', parent_id: null },
  ui_hints: { category: 'sales', severity: 'info', title: '', summary: '', icon: '' },
}
const now = new Date('2026-03-11T12:00:00Z')

for (const [selection, want] of [
  [{}, true],
  [{ action: 'order.*' }, true],
  [{ action: 'invoice.*' }, false],
  [{ actor: 'p', resource_type: 'order', severity: 'info' }, true],
  [{ since: '36h' }, true],
  [{ since: '1h' }, false],
  [{ until: '2026-03-10' }, false],
  [{ q: 'ORDER 7' }, true],
  [{ q: 'somewhere in the message' }, undefined],
  [{ status: 'failure' }, undefined],
  [{ status: 'failure', action: 'x.*' }, false],
] as const) {
  test(`an event and ${JSON.stringify(selection)}`, () => assert.equal(matches(event, selection, now), want))
}

test('patterns match as Python does', () => {
  const file = new URL('../../../../../preferences/testdata/fnmatch_cases.jsonl', import.meta.url)
  const cases = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((l) => JSON.parse(l) as [string, string, boolean])
  assert(cases.length > 100)
  for (const [pattern, name, match] of cases) assert.equal(globOf(pattern).test(name), match, `${pattern} and ${name}`)
})
