import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lineOf, parseLine, type Selection, timeOf } from '../src/views/activity/query.ts'

const lines: [string, Selection][] = [
  ['', {}],
  ['action:order.* since:7d', { action: 'order.*', since: '7d' }],
  ['out of stock', { q: 'out of stock' }],
  ['"action:order" now', { q: 'action:order now' }],
  ['resource_type:"a \\"b\\" \\\\ c" status:failure', { resource_type: 'a "b" \\ c', status: 'failure' }],
  ['action: severity:error', { severity: 'error' }],
  ['category:"unclosed value', { category: 'unclosed value' }],
  ['actor:0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f', { actor: '0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f' }],
]

for (const [line, want] of lines) {
  test(`the line ${line || '(empty)'} selects`, () => {
    const { selection, faults } = parseLine(line)
    assert.deepEqual(selection, want)
    assert.deepEqual(faults, [])
    assert.deepEqual(parseLine(lineOf(selection)).selection, want, 'the line of the selection selects the same')
  })
}

for (const [line, reason] of [
  ['colour:red', /no field colour/],
  ['severity:loud', /one of info, warning, error, critical/],
  ['since:yesterday', /is a time/],
  ['action:a.b action:c.d', /one value only/],
] as const) {
  test(`the line ${line} has a fault`, () => {
    assert.match(
      parseLine(line)
        .faults.map((f) => f.reason)
        .join(),
      reason,
    )
  })
}

test('times and ages', () => {
  const now = new Date('2026-03-10T12:00:00Z')
  assert.equal(timeOf('36h', now), '2026-03-09T00:00:00.000Z')
  assert.equal(timeOf('2w', now), '2026-02-24T12:00:00.000Z')
  assert.equal(timeOf('2026-03-01T05:00:00Z', now), '2026-03-01T05:00:00.000Z')
  assert.equal(timeOf('2026-13-01', now), undefined)
  assert.equal(timeOf('7', now), undefined)
})
