import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Notification, NotificationGroup } from '@fanfare/client'
import { filtersOf, queryOf, sameQuery } from '../src/views/inbox/query.ts'
import { newer, type Row, rowsOf, step } from '../src/views/inbox/rows.ts'
import { Selection } from '../src/views/inbox/selection.ts'

const id = '0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f'
const item = (n: string): Notification => ({ id: n }) as Notification
const keys = (rows: Row[]): string[] => rows.map((r) => r.key)

test('an address selects what the API accepts', () => {
  const refused = 'severity=loud&actor=x'
  const address = new URLSearchParams(`state=unread&reason=owner&${refused}&resource=${id}&q=+a+&group_by=burst`)
  assert.deepEqual(queryOf(address), { state: 'unread', reason: 'owner', resource: id, q: 'a', group_by: 'burst' })
  assert.deepEqual(queryOf(new URLSearchParams('state=else&since=soon')), { state: 'inbox' })
  assert.deepEqual(filtersOf(new URLSearchParams('q=+')), { q: ' ' })
})

test('queries are compared without the order of their fields', () => {
  assert.equal(sameQuery({ state: 'all', q: 'a' }, { q: 'a', state: 'all' }), true)
  assert.equal(sameQuery({ state: 'all' }, { state: 'all', q: 'a' }), false)
})

test('the rows of a group follow it while it is open', () => {
  const group = { filter: { resource: id }, total: 5, items: [item('n3'), item('n2')] } as unknown as NotificationGroup
  const state = { items: [], groups: [group] }
  const [closed] = rowsOf(state, new Map())
  assert.equal(closed?.kind, 'group')
  const rows = rowsOf(state, new Map([[closed?.key ?? '', [item('n3'), item('n2')]]]))
  assert.deepEqual(
    rows.map((r) => r.kind),
    ['group', 'item', 'item', 'rest'],
  )
  assert.equal(rows[3]?.kind === 'rest' && rows[3].count, 3)
})

test('rows that are newer than one are counted', () => {
  const rows = rowsOf({ items: [item('n4'), item('n3'), item('n1')], groups: null }, new Map())
  assert.deepEqual([newer(rows, 'n4'), newer(rows, 'n2'), newer(rows, 'n0'), newer(rows, '')], [0, 2, 3, 0])
})

test('a step goes from the row, or from its place when it has gone', () => {
  const rows = rowsOf({ items: [item('c'), item('b'), item('a')], groups: null }, new Map())
  assert.deepEqual(keys(rows), ['c', 'b', 'a'])
  assert.equal(step(rows, 'b', 1, 1), 2)
  assert.equal(step(rows, 'a', 2, 1), 2)
  assert.equal(step(rows, '', -1, 1), 0)
  assert.equal(step(rows, 'gone', 1, 1), 1)
  assert.equal(step(rows, 'gone', 1, -1), 0)
  assert.equal(step([], 'b', 1, 1), -1)
})

test('a selection is toggled, extended, and kept among what is shown', () => {
  const order = ['d', 'c', 'b', 'a']
  const one = new Selection().toggle('c')
  assert.deepEqual([...one.extend('a', order).ids], ['c', 'b', 'a'])
  assert.deepEqual([...one.extend('d', order).ids], ['c', 'd'])
  assert.equal(one.toggle('c').size, 0)
  assert.deepEqual([...one.extend('a', order).among(['c', 'a']).ids], ['c', 'a'])
})
