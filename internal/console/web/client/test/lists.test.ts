import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient, type Notification, type NotificationChanges } from '@fanfare/client'
import { apply, filtered, find, inState, inverse, newestFirst, placeOf, recount } from '../src/inbox_state.ts'
import { inverses, mark, send } from '../src/marks.ts'
import { reaches, readNewest } from '../src/newest.ts'
import { json, serve } from './server.ts'

const at = '2026-01-01T00:00:00Z'
const later = '2026-02-01T00:00:00Z'

function row(id: string, fields: Partial<Notification> = {}): Notification {
  const none = { seen_at: null, read_at: null, archived_at: null, snoozed_until: null }
  return { id, ...none, ...fields } as Notification
}

const rows = (...ids: string[]): Notification[] => ids.map((id) => row(id))
const ids = (list: readonly Notification[]): string => list.map((n) => n.id).join('')

test('what a change makes of a notification, and the change back', () => {
  const now = new Date(later)
  const cases: { was: Partial<Notification>; change: NotificationChanges; is: Partial<Notification> }[] = [
    { was: {}, change: { read: true }, is: { read_at: now.toISOString(), seen_at: now.toISOString() } },
    { was: { seen_at: at, read_at: at }, change: { read: true }, is: {} },
    { was: { seen_at: at, read_at: at }, change: { read: false }, is: { read_at: null } },
    {
      was: {},
      change: { seen: true, archived: true },
      is: { seen_at: now.toISOString(), archived_at: now.toISOString() },
    },
    { was: { archived_at: at }, change: { archived: false }, is: { archived_at: null } },
    { was: { read_at: at, seen_at: at }, change: { snoozed_until: later }, is: { snoozed_until: later } },
    { was: { snoozed_until: later }, change: { snoozed_until: null }, is: { snoozed_until: null } },
    { was: {}, change: {}, is: {} },
  ]
  const flags = (n: Notification) => [n.seen_at, n.read_at, n.archived_at, n.snoozed_until].map((v) => v !== null)
  for (const { was, change, is } of cases) {
    const before = row('a', was)
    const after = apply(before, change, now)
    assert.deepEqual(after, { ...before, ...is }, JSON.stringify(change))
    assert.deepEqual(flags(apply(after, inverse(before, change), now)), flags(before), JSON.stringify(change))
  }
})

test('the states of a notification', () => {
  const cases: [fields: Partial<Notification>, states: string[]][] = [
    [{}, ['inbox', 'unread', 'unseen', 'all']],
    [{ seen_at: at }, ['inbox', 'unread', 'all']],
    [{ seen_at: at, read_at: at }, ['inbox', 'all']],
    [{ archived_at: at }, ['archived', 'all']],
    [{ snoozed_until: at }, ['snoozed', 'all']],
    [{ snoozed_until: at, archived_at: at }, ['archived', 'all']],
  ]
  const states = ['inbox', 'unread', 'unseen', 'archived', 'snoozed', 'all'] as const
  for (const [fields, want] of cases) {
    const got = states.filter((state) => inState(row('a', fields), state))
    assert.deepEqual(got, want, JSON.stringify(fields))
  }
})

test('counts follow changes, but for those that are a floor', () => {
  const counts = { inbox: 2, unread: 10_000, unseen: 0, archived: 0, snoozed: 0 }
  const was = rows('a', 'b')
  const is = was.map((n) => apply(n, { archived: true, read: true }))
  assert.deepEqual(recount(counts, was, is), { inbox: 0, unread: 10_000, unseen: 0, archived: 2, snoozed: 0 })
  assert.equal(recount(undefined, was, is), undefined)
})

