import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isID } from '../src/parts/is_id.ts'
import { loaded } from '../src/parts/part.ts'
import { href, placeOf, type QueryChange, withQuery } from '../src/router.ts'
import { may, type Me } from '../src/sign_in/me.ts'
import { filed, many, quiet, verbOf } from '../src/views/inbox/actions.ts'
import { joined } from '../src/views/operations/pages.ts'

test('places of addresses', () => {
  const cases: [address: string, view: string, path: string[]][] = [
    ['/console/', '', []],
    ['/console/inbox', 'inbox', []],
    ['/console//inbox/', 'inbox', []],
    ['/console/activity/a%2Fb/c', 'activity', ['a/b', 'c']],
    ['/console/%E0%A4%A/x', '%E0%A4%A', ['x']],
    ['/console/taxonomy/comment.%2A', 'taxonomy', ['comment.*']],
  ]
  for (const [address, view, path] of cases) {
    const place = placeOf(new URL(address, 'http://console'))
    assert.deepEqual([place.view, place.path], [view, path], address)
  }
  assert.equal(placeOf(new URL('http://console/console/inbox?q=a+b&q=c')).query.get('q'), 'a b')
})

test('addresses of places lead back to them', () => {
  for (const part of ['a', 'a/b', '?x=1', '#x', 'ä b', '100%']) {
    const address = href('activity', [part], { q: part })
    const place = placeOf(new URL(address, 'http://console'))
    assert.deepEqual([place.view, place.path, place.query.get('q')], ['activity', [part], part], address)
  }
  assert.equal(href('inbox'), '/console/inbox')
  assert.equal(href('inbox', [], { q: '' }), '/console/inbox')
})

test('changes of a query', () => {
  const cases: [before: string, change: QueryChange, after: string][] = [
    ['a=1&b=2', { a: null }, 'b=2'],
    ['a=1&b=2', { a: 3 }, 'b=2&a=3'],
    ['a=1', { a: '', b: undefined, c: false }, ''],
    ['', { a: true, b: 0 }, 'a=true&b=0'],
    ['a=1&a=2', { a: ['3', '4'] }, 'a=3&a=4'],
    ['a=1', { a: [] }, ''],
    ['a=1&b=2', {}, 'a=1&b=2'],
  ]
  for (const [before, change, after] of cases) {
    assert.equal(withQuery(new URLSearchParams(before), change).toString(), after, JSON.stringify(change))
  }
})

test('what a caller may do', () => {
  const cases: [scopes: string[], scope: string, allowed: boolean][] = [
    [[], 'activity:read', false],
    [['activity:read'], 'activity:read', true],
    [['activity:admin'], 'activity:read', true],
    [['activity:read'], 'activity:admin', false],
    [['activity:admin'], 'installation:read', false],
    [['installation:read'], 'activity:read', false],
  ]
  for (const [scopes, scope, allowed] of cases) assert.equal(may({ scopes } as unknown as Me, scope), allowed, scope)
})

test('changes of notifications in words', () => {
  const cases: [changes: Parameters<typeof verbOf>[0], verb: string, silent: boolean][] = [
    [{ read: true }, 'marked as read', true],
    [{ read: false }, 'marked as unread', true],
    [{ seen: true }, 'marked as seen', true],
    [{ seen: false }, 'marked as unseen', true],
    [{ archived: true }, 'archived', false],
    [{ archived: false }, 'moved to the inbox', false],
    [{ snoozed_until: '2026-01-01T00:00:00Z' }, 'snoozed', false],
    [{ snoozed_until: null }, 'moved to the inbox', false],
    [{ archived: true, read: true }, 'archived', false],
  ]
  for (const [changes, verb, silent] of cases) assert.deepEqual([verbOf(changes), quiet(changes)], [verb, silent])
  assert.deepEqual([many(1), many(2)], ['1 notification', '2 notifications'])
  const n = (archived_at: string | null, snoozed_until: string | null) =>
    filed({ archived_at, snoozed_until } as Parameters<typeof filed>[0])
  assert.deepEqual([n(null, null), n('t', null), n(null, 't')], [false, true, true])
})

test('a part that fails keeps what it had', async () => {
  const error = new Error('no')
  assert.deepEqual(await loaded({}, Promise.resolve(1)), { value: 1 })
  assert.deepEqual(await loaded({ value: 1, error }, Promise.resolve(2)), { value: 2 })
  assert.deepEqual(await loaded({ value: 0 }, Promise.reject(error)), { value: 0, error })
  assert.deepEqual(await loaded({}, Promise.reject(error)), { error })
})

test('pages are joined without repetitions', () => {
  const keyOf = (n: number): string => String(n)
  const first = { items: [1, 2], next_cursor: 'a' }
  assert.deepEqual(joined(undefined, first, keyOf), first)
  assert.deepEqual(joined(first, { items: [2, 3], next_cursor: null }, keyOf), { items: [1, 2, 3], next_cursor: null })
})

test('ids', () => {
  assert.equal(isID('0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f'), true)
  for (const text of ['', 'grace', '0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6', 'x0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f']) {
    assert.equal(isID(text), false, text)
  }
})
