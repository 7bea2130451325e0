import { type Client, unwrap } from './client.ts'
import {
  apply,
  groupKey,
  type InboxState,
  initialState,
  inState,
  inverse,
  newestFirst,
  recount,
} from './inbox_state.ts'
import { Realtime } from './realtime.ts'
import type { InboxQuery, Notification, NotificationChanges } from './types.ts'

/** Options of an InboxStore. */
export interface InboxOptions {
  /** The connection to share with others; default: one of its own. */
  realtime?: Realtime
  /** Rows of a page, 1 to 200; default 50. */
  pageSize?: number
  /** Called for each notification that arrives while the store is live. */
  onArrival?: (id: string) => void
}

/** Reverses a change. */
export type Undo = () => Promise<void>

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
  #seen = new Set<string>()
  #later: ReturnType<typeof setTimeout> | undefined
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
          void this.refresh()
          this.#refreshLater()
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

  /** An event may arrive before the transaction of its notification commits, and so it is read again. */
  #refreshLater(): void {
    this.#later ??= setTimeout(() => {
      this.#later = undefined
      void this.refresh()
    }, 1000)
  }

  /** stop ends what start began. A connection that is shared goes on. */
  stop(): void {
    for (const stop of this.#stop.splice(0)) stop()
    if (!this.#options.realtime) this.realtime.stop()
    this.#load?.abort()
    clearTimeout(this.#seenTimer)
    clearTimeout(this.#later)
    this.#later = undefined
  }

  /** load shows the list of a query. */
  async load(query: InboxQuery): Promise<void> {
    this.#load?.abort()
    this.#load = new AbortController()
    this.#cursor = null
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
        const page = await this.#fetch(cursor, this.#options.pageSize ?? 50, signal)
        if (signal.aborted) return
        empty = page.items.length === 0 && !page.groups?.length && page.next_cursor !== null
        cursor = page.next_cursor ?? undefined
        this.#cursor = page.next_cursor
        const known = new Set(this.#state.groups?.map(groupKey))
        this.#unread(page.unread_count)
        this.#set({
          items: newestFirst(this.#state.items, this.#overlaid(page.items)),
          groups: page.groups
            ? [...(this.#state.groups ?? []), ...page.groups.filter((g) => !known.has(groupKey(g)))]
            : null,
          phase: empty ? 'loading' : 'ready',
          error: undefined,
          more: page.next_cursor !== null,
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

  /** refreshCounts reads the counts. What it cannot read stays as it was. */
  async refreshCounts(): Promise<void> {
    try {
      const counts = await unwrap(this.#client.GET('/notifications/counts'))
      if (this.#pending.size === 0 || !this.#state.counts) this.#set({ counts })
    } catch {
      // The next reconnect, change or visit reads them again.
    }
  }

  async #refreshList(): Promise<void> {
    const signal = this.#load?.signal
    if (this.#state.phase !== 'ready' || !signal) return
    const shown = this.#state.groups?.length ?? this.#state.items.length
    const limit = Math.min(200, Math.max(this.#options.pageSize ?? 50, shown))
    try {
      const page = await this.#fetch(undefined, limit, signal)
      if (signal.aborted) return
      if (page.groups) {
        const fresh = new Set(page.groups.map(groupKey))
        const older = page.next_cursor ? (this.#state.groups ?? []).filter((g) => !fresh.has(groupKey(g))) : []
        this.#set({ groups: [...page.groups, ...older] })
        return
      }
      const last = page.items.at(-1)?.id ?? ''
      const overlaps = this.#state.items.some((n) => n.id >= last)
      const older = page.next_cursor && overlaps ? this.#state.items.filter((n) => n.id < last) : []
      if (!page.next_cursor || !overlaps) this.#cursor = page.next_cursor
      this.#set({ items: newestFirst(this.#overlaid(page.items), older), more: this.#cursor !== null })
    } catch {
      // The list stays as it was.
    }
  }

  /** get returns a notification, of the list or of the API. */
  async get(id: string): Promise<Notification> {
    const known = this.#state.items.find((n) => n.id === id)
    return known ?? unwrap(this.#client.GET('/notifications/{id}', { params: { path: { id } } }))
  }

  /**
   * change changes notifications. It shows at once; if the API refuses it, it is taken back and the problem is
   * thrown. The function that it returns reverses it.
   */
  async change(ids: readonly string[], changes: NotificationChanges): Promise<Undo> {
    const was = this.#known().filter((n) => ids.includes(n.id))
    this.#show(
      was.map((n) => apply(n, changes)),
      was,
    )
    for (const id of ids) this.#pending.set(id, { ...this.#pending.get(id), ...changes })
    try {
      await this.#send(ids, changes)
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
  async markAll(filter: InboxQuery, changes: NotificationChanges, progress?: (count: number) => void): Promise<Undo> {
    const { group_by: _, ...selection } = filter
    const newest = this.#known()[0]?.id
    const ids: string[] = []
    let all = true
    let count = 0
    let cursor: string | null = null
    do {
      const marked: { count: number; ids: string[] | null; next_cursor: string | null } = await unwrap(
        this.#client.POST('/notifications/mark', {
          body: { filter: selection, changes, ...(newest ? { up_to: newest } : {}), ...(cursor ? { cursor } : {}) },
        }),
      )
      count += marked.count
      progress?.(count)
      cursor = marked.next_cursor
      if (marked.ids && ids.length + marked.ids.length <= 1000) ids.push(...marked.ids)
      else all = false
    } while (cursor)
    const was = this.#known().filter((n) => ids.includes(n.id))
    await this.refresh()
    return async () => {
      if (!all) throw new Error('More than 1,000 notifications were changed. This cannot be undone.')
      await this.#undo(was, ids, changes)
    }
  }

  /** markSeen marks notifications that were shown as seen, soon and together. */
  markSeen(ids: Iterable<string>): void {
    for (const id of ids) this.#seen.add(id)
    if (this.#seen.size === 0) return
    this.#seenTimer ??= setTimeout(() => {
      this.#seenTimer = undefined
      const batch = [...this.#seen].slice(0, 1000)
      for (const id of batch) this.#seen.delete(id)
      const unseen = new Set(
        this.#known()
          .filter((n) => n.seen_at !== null)
          .map((n) => n.id),
      )
      const rest = batch.filter((id) => !unseen.has(id))
      if (rest.length > 0) this.change(rest, { seen: true }).catch(() => {})
      this.markSeen([])
    }, 800)
  }

  async #send(ids: readonly string[], changes: NotificationChanges): Promise<void> {
    const [id] = ids
    if (ids.length === 1 && id) {
      await unwrap(this.#client.PATCH('/notifications/{id}', { params: { path: { id } }, body: changes }))
      return
    }
    for (let i = 0; i < ids.length; i += 1000) {
      const body = { ids: ids.slice(i, i + 1000), changes }
      await unwrap(this.#client.POST('/notifications/mark', { body }))
    }
  }

  /** undo makes the notifications what they were; of those that are not known, it reverses the changes. */
  async #undo(was: Notification[], ids: readonly string[], changes: NotificationChanges): Promise<void> {
    const known = new Map(was.map((n) => [n.id, n]))
    const byChange = new Map<string, string[]>()
    for (const id of ids) {
      const n = known.get(id)
      const key = JSON.stringify(n ? inverse(n, changes) : opposite(changes))
      byChange.set(key, [...(byChange.get(key) ?? []), id])
    }
    const now = this.#known()
    this.#show(
      was,
      was.map((n) => now.find((m) => m.id === n.id) ?? apply(n, changes)),
    )
    await Promise.all([...byChange].map(([key, some]) => this.#send(some, JSON.parse(key) as NotificationChanges)))
    await this.refresh()
  }

  /** show puts notifications into the list, or out of it, and counts them. */
  #show(is: Notification[], was: Notification[]): void {
    const { query, items, groups, counts } = this.#state
    const changed = new Map(is.map((n) => [n.id, n]))
    const kept = items.filter((n) => !changed.has(n.id))
    // A row that is read stays in the list of unread ones until the list is loaded again.
    const state = query.state === 'unread' || query.state === 'unseen' ? 'inbox' : query.state
    this.#set({
      items: groups
        ? items
        : newestFirst(
            kept,
            is.filter((n) => inState(n, state)),
          ),
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
    return groups ? newestFirst(groups.flatMap((g) => g.items)) : items
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

function opposite(changes: NotificationChanges): NotificationChanges {
  const back: NotificationChanges = {}
  if (changes.seen != null) back.seen = !changes.seen
  if (changes.read != null) back.read = !changes.read
  if (changes.archived != null) back.archived = !changes.archived
  if (changes.snoozed_until !== undefined) back.snoozed_until = null
  return back
}