test('an ordered list: places, and what is added', () => {
  const list = rows('f', 'd', 'b')
  for (const [id, place] of Object.entries({ g: 0, f: 0, e: 1, d: 1, b: 2, a: 3 }))
    assert.equal(placeOf(list, id), place)
  assert.equal(find(list, 'd')?.id, 'd')
  assert.equal(find(list, 'c'), undefined)
  const cases: [ordered: string, added: string, all: string][] = [
    ['', 'ab', 'ba'],
    ['fdb', '', 'fdb'],
    ['fdb', 'g', 'gfdb'],
    ['fdb', 'ae', 'fedba'],
    ['fdb', 'dbf', 'fdb'],
    ['fdb', 'cc', 'fdcb'],
  ]
  for (const [ordered, added, all] of cases) {
    assert.equal(ids(newestFirst(rows(...ordered), rows(...added))), all, `${ordered} and ${added}`)
  }
  const read = row('d', { read_at: at })
  assert.equal(find(newestFirst(list, [read]), 'd'), read, 'the one that is added replaces the other')
})

test('queries whose lists may lack what is new', () => {
  assert.equal(filtered({ state: 'inbox' }), false)
  assert.equal(filtered({ state: 'unread' }), false)
  assert.equal(filtered({ state: 'archived' }), true)
  assert.equal(filtered({ q: 'a' }), true)
})

test('the newest rows are read until they reach those that are shown', async () => {
  const all = 'zyxwvutsrqponmlkjihgfedcba'
  const read = async (limit: number, shown: string) => {
    const limits: number[] = []
    const page = await readNewest(
      (cursor, size) => {
        limits.push(size)
        const from = Number(cursor ?? 0)
        const to = Math.min(from + Math.min(size, 5), all.length)
        const next_cursor = to < all.length ? String(to) : null
        return Promise.resolve({ items: rows(...all.slice(from, to)), groups: null, next_cursor })
      },
      limit,
      shown ? row(shown) : undefined,
    )
    return [ids(page.items), limits.length]
  }
  assert.deepEqual(await read(5, 'z'), ['zyxwv', 1])
  assert.deepEqual(await read(5, 'q'), ['zyxwvutsrq', 2])
  assert.deepEqual(await read(5, 'p'), ['zyxwvutsrqponml', 3])
  assert.deepEqual(await read(5, ''), [all, 6], 'nothing is shown: all, as far as the pages go')
  assert.equal(reaches([], row('a')), false)
})

test('changes are sent in parts, and reversed to what each notification was', async (t) => {
  const requests: { path: string; body: Record<string, unknown> }[] = []
  let cursor: string | null = 'more'
  const baseUrl = await serve(t, async (request) => {
    const path = `${request.method} ${new URL(request.url).pathname}`
    const body = (await request.json()) as Record<string, unknown>
    requests.push({ path, body })
    const answer = { count: 600, ids: Array.from({ length: 600 }, (_, n) => String(n)), next_cursor: cursor }
    cursor = null
    return json(answer)
  })
  const client = createClient({ baseUrl })
  await send(client, ['a'], { read: true })
  await send(
    client,
    Array.from({ length: 1001 }, (_, n) => String(n)),
    { read: true },
  )
  assert.deepEqual(
    requests.map((r) => [r.path, (r.body['ids'] as string[] | undefined)?.length]),
    [
      ['PATCH /v1/notifications/a', undefined],
      ['POST /v1/notifications/mark', 1000],
      ['POST /v1/notifications/mark', 1],
    ],
  )
  requests.length = 0
  cursor = 'more'
  const progress: number[] = []
  const query = { state: 'unread', group_by: 'burst' } as const
  const marked = await mark(client, query, { read: true }, { upTo: 'z', progress: (n) => progress.push(n) })
  assert.deepEqual(marked, { count: 1200, ids: null }, 'more than 1,000 cannot be reversed')
  assert.deepEqual(progress, [600, 1200])
  assert.deepEqual(
    requests.map((r) => [r.body['filter'], r.body['up_to'], r.body['cursor']]),
    [
      [{ state: 'unread' }, 'z', undefined],
      [{ state: 'unread' }, 'z', 'more'],
    ],
  )
  assert.deepEqual(inverses([row('a'), row('b', { seen_at: at, read_at: at })], ['a', 'b', 'c'], { read: true }), [
    { ids: ['a'], changes: { seen: false, read: false } },
    { ids: ['b'], changes: { seen: true, read: true } },
    { ids: ['c'], changes: { read: false } },
  ])
})
