import { createClient } from '@fanfare/client'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { json, serve } from '../../client/test/server.ts'
import { globOf } from '../../console/src/views/activity/matches.ts'
import { chosenLevel, followItems, levelItems } from '../src/following/choices.ts'
import { FollowStore, pages } from '../src/following/store.ts'
import { type FollowTarget, followTexts, levelText } from '../src/following/texts.ts'
import type { MenuItem } from '../src/menu.ts'
import { customSnooze, localValue, snoozeChoices } from '../src/notifications/snooze.ts'
import { literal } from '../src/notifications/stop.ts'
import { type Person, search } from '../src/preferences/people.ts'

/** storeOf returns a store of what a person follows, and of its levels. */
async function storeOf(t: TestContext, subscriptions: object[], levels: object[]): Promise<FollowStore> {
  const baseUrl = await serve(t, (request) =>
    json({ items: request.url.includes('watch-levels') ? levels : subscriptions, next_cursor: null }),
  )
  const store = FollowStore.of(createClient({ baseUrl }))
  await store.load()
  return store
}

const follows = (resource_id: string, scope: string) => ({
  id: `s-${resource_id}-${scope}`,
  group_id: null,
  resource_id,
  scope,
})
const level = (resource_id: string, name: string, scope: string, patterns: string[] = []) => ({
  resource_id,
  level: name,
  scope,
  patterns,
})
const task: FollowTarget = {
  id: 'task',
  name: 'Task',
  hasChildren: false,
  ancestors: [
    { id: 'root', name: 'Root' },
    { id: 'board', name: 'Board' },
  ],
}
const board: FollowTarget = { id: 'board', name: 'Board', hasChildren: true, ancestors: task.ancestors.slice(0, 1) }
const ids = (items: readonly MenuItem[]): string[] => items.flatMap((i) => i.id ?? [])
const checked = (items: readonly MenuItem[]): string[] => ids(items.filter((i) => i.checked))

test('the nearest resource above that is followed with all below decides, and one own before it', async (t) => {
  const store = await storeOf(
    t,
    [follows('root', 'descendants'), follows('board', 'resource'), follows('task', 'resource')],
    [],
  )
  assert.deepEqual(store.follows('task', ['root', 'board']), { value: 'resource', from: 'task' })
  assert.deepEqual(store.follows('other', ['root', 'board']), { value: 'descendants', from: 'root' })
  assert.equal(store.follows('other', ['board']), undefined, 'followed alone')

  const items = followItems(store, { ...task, id: 'other' }, followTexts)
  assert.deepEqual(items[0], { heading: 'Through Root' })
  assert.deepEqual([ids(items), checked(items)], [['follow-resource', 'follow-none'], ['follow-none']])
  const own = followItems(store, board, followTexts)
  assert.deepEqual(ids(own), ['follow-resource', 'follow-descendants', 'follow-none'])
  assert.deepEqual(checked(own), ['follow-resource'])
})

test('one that is followed in both ways is followed with all below', async (t) => {
  const store = await storeOf(t, [follows('board', 'resource'), follows('board', 'descendants')], [])
  assert.equal(store.own('board'), 'descendants')
  assert.deepEqual(checked(followItems(store, board, followTexts)), ['follow-descendants'])
})

