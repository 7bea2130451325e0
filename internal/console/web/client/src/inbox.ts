import { Arrivals } from './arrivals.ts'
import { type Client, unwrap } from './client.ts'
import {
  apply,
  filtered,
  find,
  groupKey,
  type InboxState,
  initialState,
  inState,
  newestFirst,
  placeOf,
  recount,
} from './inbox_state.ts'
import { mark, type MarkAllOptions, restore, send } from './marks.ts'
import { mostOfPage, reaches, readNewest } from './newest.ts'
import { Realtime } from './realtime.ts'
import type { InboxQuery, Notification, NotificationChanges, NotificationGroup } from './types.ts'

/** Options of an InboxStore. */
export interface InboxOptions {
  /** The connection to share with others; default: one of its own. */
  realtime?: Realtime
  /** Rows of a page, 1 to 200; default 50. */
  pageSize?: number
  /** Called for each notification that arrives while the store is live. */
  onArrival?: (id: string) => void
}

/** Rows that are held, so that the memory is bounded. */
const mostRows = 50_000

/** Reverses a change. */
export type Undo = () => Promise<void>

/** What markAll has changed. More than 1,000 changes cannot be reversed, and have no undo. */
export interface Marked {
  count: number
  undo: Undo | undefined
}

/**
 * InboxStore holds the caller's inbox: a list with its filter, the counts, and changes, which show at once and
 * are taken back where the API refuses them. After start it follows what arrives.
 */
export class InboxStore {
  readonly realtime: Realtime
  #client: Client
  #options: InboxOptions
  #state = initialState
  #subscribers = new Set<() => void>()
  #cursor: string | null = null
  #load: AbortController | undefined
  #pending = new Map<string, NotificationChanges>() // changes that the API has not confirmed
  #refreshing: Promise<void> | undefined
  #refreshAgain = false
  #reading = Promise.resolve()
  #seen = new Set<string>()
  #kept = new Set<string>() // rows that stay in a list of unread ones
  #arrivals = new Arrivals((ids) => this.#find(ids))
  #seenTimer: ReturnType<typeof setTimeout> | undefined
  #stop: (() => void)[] = []

  constructor(client: Client, options: InboxOptions = {}) {
    this.#client = client
    this.#options = options
    this.realtime = options.realtime ?? new Realtime(client)
  }

  get state(): InboxState {
    return this.#state
  }

  /** subscribe calls back after every change of the state, until the function that it returns is called. */
  subscribe(changed: () => void): () => void {
    this.#subscribers.add(changed)
    return () => this.#subscribers.delete(changed)
  }

