import { createClient } from '@fanfare/client'
import { FollowStore, type LevelChange, type Subscription } from '@fanfare/elements/following/store'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { json, problem, serve } from '../../client/test/server.ts'
import { type BulkAction, runBulk } from '../src/views/following/bulk.ts'
import { pathOf, placed } from '../src/views/following/followed.ts'
import {
  above,
  byName,
  nameOf,
  type Node,
  nodeOf,
  type Row,
  rowsOf,
  withChildren,
} from '../src/views/following/tree.ts'
import type { Resource } from '../src/views/following/tree.ts'

const resource = (id: string, name = id, type = 'folder'): Resource =>
  ({ resource_id: id, name, type, has_children: true, owner: false, roles: [] }) as unknown as Resource
const resources = (...ids: string[]): Resource[] => ids.map((id) => resource(id))
const shown = (rows: readonly Row[]): string[] =>
  rows.map((r) => `${r.kind === 'node' ? '' : `${r.kind} `}${r.node.resource.resource_id}`)

test('resources are sorted by name, numbers by their value, and are named by their type without one', () => {
  const cases: [names: string[], sorted: string[]][] = [
    [
      ['Sprint 10', 'Sprint 9', 'sprint 1'],
      ['sprint 1', 'Sprint 9', 'Sprint 10'],
    ],
    [
      ['ä', 'z', 'a'],
      ['a', 'ä', 'z'],
    ],
    [
      ['', ' '],
      ['', ' '],
    ],
  ]
  for (const [names, sorted] of cases) {
    const list = byName(names.map((name, n) => resource(`id-${n}`, name)))
    assert.deepEqual(
      list.map((r) => r.name),
      sorted,
    )
  }
  assert.equal(nameOf({ name: '  ', type: 'task' }), 'task')
  assert.equal(nameOf({ name: ' A ', type: 'task' }), 'A')
})

test('the rows of a tree', () => {
  const root = nodeOf(resource('a'))
  const rows = (change: Partial<Node>): string[] => {
    Object.assign(root, { open: true, loading: false, error: undefined, cursor: null }, change)
    return shown(rowsOf([root, nodeOf(resource('z'))]))
  }
  assert.deepEqual(rows({ loading: true }), ['a', 'loading a', 'z'])
  assert.deepEqual(rows({ error: new Error('no') }), ['a', 'failed a', 'z'])
  withChildren(root, resources('a2', 'a1'), 'next')
  assert.deepEqual(rows({ cursor: 'next' }), ['a', 'a1', 'a2', 'more a', 'z'])
  assert.deepEqual(rows({ cursor: 'next', loading: true }), ['a', 'a1', 'a2', 'loading a', 'z'])
  assert.deepEqual(rows({ open: false, cursor: 'next' }), ['a', 'z'])

  const [first] = root.children ?? []
  assert.ok(first)
  first.open = true
  withChildren(first, resources('deep'), null)
  assert.deepEqual(rows({}), ['a', 'a1', 'deep', 'a2', 'z'])
  const [deep] = first.children ?? []
  assert.ok(deep)
  assert.equal(deep.depth, 2)
  assert.deepEqual(
    above(deep).map((r) => r.resource_id),
    ['a', 'a1'],
  )
})

test('further children follow those that are there, each once', () => {
  const root = nodeOf(resource('a'))
  withChildren(root, resources('b', 'c'), 'next')
  root.error = new Error('no')
  root.loading = true
  withChildren(root, resources('c', 'a0'), null)
  assert.deepEqual(
    root.children?.map((c) => c.resource.resource_id),
    ['b', 'c', 'a0'],
  )
  assert.deepEqual([root.cursor, root.loading, root.error], [null, false, undefined])
})

test('a found resource is placed below its ancestors', () => {
  const node = placed(resource('c'), [resource('a', 'Atlas'), resource('b', '', 'board')])
  assert.deepEqual([pathOf(node), node.depth], ['Atlas / board', 2])
  assert.equal(pathOf(placed(resource('a'), [])), '')
})

/** api keeps subscriptions and levels as the API does. It refuses the resource `gone`, and for `later` fails. */
class API {
  requests: string[] = []
  subscriptions: Subscription[] = []
  levels = new Map<string, string>()
  #next = 1

  add(id: string, scope: Subscription['scope']): Subscription {
    const found = this.subscriptions.find((s) => s.resource_id === id && s.scope === scope)
    if (found) return found
    const made: Subscription = {
      id: `s${this.#next++}`,
      tenant_id: '',
      principal_id: '',
      group_id: null,
      resource_id: id,
      scope,
      created_at: '',
    }
    this.subscriptions.push(made)
    return made
  }

