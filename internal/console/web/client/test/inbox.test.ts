import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  createClient,
  InboxStore,
  type Notification,
  type NotificationChanges,
  Realtime,
  type RealtimeListener,
} from '@fanfare/client'
import { newestFirst } from '../src/inbox_state.ts'
import { json, problem, serve } from './server.ts'

/** server keeps an inbox as the API does, as far as these tests ask. */
class Server {
  rows: Notification[] = []
  requests: string[] = []
  refuse = false
  /** Delays the answers to GET requests. */
  delay: Promise<unknown> | undefined
  /** Delays changes, before they are made. */
  hold: Promise<unknown> | undefined

  add(id: string): Notification {
    const at = '2026-01-01T00:00:00Z'
    const row = {
      id,
      reasons: ['owner'],
      group_id: null,
      created_at: at,
      seen_at: null,
      read_at: null,
      archived_at: null,
      snoozed_until: null,
      event: { event_id: id },
    } as unknown as Notification
    this.rows.unshift(row)
    return row
  }

  async answer(request: Request): Promise<Response> {
    const { delay } = this
    const answer = await this.#answer(request)
    if (request.method === 'GET') await delay
    return answer
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url)
    this.requests.push(`${request.method} ${url.pathname}`)
    const inbox = this.rows.filter((r) => !r.archived_at && !r.snoozed_until)
    const unread = inbox.filter((r) => !r.read_at).length
    if (url.pathname === '/v1/notifications/counts') {
      return json({
        inbox: inbox.length,
        unread,
        unseen: inbox.filter((r) => !r.seen_at).length,
        archived: this.rows.filter((r) => r.archived_at).length,
        snoozed: 0,
      })
    }
    if (request.method === 'GET') {
      const from = Number(url.searchParams.get('cursor') ?? 0)
      const to = from + Number(url.searchParams.get('limit'))
      return json({
        items: inbox.slice(from, to),
        groups: null,
        unread_count: unread,
        next_cursor: to < inbox.length ? String(to) : null,
      })
    }
    await this.hold
    if (this.refuse) return problem(503, 'unavailable')
    const body = (await request.json()) as { ids?: string[]; changes: NotificationChanges } & NotificationChanges
    const ids = body.ids ?? [url.pathname.split('/').at(-1)]
    const changes = body.changes ?? body
    for (const row of this.rows.filter((r) => ids.includes(r.id))) change(row, changes)
    return json(body.ids ? { count: ids.length, ids, next_cursor: null } : this.rows[0])
  }
}

function change(row: Notification, changes: NotificationChanges): void {
  const at = '2026-01-01T00:00:01Z'
  if (changes.seen !== undefined) row.seen_at = changes.seen ? at : null
  if (changes.read !== undefined) row.read_at = changes.read ? at : null
  if (changes.read) row.seen_at ??= at
  if (changes.archived !== undefined) row.archived_at = changes.archived ? at : null
  if (changes.snoozed_until !== undefined) row.snoozed_until = changes.snoozed_until ?? null
}

async function loaded(t: TestContext, rows: number, pageSize = 10): Promise<{ server: Server; store: InboxStore }> {
  const server = new Server()
  for (let i = 0; i < rows; i++) server.add(`n${String(i).padStart(3, '0')}`)
  const baseUrl = await serve(t, (request) => server.answer(request))
  const store = new InboxStore(createClient({ baseUrl }), { pageSize })
  await store.load({})
  await store.refreshCounts()
  return { server, store }
}

const ids = (store: InboxStore): string[] => store.state.items.map((n) => n.id)

test('pages follow each other', async (t) => {
  const { store } = await loaded(t, 25)
  assert.equal(store.state.more, true)
  await store.loadMore()
  await store.loadMore()
  assert.equal(store.state.more, false)
  assert.equal(new Set(ids(store)).size, 25)
  assert.deepEqual(ids(store), ids(store).toSorted().reverse())
})