  /** start follows the inbox live and keeps the counts right, until stop. It loads no list. */
  start(): void {
    if (this.#stop.length > 0) return
    this.#stop.push(
      this.realtime.listen({
        event: (event) => {
          this.#options.onArrival?.(event.event_id)
          this.#arrivals.add(event.event_id)
        },
        message: (message) => {
          this.#unread(message.unread_count)
          void this.refresh()
        },
        joined: (complete) => {
          if (this.#state.phase === 'failed') void this.retry()
          void (complete ? this.refreshCounts() : this.refresh())
        },
        connection: (connection) => this.#set({ connection }),
      }),
    )
    if (typeof document !== 'undefined') {
      const visible = (): void => {
        if (document.visibilityState === 'visible') void this.refresh()
      }
      document.addEventListener('visibilitychange', visible)
      this.#stop.push(() => document.removeEventListener('visibilitychange', visible))
    }
    void this.realtime.start()
    void this.refreshCounts()
  }

  /** stop ends what start began. A connection that is shared goes on. */
  stop(): void {
    for (const stop of this.#stop.splice(0)) stop()
    if (!this.#options.realtime) this.realtime.stop()
    this.#load?.abort()
    clearTimeout(this.#seenTimer)
    this.#arrivals.stop()
  }

  /** load shows the list of a query. */
  async load(query: InboxQuery): Promise<void> {
    this.#load?.abort()
    this.#load = new AbortController()
    this.#cursor = null
    this.#kept.clear()
    this.#set({ query, items: [], groups: null, phase: 'loading', error: undefined, more: false, loadingMore: false })
    await this.#page(undefined, this.#load.signal)
  }

  /** retry repeats a load that failed. */
  retry(): Promise<void> {
    return this.load(this.#state.query)
  }

  /** loadMore adds the next page. It follows empty pages. */
  async loadMore(): Promise<void> {
    if (!this.#cursor || this.#state.loadingMore || !this.#load) return
    this.#set({ loadingMore: true })
    await this.#page(this.#cursor, this.#load.signal)
  }

  async #page(cursor: string | undefined, signal: AbortSignal): Promise<void> {
    try {
      for (let empty = true; empty;) {
        // Who reads on wants larger pages.
        const limit = Math.min(mostOfPage, Math.max(this.#options.pageSize ?? 50, this.#state.items.length))
        const page = await this.#fetch(cursor, limit, signal)
        if (signal.aborted) return
        empty = page.items.length === 0 && !page.groups?.length && page.next_cursor !== null
        cursor = page.next_cursor ?? undefined
        this.#cursor = page.next_cursor
        const known = new Set(this.#state.groups?.map(groupKey))
        this.#unread(page.unread_count)
        const items = this.#bounded(newestFirst(this.#state.items, this.#overlaid(page.items)))
        this.#set({
          items,
          groups: page.groups
            ? [...(this.#state.groups ?? []), ...page.groups.filter((g) => !known.has(groupKey(g)))]
            : null,
          phase: empty ? 'loading' : 'ready',
          error: undefined,
          more: this.#cursor !== null,
          loadingMore: empty,
        })
      }
    } catch (error) {
      if (signal.aborted) return
      this.#set({ phase: this.#state.items.length > 0 ? 'ready' : 'failed', error, loadingMore: false })
    }
  }

  #fetch(cursor: string | undefined, limit: number, signal?: AbortSignal) {
    const query = { ...this.#state.query, limit, ...(cursor ? { cursor } : {}) }
    return unwrap(this.#client.GET('/notifications', { params: { query }, signal: signal ?? null }))
  }

  /** refresh reads the counts and the newest rows again. Calls during a refresh have one further refresh. */
  refresh(): Promise<void> {
    if (this.#refreshing) {
      this.#refreshAgain = true
      return this.#refreshing
    }
    this.#refreshing = this.#refresh().finally(() => {
      this.#refreshing = undefined
      if (!this.#refreshAgain) return
      this.#refreshAgain = false
      setTimeout(() => void this.refresh(), 250)
    })
    return this.#refreshing
  }

  async #refresh(): Promise<void> {
    await Promise.all([this.refreshCounts(), this.#refreshList()])
  }

  /**
   * find reads the list and the counts, and returns which of the new notifications can be read. Where the list may
   * lack them because of its filter, it looks among all. The counts are read last, so that they include what is found.
   */
  async #find(ids: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    await this.#refreshList(ids.size)
    let found = among(ids, this.#known())
    if (found.size < ids.size && (this.#state.phase !== 'ready' || filtered(this.#state.query))) {
      const limit = Math.min(200, Math.max(20, 2 * ids.size))
      const page = await unwrap(this.#client.GET('/notifications', { params: { query: { state: 'all', limit } } }))
      const last = page.next_cursor ? (page.items.at(-1)?.id ?? '') : ''
      found = new Set([...found, ...among(ids, page.items), ...[...ids].filter((id) => id < last)])
      await this.#refreshList(ids.size)
    }
    await this.refreshCounts()
    return found
  }

  /** refreshCounts reads the counts. What it cannot read stays as it was. */
  async refreshCounts(): Promise<void> {
    try {
      const counts = await unwrap(this.#client.GET('/notifications/counts'))
      if (this.#pending.size === 0 || !this.#state.counts) this.#set({ counts })
    } catch {
      // The next reconnect, change or visit reads them again.
    }
  }

  /** refreshList reads a number of the newest rows, and further ones until they reach those that are shown. */
  #refreshList(rows?: number): Promise<void> {
    // In turn, so that no answer replaces a later one.
    return (this.#reading = this.#reading.then(() => this.#readNewest(rows)))
  }

  async #readNewest(rows?: number): Promise<void> {
    const signal = this.#load?.signal
    if (this.#state.phase !== 'ready' || !signal) return
    const shown = this.#state.groups?.length ?? this.#state.items.length
    const limit = Math.min(mostOfPage, Math.max(this.#options.pageSize ?? 50, rows ?? shown))
    try {
      const fetch = (cursor: string | undefined, rows: number) => this.#fetch(cursor, rows, signal)
      const page = await readNewest(fetch, limit, this.#state.items[0])
      if (signal.aborted) return
      if (page.groups) this.#showGroups(page.groups, page.next_cursor !== null)
      else this.#showNewest(page.items, page.next_cursor)
    } catch {
      // The list stays as it was.
    }
  }

  #showGroups(fresh: NotificationGroup[], more: boolean): void {
    const known = new Set(fresh.map(groupKey))
    const older = more ? (this.#state.groups ?? []).filter((g) => !known.has(groupKey(g))) : []
    this.#set({ groups: [...fresh, ...older] })
  }

  #showNewest(fresh: Notification[], cursor: string | null): void {
    const { items } = this.#state
    const joined = cursor !== null && reaches(fresh, items[0])
    const older = joined ? placeOf(items, fresh.at(-1)?.id ?? '') : items.length
    const kept = [...this.#kept].flatMap((id) => find(items, id) ?? []).filter((n) => inState(n, 'inbox'))
    if (!joined) this.#cursor = cursor
    const rest = newestFirst(items.slice(older), kept)
    this.#set({ items: this.#bounded(newestFirst(rest, this.#overlaid(fresh))), more: this.#cursor !== null })
  }

  /** bounded drops the oldest rows beyond the most that are held. There are no more then: a cursor would skip them. */
  #bounded(items: Notification[]): Notification[] {
    if (items.length < mostRows) return items
    this.#cursor = null
    return items.slice(0, mostRows)
  }

  /** get returns a notification, of the list or of the API. */
  async get(id: string): Promise<Notification> {
    return find(this.#state.items, id) ?? unwrap(this.#client.GET('/notifications/{id}', { params: { path: { id } } }))
  }

  /**
   * change changes notifications. It shows at once; if the API refuses it, it is taken back and the problem is
   * thrown. The function that it returns reverses it.
   */
  async change(ids: readonly string[], changes: NotificationChanges): Promise<Undo> {
    const known = this.#known()
    const was = [...new Set(ids)].flatMap((id) => find(known, id) ?? [])
    this.#show(
      was.map((n) => apply(n, changes)),
      was,
    )
    for (const id of ids) this.#pending.set(id, { ...this.#pending.get(id), ...changes })
    try {
      await send(this.#client, ids, changes)
    } catch (error) {
      this.#settle(ids)
      this.#show(
        was,
        was.map((n) => apply(n, changes)),
      )
      throw error
    }
    this.#settle(ids)
    return () => this.#undo(was, ids, changes)
  }

  /** markAll changes the notifications of a filter that are not newer than the newest one that is shown. */
  async markAll(filter: InboxQuery, changes: NotificationChanges, options: MarkAllOptions = {}): Promise<Marked> {
    const upTo = options.upTo ?? this.#known()[0]?.id
    const before = this.#known()
    const { count, ids } = await mark(this.#client, filter, changes, { ...options, ...(upTo ? { upTo } : {}) })
    await this.refresh()
    const was = (ids ?? []).flatMap((id) => find(before, id) ?? [])
    return { count, undo: ids ? () => this.#undo(was, ids, changes) : undefined }
  }

  /** markSeen marks notifications that were shown as seen, soon and together. */
  markSeen(ids: Iterable<string>): void {
    for (const id of ids) this.#seen.add(id)
    if (this.#seen.size === 0) return
    this.#seenTimer ??= setTimeout(() => {
      this.#seenTimer = undefined
      const batch = [...this.#seen].slice(0, 1000)
      for (const id of batch) this.#seen.delete(id)
      const known = this.#known()
      const rest = batch.filter((id) => !find(known, id)?.seen_at)
      if (rest.length > 0) this.change(rest, { seen: true }).catch(() => {})
      this.markSeen([])
    }, 800)
  }

  /** undo makes the notifications what they were; of those that are not known, it reverses the changes. */
  async #undo(was: Notification[], ids: readonly string[], changes: NotificationChanges): Promise<void> {
    const now = this.#known()
    this.#show(
      was,
      was.map((n) => find(now, n.id) ?? apply(n, changes)),
    )
    await restore(this.#client, was, ids, changes)
    await this.refresh()
  }

  /** show puts notifications into the list, or out of it, and counts them. */
  #show(is: Notification[], was: Notification[]): void {
    const { query, items, groups, counts } = this.#state
    const changed = new Map(is.map((n) => [n.id, n]))
    // A row that is read stays in the list of unread ones until the list is loaded again.
    const stays = query.state === 'unread' || query.state === 'unseen'
    const state = stays ? 'inbox' : query.state
    if (stays) for (const n of is) this.#kept.add(n.id)
    const stay = is.filter((n) => inState(n, state))
    const kept = stay.length < is.length ? items.filter((n) => !changed.has(n.id)) : items
    this.#set({
      items: groups ? items : newestFirst(kept, stay),
      counts: recount(counts, was, is),
      groups:
        groups?.map((g) => ({
          ...g,
          items: g.items.map((n) => changed.get(n.id) ?? n),
          unread: g.unread + unreadOf(is, g.items) - unreadOf(was, g.items),
        })) ?? null,
    })
  }

  #settle(ids: readonly string[]): void {
    for (const id of ids) this.#pending.delete(id)
  }

  #overlaid(items: readonly Notification[]): Notification[] {
    return items
      .map((n) => {
        const changes = this.#pending.get(n.id)
        return changes ? apply(n, changes) : n
      })
      .filter((n) => !this.#pending.has(n.id) || inState(n, this.#state.query.state))
  }

  #known(): readonly Notification[] {
    const { items, groups } = this.#state
    return groups
      ? newestFirst(
          [],
          groups.flatMap((g) => g.items),
        )
      : items
  }

  #unread(unread: number): void {
    const { counts } = this.#state
    if (counts && counts.unread !== unread && this.#pending.size === 0) this.#set({ counts: { ...counts, unread } })
  }

  #set(change: Partial<InboxState>): void {
    this.#state = { ...this.#state, ...change }
    for (const changed of this.#subscribers) changed()
  }
}

function unreadOf(list: Notification[], among: Notification[]): number {
  return list.filter((n) => n.read_at === null && among.some((m) => m.id === n.id)).length
}

/** among returns those of the ids that are in an ordered list. */
function among(ids: ReadonlySet<string>, list: readonly Notification[]): Set<string> {
  return new Set([...ids].filter((id) => find(list, id)))
}