  async answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    const id = pathname.split('/').at(-1) ?? ''
    if (request.method !== 'GET') this.requests.push(`${request.method} ${pathname.replace('/v1/', '')}`)
    const path = `${request.method} ${pathname}`
    if (path === 'GET /v1/subscriptions') return json({ items: this.subscriptions, next_cursor: null })
    if (path === 'GET /v1/watch-levels') {
      const items = [...this.levels].map(([resource_id, level]) => ({ resource_id, level, scope: 'resource' }))
      return json({ items, next_cursor: null })
    }
    if (path === 'POST /v1/subscriptions/bulk') {
      const { subscriptions } = (await request.json()) as { subscriptions: Subscription[] }
      if (subscriptions.some((s) => s.resource_id === 'later')) return problem(503, 'unavailable')
      const results = subscriptions.map(({ resource_id, scope }) =>
        resource_id === 'gone'
          ? { status: 404, resource_id, scope, problem: '/problems/not-found' }
          : { status: 201, resource_id, scope, subscription: this.add(resource_id, scope) },
      )
      return json({ results })
    }
    if (path === 'POST /v1/subscriptions') {
      const { resource_id, scope } = (await request.json()) as Subscription
      return json(this.add(resource_id, scope), 201)
    }
    if (pathname.startsWith('/v1/subscriptions/')) {
      this.subscriptions = this.subscriptions.filter((s) => s.id !== id)
      return new Response(null, { status: 204 })
    }
    if (id === 'gone') return problem(404, 'not-found')
    if (request.method === 'DELETE') {
      this.levels.delete(id)
      return new Response(null, { status: 204 })
    }
    const level = (await request.json()) as { level: string }
    this.levels.set(id, level.level)
    return json({ resource_id: id, scope: 'resource', patterns: [], updated_at: '', ...level })
  }

  /** follows returns what is followed, such as `a resource`. */
  get follows(): string[] {
    return this.subscriptions.map((s) => `${s.resource_id} ${s.scope}`).sort()
  }
}

async function bulk(t: TestContext, api: API, ids: readonly string[], action: BulkAction) {
  const store = FollowStore.of(createClient({ baseUrl: await serve(t, (request) => api.answer(request)) }))
  await store.load()
  const progress: number[] = []
  const result = await runBulk(store, ids, action, (done) => progress.push(done))
  return { store, progress, result }
}

test('many are followed by one request, and one that fails does not affect the others', async (t) => {
  const api = new API()
  api.add('kept', 'descendants')
  api.add('wider', 'resource')
  const { result, store, progress } = await bulk(t, api, ['kept', 'wider', 'new', 'gone'], { follow: 'descendants' })
  assert.deepEqual(result.done.sort(), ['kept', 'new', 'wider'])
  assert.deepEqual(result.failed, [{ id: 'gone', why: 'It was removed, or you may no longer see it.' }])
  assert.deepEqual(api.follows, ['kept descendants', 'new descendants', 'wider descendants'])
  assert.equal(api.requests.filter((r) => r === 'POST subscriptions/bulk').length, 1)
  assert.equal(progress.at(-1), 4)
  assert.equal(store.own('new'), 'descendants')
  await result.undo()
  assert.deepEqual(api.follows, ['kept descendants', 'wider resource'])
  assert.equal(store.own('new'), undefined)
})

test('a part of 100 that fails leaves the other parts', async (t) => {
  const api = new API()
  const ids = Array.from({ length: 150 }, (_, n) => (n === 120 ? 'later' : `r${n}`))
  const { result, progress } = await bulk(t, api, ids, { follow: 'resource' })
  assert.deepEqual([result.done.length, result.failed.length], [100, 50])
  assert.deepEqual(progress, [100, 150])
  assert.equal(api.subscriptions.length, 100)
})

test('many are no longer followed, and levels are set and removed, with undo', async (t) => {
  const api = new API()
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) api.add(id, 'resource')
  const ids = ['a', 'b', 'c', 'd', 'e', 'f']
  const stopped = await bulk(t, api, ids, { unfollow: true })
  assert.deepEqual([stopped.result.done.length, api.follows], [6, []])
  await stopped.result.undo()
  assert.equal(api.follows.length, 6)

  const level: LevelChange = { level: 'ignore', scope: 'descendants', patterns: [] }
  api.levels.set('b', 'all')
  const set = await bulk(t, api, ['a', 'b', 'gone'], { level })
  assert.deepEqual(
    set.result.failed.map((f) => f.id),
    ['gone'],
  )
  assert.deepEqual(Object.fromEntries(api.levels), { a: 'ignore', b: 'ignore' })
  await set.result.undo()
  assert.deepEqual(Object.fromEntries(api.levels), { b: 'all' })
  const removed = await bulk(t, api, ['b'], { level: undefined })
  assert.deepEqual([removed.result.done, api.levels.size], [['b'], 0])
})