test('a change shows at once, counts, and can be undone', async (t) => {
  const { server, store } = await loaded(t, 3)
  const changed = store.change(['n001'], { archived: true })
  assert.deepEqual(ids(store), ['n002', 'n000'])
  assert.deepEqual([store.state.counts?.inbox, store.state.counts?.archived, store.state.counts?.unread], [2, 1, 2])
  const undo = await changed
  assert.notEqual(server.rows[1]?.archived_at, null)
  await undo()
  assert.equal(server.rows[1]?.archived_at, null)
  assert.deepEqual(ids(store), ['n002', 'n001', 'n000'])
  assert.deepEqual([store.state.counts?.inbox, store.state.counts?.unread], [3, 3])
})

test('an undo makes each notification what it was', async (t) => {
  const { server, store } = await loaded(t, 3)
  await store.change(['n000'], { read: true })
  const undo = await store.change(['n000', 'n001'], { read: true })
  await undo()
  assert.deepEqual(
    server.rows.map((r) => r.read_at !== null),
    [false, false, true],
  )
})

test('a change that is refused is taken back', async (t) => {
  const { server, store } = await loaded(t, 3)
  server.refuse = true
  const changed = store.change(['n001', 'n002'], { archived: true })
  assert.deepEqual(ids(store), ['n000'])
  await assert.rejects(changed, { name: 'ProblemError', status: 503 })
  assert.deepEqual(ids(store), ['n002', 'n001', 'n000'])
  assert.equal(store.state.counts?.inbox, 3)
})

test('a refresh adds what is new and removes what has gone elsewhere', async (t) => {
  const { server, store } = await loaded(t, 25)
  await store.loadMore()
  server.add('n025')
  change(server.rows[3] as Notification, { archived: true })
  const gone = server.rows[3]?.id ?? ''
  await store.refresh()
  assert.equal(ids(store)[0], 'n025')
  assert.equal(ids(store).includes(gone), false)
  assert.equal(ids(store).length, 20)
  await store.loadMore()
  assert.equal(new Set(ids(store)).size, 25)
})

test('more arrive than a page holds', async (t) => {
  const { server, store } = await loaded(t, 12)
  for (let i = 100; i < 160; i++) server.add(`n${i}`)
  await store.refresh()
  while (store.state.more) await store.loadMore()
  assert.equal(ids(store).length, 72)
})

test('many refreshes at once are few requests', async (t) => {
  const { server, store } = await loaded(t, 3)
  server.requests.length = 0
  await Promise.all(Array.from({ length: 200 }, () => store.refresh()))
  assert.equal(server.requests.length, 2)
})

test('a list that cannot be loaded has its error, and can be retried', async (t) => {
  let down = true
  const server = new Server()
  const baseUrl = await serve(t, (request) => (down ? problem(503, 'unavailable') : server.answer(request)))
  const store = new InboxStore(createClient({ baseUrl }))
  await store.load({ state: 'unread' })
  assert.equal(store.state.phase, 'failed')
  down = false
  await store.retry()
  assert.equal(store.state.phase, 'ready')
  assert.deepEqual(store.state.query, { state: 'unread' })
})

/** Channel is a connection on which a test publishes. */
class Channel extends Realtime {
  #on: RealtimeListener = {}

  override listen(listener: RealtimeListener): () => void {
    this.#on = listener
    return () => {}
  }

  override async start(): Promise<void> {}

  publish(id: string): void {
    this.#on.event?.({ event_id: id } as Notification['event'])
  }
}

test('a notification that commits after its event is shown and counted', async (t) => {
  const server = new Server()
  server.add('n000')
  let uncommitted: Notification | undefined
  let reads = 0
  const baseUrl = await serve(t, (request) => {
    if (uncommitted && request.url.includes('/v1/notifications?') && ++reads > 2) {
      server.rows.unshift(uncommitted)
      uncommitted = undefined
    }
    return server.answer(request)
  })
  const client = createClient({ baseUrl })
  const realtime = new Channel(client)
  const store = new InboxStore(client, { realtime })
  t.after(() => store.stop())
  await store.load({})
  store.start()
  const shown = new Promise<void>((resolve) => {
    store.subscribe(() => {
      if (store.state.items.length === 2 && store.state.counts?.unread === 2) resolve()
    })
  })
  uncommitted = server.add('n001')
  server.rows.shift()
  realtime.publish('n001')
  await shown
  assert.deepEqual(ids(store), ['n001', 'n000'])
})