test('the level of the nearest resource above, and what a choice sets', async (t) => {
  const store = await storeOf(
    t,
    [],
    [
      level('root', 'ignore', 'descendants'),
      level('board', 'custom', 'descendants', ['a', 'b']),
      level('leaf', 'all', 'resource'),
    ],
  )
  assert.equal(store.level('task', ['root', 'board'])?.from, 'board')
  assert.equal(store.level('task', ['root', 'leaf'])?.from, 'root', 'that of leaf is of leaf alone')
  assert.equal(store.level('task', [])?.from, undefined)

  const items = levelItems(store, task, followTexts)
  const same = items.find((i) => i.id === 'level-none')
  assert.deepEqual([same?.label, same?.hint], ['Same as Board', 'The level there is Chosen: 2 patterns.'])
  assert.deepEqual([checked(items), ids(items).includes('below')], [['level-none'], false])
  assert.deepEqual(checked(levelItems(store, board, followTexts)), ['level-custom', 'below'])

  const cases: [target: FollowTarget, id: string, chosen: unknown][] = [
    [task, 'level-none', undefined],
    [task, 'level-all', { level: 'all', scope: 'resource', patterns: [] }],
    [{ ...task, hasChildren: true }, 'level-all', { level: 'all', scope: 'descendants', patterns: [] }],
    [task, 'below', undefined],
    [board, 'below', { level: 'custom', scope: 'resource', patterns: ['a', 'b'] }],
    [board, 'level-custom', { level: 'custom', scope: 'descendants', patterns: ['a', 'b'] }],
    [board, 'level-ignore', { level: 'ignore', scope: 'descendants', patterns: [] }],
  ]
  for (const [target, id, chosen] of cases) assert.deepEqual(chosenLevel(id, store, target), chosen, id)
  assert.equal(levelText({ level: 'custom', patterns: ['a'] }, followTexts), 'Chosen: 1 pattern')
})

test('a list of more pages than are read is not complete', async () => {
  let asked = 0
  const endless = await pages(({ cursor }) => {
    asked++
    return Promise.resolve({ items: [cursor ?? 'first'], next_cursor: String(asked) })
  })
  assert.deepEqual([endless.complete, endless.items.length, endless.items[1]], [false, 50, '1'])
  const short = await pages(() => Promise.resolve({ items: ['one'], next_cursor: null }))
  assert.deepEqual(short, { items: ['one'], complete: true })
})

test('the times until which one can snooze', () => {
  const offered = (now: string) => snoozeChoices(new Date(now)).map((c) => [c.id, localValue(c.until)])
  assert.deepEqual(offered('2026-03-10T14:00'), [
    ['hours', '2026-03-10T17:00'],
    ['tomorrow', '2026-03-11T09:00'],
    ['week', '2026-03-16T09:00'],
    ['month', '2026-04-09T09:00'],
  ])
  assert.deepEqual(
    offered('2026-03-15T14:00').map(([id]) => id),
    ['hours', 'tomorrow', 'month'],
    'on a Sunday, next week is tomorrow',
  )
  assert.deepEqual(offered('2026-03-16T14:00')[2], ['week', '2026-03-23T09:00'], 'on a Monday')

  const now = new Date('2026-03-10T14:00')
  const cases: [value: string, chosen: boolean][] = [
    ['', false],
    ['2026-03-10T14:00', false],
    ['2026-03-10T14:01', true],
    ['2027-03-11T13:00', true],
    ['2027-03-12T14:00', false],
  ]
  for (const [value, chosen] of cases) assert.equal(customSnooze(value, now) !== undefined, chosen, value)
})

test('the pattern of an action matches it alone', () => {
  for (const action of ['comment.created', 'a*b', 'a?b', '[ab]', 'a\\b', '[!x]*\\?', ']', 'a-b']) {
    const pattern = globOf(literal(action))
    assert.ok(pattern.test(action), action)
    for (const other of ['', 'a', 'aab', 'axb', 'a\\\\b', `${action}x`, `x${action}`]) {
      assert.equal(pattern.test(other), other === action, `${literal(action)} and ${other}`)
    }
  }
})

test('people are found by a part of their name, 20 at most', () => {
  const people = Array.from({ length: 30 }, (_, n) => ({ display_name: `Ada ${n}` }) as Person)
  people.push({ display_name: 'ÉMILE' } as Person)
  assert.equal(search(people, ' ada ').length, 20)
  assert.deepEqual(
    search(people, 'émi').map((p) => p.display_name),
    ['ÉMILE'],
  )
  assert.deepEqual(search(people, 'zoe'), [])
})
