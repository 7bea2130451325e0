import { type Client, unwrap } from './client.ts'
import { find, groupKey, type InboxState, inState, newestFirst, placeOf } from './inbox_state.ts'
import { mostOfPage, reaches, readNewest } from './newest.ts'
import type { Pending } from './pending.ts'
import type { InboxQuery, Notification, NotificationGroup } from './types.ts'

/** Rows that are held, so that the memory is bounded. */
const mostRows = 50_000

/** The store whose list an InboxList reads. */
interface Store {
  pending: Pending
  state: () => InboxState
  set: (change: Partial<InboxState>) => void
  /** Takes up the number of unread ones that a page has. */
  unread: (count: number) => void
}

/** InboxList reads the list of an InboxStore: its pages, and what is new. */
export class InboxList {
  /** Rows that stay in a list of unread ones, although they are read. */
  readonly kept = new Set<string>()
  #client: Client
  #pageSize: number
  #store: Store
  #cursor: string | null = null
  #load: AbortController | undefined
  #reading = Promise.resolve()

  constructor(client: Client, pageSize: number, store: Store) {
    this.#client = client
    this.#pageSize = pageSize
    this.#store = store
  }

  get #state(): InboxState {
    return this.#store.state()
  }

  stop(): void {
    this.#load?.abort()
  }

  /** load reads the first page of a query. */
  async load(query: InboxQuery): Promise<void> {
    this.#load?.abort()
    this.#load = new AbortController()
    this.#cursor = null
    this.kept.clear()
    this.#store.set({
      query,
      items: [],
      groups: null,
      phase: 'loading',
      error: undefined,
      more: false,
      loadingMore: false,
    })
    await this.#page(undefined, this.#load.signal)
  }

  /** more adds the next page. It follows empty pages. */
  async more(): Promise<void> {
    if (!this.#cursor || this.#state.loadingMore || !this.#load) return
    this.#store.set({ loadingMore: true })
    await this.#page(this.#cursor, this.#load.signal)
  }

  async #page(cursor: string | undefined, signal: AbortSignal): Promise<void> {
    try {
      for (let empty = true; empty;) {
        // Who reads on wants larger pages.
        const limit = Math.min(mostOfPage, Math.max(this.#pageSize, this.#state.items.length))
        const page = await this.#fetch(cursor, limit, signal)
        if (signal.aborted) return
        empty = page.items.length === 0 && !page.groups?.length && page.next_cursor !== null
        cursor = page.next_cursor ?? undefined
        this.#cursor = page.next_cursor
        const known = new Set(this.#state.groups?.map(groupKey))
        this.#store.unread(page.unread_count)
        const items = this.#bounded(newestFirst(this.#state.items, this.#over(page.items)))
        this.#store.set({
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
      this.#store.set({ phase: this.#state.items.length > 0 ? 'ready' : 'failed', error, loadingMore: false })
    }
  }

  #fetch(cursor: string | undefined, limit: number, signal?: AbortSignal) {
    const query = { ...this.#state.query, limit, ...(cursor ? { cursor } : {}) }
    return this.#store.pending.read(() =>
      unwrap(this.#client.GET('/notifications', { params: { query }, signal: signal ?? null })),
    )
  }

  /** newest reads a number of the newest rows, and further ones until they reach those that are shown. */
  newest(rows?: number): Promise<void> {
    // In turn, so that no answer replaces a later one.
    return (this.#reading = this.#reading.then(() => this.#readNewest(rows)))
  }

  async #readNewest(rows?: number): Promise<void> {
    const signal = this.#load?.signal
    if (this.#state.phase !== 'ready' || !signal) return
    const shown = this.#state.groups?.length ?? this.#state.items.length
    const limit = Math.min(mostOfPage, Math.max(this.#pageSize, rows ?? shown))
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
    this.#store.set({ groups: [...fresh, ...older] })
  }

  #showNewest(fresh: Notification[], cursor: string | null): void {
    const { items } = this.#state
    const joined = cursor !== null && reaches(fresh, items[0])
    const older = joined ? placeOf(items, fresh.at(-1)?.id ?? '') : items.length
    const kept = [...this.kept].flatMap((id) => find(items, id) ?? []).filter((n) => inState(n, 'inbox'))
    if (!joined) this.#cursor = cursor
    const rest = newestFirst(items.slice(older), kept)
    this.#store.set({
      items: this.#bounded(newestFirst(rest, this.#over(fresh))),
      more: this.#cursor !== null,
    })
  }

  #over(sent: readonly Notification[]): Notification[] {
    return this.#store.pending.over(sent, this.#state.items, this.#state.query.state)
  }

  /** bounded drops the oldest rows beyond the most that are held. There are no more then: a cursor would skip them. */
  #bounded(items: Notification[]): Notification[] {
    if (items.length < mostRows) return items
    this.#cursor = null
    return items.slice(0, mostRows)
  }
}