test('a list of many rows keeps them when more arrive than a page holds, and has no gap', async (t) => {
  const { server, store } = await loaded(t, 900, 100)
  while (store.state.more) await store.loadMore()
  for (let i = 900; i < 1500; i++) server.add(`n${i < 1000 ? i : `z${i}`}`)
  await store.refresh()
  assert.equal(ids(store).length, 1500)
  assert.deepEqual(
    ids(store),
    server.rows.map((n) => n.id),
  )
})

test('ordered lists are merged, and later ones replace', () => {
  const list = (...names: string[]): Notification[] => names.map((id) => ({ id }) as Notification)
  const merged = newestFirst(list('g', 'e', 'c', 'a'), [
    ...list('b', 'f', 'h', 'f'),
    { id: 'c', group_id: 'x' } as Notification,
  ])
  assert.deepEqual(
    merged.map((n) => n.id),
    ['h', 'g', 'f', 'e', 'c', 'b', 'a'],
  )
  assert.equal(merged[4]?.group_id, 'x')
  assert.deepEqual(newestFirst([], []), [])
  assert.deepEqual(newestFirst(list('b', 'a'), []), list('b', 'a'))
})

test('an answer that is older than a change, or than its undo, changes nothing', async (t) => {
  const { server, store } = await loaded(t, 2)
  const shown: string[] = []
  store.subscribe(() => shown.push(`${ids(store).join(' ')}, ${store.state.counts?.inbox}`))
  const during = async (change: () => Promise<unknown>): Promise<void> => {
    let answer = (): void => {}
    server.delay = new Promise<void>((resolve) => (answer = resolve))
    const asked = server.requests.length
    const refreshed = store.refresh()
    while (server.requests.length < asked + 2) await new Promise((resolve) => setTimeout(resolve, 1))
    const changed = change()
    while (!server.requests.at(-1)?.startsWith('P')) await new Promise((resolve) => setTimeout(resolve, 1))
    server.delay = undefined
    answer()
    await Promise.all([refreshed, changed])
  }
  let undo = async (): Promise<void> => {}
  await during(async () => (undo = await store.change(['n001'], { archived: true })))
  assert.deepEqual(new Set(shown.splice(0)), new Set(['n000, 1']))
  await during(() => undo())
  assert.deepEqual(new Set(shown.splice(0)), new Set(['n001 n000, 2']))
})

test('of two changes of a notification, the second one stays while the first one is confirmed', async (t) => {
  const { store } = await loaded(t, 1)
  const read = (): boolean => store.state.items[0]?.read_at !== null
  const first = store.change(['n000'], { read: true })
  const second = store.change(['n000'], { read: false })
  store.subscribe(() => assert.equal(read(), false))
  await first
  await store.refresh()
  await second
  await store.refresh()
  assert.equal(read(), false)
})

test('changes of the same notification are made in their order, also with what is opened between them', async (t) => {
  const { server, store } = await loaded(t, 2)
  let go = (): void => {}
  server.hold = new Promise<void>((resolve) => (go = resolve))
  const changes = [store.change(['n000'], { read: true }), store.change(['n000', 'n001'], { read: false })]
  const opened = await store.read(() => Promise.resolve({ ...server.rows[1]! }))
  assert.equal(store.withChanges({ ...opened, read_at: '2026-01-01T00:00:02Z' }).read_at, null)
  changes.push(store.change(['n000'], { read: true }))
  const sent = (): string[] => server.requests.filter((r) => !r.startsWith('GET'))
  while (sent().length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  await store.refreshCounts()
  assert.deepEqual(sent(), ['PATCH /v1/notifications/n000'])
  go()
  await Promise.all(changes)
  const inOrder = ['PATCH /v1/notifications/n000', 'POST /v1/notifications/mark', 'PATCH /v1/notifications/n000']
  assert.deepEqual(sent(), inOrder)
  assert.deepEqual(
    server.rows.map((r) => [r.id, r.read_at !== null]),
    [
      ['n001', false],
      ['n000', true],
    ],
  )
})
