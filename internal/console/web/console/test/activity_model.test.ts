import assert from 'node:assert/strict'
import { test } from 'node:test'
import { actionsFor, choicesFor, fieldsFor, wordAt } from '../src/views/activity/completion.ts'
import { curlOf, sqlOf } from '../src/views/activity/copies.ts'
import { bytes, elapsed } from '../src/parts/format.ts'
import { RowCounter } from '../src/views/activity/export.ts'
import { countedIn } from '../src/views/activity/facet_model.ts'
import { daysOf, type Row, Rows } from '../src/views/activity/rows.ts'
import { changeTo, filterOf, read, selectionOf } from '../src/views/activity/selection.ts'
import { heightOf, placeOf, visibleDays } from '../src/views/activity/timeline_layout.ts'

function row(n: number, day = 20260310): Row {
  return {
    id: `id-${String(n).padStart(6, '0')}`,
    action: 'order.shipped',
    title: 'Shipped',
    summary: '',
    severity: 'info',
    category: 'sales',
    failed: n % 2 === 0,
    at: '2026-03-10T12:00:00Z',
    day,
    fresh: false,
    actor: { principal_id: `p${n % 3}`, kind: 'user', display_name: `P ${n % 3}` },
    resource: { resource_id: 'r', resource_type: 'order', name: 'Order', parent_id: null },
  }
}
const rows = (...numbers: number[]): Row[] => numbers.map((n) => row(n))
const ids = (all: readonly Row[]): number[] => all.map((r) => Number(r.id.slice(3)))

test('the word at the caret', () => {
  assert.deepEqual(wordAt('action:com since:7d', 10), { field: 'action', text: 'com', start: 0, end: 10 })
  assert.deepEqual(wordAt('since:7d act', 12), { field: undefined, text: 'act', start: 9, end: 12 })
  assert.deepEqual(wordAt('resource_type:"a b', 18), { field: 'resource_type', text: 'a b', start: 0, end: 18 })
  assert.deepEqual(wordAt('', 0), { field: undefined, text: '', start: 0, end: 0 })
  assert.deepEqual(wordAt('colour:re', 9), { field: undefined, text: 'colour:re', start: 0, end: 9 })
})

test('suggestions', () => {
  assert.deepEqual(
    fieldsFor('res').map((s) => s.field),
    ['resource', 'resource_type'],
  )
  assert.deepEqual(
    choicesFor('severity', 'rr').map((s) => s.value),
    ['error'],
  )
  assert.deepEqual(
    choicesFor('since', '24').map((s) => s.value),
    ['24h'],
  )
  const known = ['comment.created', 'comment.deleted', 'order.shipped'].map((name) => ({ name, hint: '' }))
  assert.deepEqual(
    actionsFor(known, 'com').map((s) => s.value),
    ['comment.*', 'comment.created', 'comment.deleted'],
  )
  assert.deepEqual(
    actionsFor(known, 'ship').map((s) => s.value),
    ['order.shipped'],
  )
})

test('a selection goes into an address and comes back', () => {
  const selection = { action: 'a.*', q: 'out of "stock" & more', since: '7d' }
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(changeTo(selection))) if (value) query.set(name, String(value))
  assert.deepEqual(selectionOf(new URLSearchParams(query.toString())), selection)
  assert.equal(filterOf(selection, new Date('2026-03-10T00:00:00Z')).since, '2026-03-03T00:00:00.000Z')
})

test('a name where an id belongs is a fault', () => {
  assert.match(read('actor:Grace', {}).faults[0]?.reason ?? '', /actor is an id/)
  assert.deepEqual(read('status:failure', { action: 'a' }), {
    selection: { action: 'a', status: 'failure' },
    faults: [],
  })
})

test('rows are held once, newest first, up to a number', () => {
  const all = new Rows(5)
  assert.equal(all.append(rows(6, 5, 4)), true)
  assert.equal(all.prepend(rows(6, 8, 9)), 2)
  assert.deepEqual(ids(all.list), [9, 8, 6, 5, 4])
  assert.equal(all.prepend(rows(7)), 1, 'one that is late')
  assert.deepEqual(ids(all.list), [9, 8, 7, 6, 5])
  assert.equal(all.dropped, true)
  assert.equal(all.has('id-000004'), false)
})

test('the visible part of a timeline', () => {
  const list = [...rows(9, 8, 7), row(6, 20260309), row(5, 20260308)]
  const days = daysOf(list)
  const h = { row: 10, heading: 20 }
  assert.deepEqual(
    days.map((d) => [d.first, d.count]),
    [
      [0, 3],
      [3, 1],
      [4, 1],
    ],
  )
  assert.equal(heightOf(days, h), 110)
  assert.equal(placeOf(days, h, 3), 70)
  assert.deepEqual(
    visibleDays(days, h, 35, 45, -1, 0).map((d) => [d.from, d.to]),
    [[1, 3]],
  )
  assert.deepEqual(
    visibleDays(days, h, 0, 20, 4, 0).map((d) => [d.from, d.to]),
    [
      [0, 1],
      [4, 5],
    ],
    'keeps a row',
  )
})

test('facets of rows', () => {
  const facets = countedIn(rows(1, 2, 3, 4))
  assert.deepEqual(facets.status, [
    { value: 'failure', label: 'failure', count: 2 },
    { value: 'success', label: 'success', count: 2 },
  ])
  assert.equal(facets.actor?.[0]?.label, 'P 1')
})

test('the rows of a file that arrives in chunks', () => {
  const count = (format: 'csv' | 'jsonl', ...chunks: string[]): number => {
    const counter = new RowCounter(format)
    for (const chunk of chunks) counter.add(new TextEncoder().encode(chunk))
    return counter.count
  }
  assert.equal(count('jsonl', '{"a":1}\n{"b', '":2}\n'), 2)
  assert.equal(count('csv', 'id,text\n1,"a\n', 'b ""c""\n"\n2,d\n'), 2)
  assert.equal(count('csv', 'id,text\n'), 0)
})

test('durations and sizes', () => {
  assert.deepEqual([0, 340, 2100, 245_000, 12_000_000, 180_000_000].map(elapsed), [
    '0 ms',
    '340 ms',
    '2.1 s',
    '4 min 5 s',
    '3 h 20 min',
    '2 d 2 h',
  ])
  assert.deepEqual([12, 4200, 1_300_000].map(bytes), ['12 B', '4.2 kB', '1.3 MB'])
})

test('what is copied is quoted', () => {
  ;(globalThis as { location?: unknown }).location = { href: 'http://x.test/console/' }
  assert.match(sqlOf({ tenant_id: "a'b", event_id: 'c' }), /'a''b' AND id = 'c'/)
  assert.equal(curlOf('/v1', "/it's"), `curl -H "Authorization: Bearer $FANFARE_TOKEN" 'http://x.test/v1/it'\\''s'`)
})
