import { Arrivals } from './arrivals.ts'
import { allOf, changed } from './changed.ts'
import { type Client, unwrap } from './client.ts'
import { InboxList } from './inbox_list.ts'
import { apply, filtered, find, type InboxState, initialState } from './inbox_state.ts'
import { inverses, mark, type MarkAllOptions, type Marked, send, type Undo } from './marks.ts'
import { Pending } from './pending.ts'
import { Realtime } from './realtime.ts'
import { Seen } from './seen.ts'
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

/**
 * InboxStore holds the caller's inbox: a list with its filter, the counts, and changes, which show at once and
 * are taken back where the API refuses them. After start it follows what arrives.
 */
export class InboxStore {
  readonly realtime: Realtime
  #client: Client
  #options: InboxOptions
  #state = initialState
  #list: InboxList
  #subscribers = new Set<() => void>()
  #pending = new Pending()
  #refreshing: Promise<void> | undefined
  #refreshAgain = false
  #seen = new Seen((ids) => this.#markSeen(ids))
  #arrivals = new Arrivals((ids) => this.#find(ids))
  #stop: (() => void)[] = []

  constructor(client: Client, options: InboxOptions = {}) {
    this.#client = client
    this.#options = options
    this.realtime = options.realtime ?? new Realtime(client)
    this.#list = new InboxList(client, options.pageSize ?? 50, {
      pending: this.#pending,
      state: () => this.#state,
      set: (change) => this.#set(change),
      unread: (count) => this.#unread(count),
    })
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
        if (document.visibilityState !== 'visible') return
        this.#reconnect()
        void this.refresh()
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
    this.#list.stop()
    this.#seen.stop()
    this.#arrivals.stop()
  }

  /** load shows the list of a query. */
  load(query: InboxQuery): Promise<void> {
    return this.#list.load(query)
  }

  /** retry repeats a load that failed. */
  retry(): Promise<void> {
    this.#reconnect()
    return this.load(this.#state.query)
  }

  /** reconnect connects again where the API has refused it: the caller may have signed in since. */
  #reconnect(): void {
    if (this.#stop.length > 0 && this.#state.connection === 'ended') void this.realtime.start()
  }

  /** loadMore adds the next page. It follows empty pages. */
  loadMore(): Promise<void> {
    return this.#list.more()
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
    await Promise.all([this.refreshCounts(), this.#list.newest()])
  }

  /**
   * find reads the list and the counts, and returns which of the new notifications can be read. Where the list may
   * lack them because of its filter, it looks among all. The counts are read last, so that they include what is found.
   */
  async #find(ids: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    await this.#list.newest(ids.size)
    let found = among(ids, this.#known())
    if (found.size < ids.size && (this.#state.phase !== 'ready' || filtered(this.#state.query))) {
      const limit = Math.min(200, Math.max(20, 2 * ids.size))
      const page = await unwrap(this.#client.GET('/notifications', { params: { query: { state: 'all', limit } } }))
      const last = page.next_cursor ? (page.items.at(-1)?.id ?? '') : ''
      found = new Set([...found, ...among(ids, page.items), ...[...ids].filter((id) => id < last)])
      await this.#list.newest(ids.size)
    }
    await this.refreshCounts()
    return found
  }

  /** refreshCounts reads the counts. What it cannot read stays as it was. */
  async refreshCounts(): Promise<void> {
    try {
      const counts = await this.#pending.read(() => unwrap(this.#client.GET('/notifications/counts')))
      if (this.#pending.none || !this.#state.counts) this.#set({ counts })
    } catch {
      // The next reconnect, change or visit reads them again.
    }
  }

  /** get returns a notification, of the list or of the API. */
  async get(id: string): Promise<Notification> {
    const get = () => unwrap(this.#client.GET('/notifications/{id}', { params: { path: { id } } }))
    return find(this.#state.items, id) ?? this.withChanges(await this.read(get))
  }

  /** read reads from the API; where a change is confirmed meanwhile, again. */
  read<T>(read: () => Promise<T>): Promise<T> {
    return this.#pending.read(read)
  }

  /** withChanges returns a notification that the API has sent as the changes make it that are not confirmed. */
  withChanges(sent: Notification): Notification {
    return this.#pending.on(sent)
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
    try {
      await this.#send(ids, changes)
    } catch (error) {
      this.#show(
        was,
        was.map((n) => apply(n, changes)),
      )
      throw error
    }
    return () => this.#undo(was, ids, changes)
  }

  #send(ids: readonly string[], changes: NotificationChanges): Promise<void> {
    return this.#pending.send(ids, changes, () => send(this.#client, ids, changes))
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
    this.#seen.add(ids)
  }

  #markSeen(ids: string[]): void {
    const known = this.#known()
    const rest = ids.filter((id) => !find(known, id)?.seen_at)
    if (rest.length > 0) this.change(rest, { seen: true }).catch(() => {})
  }

  /** undo makes the notifications what they were; of those that are not known, it reverses the changes. */
  async #undo(was: Notification[], ids: readonly string[], changes: NotificationChanges): Promise<void> {
    const now = this.#known()
    this.#show(
      was,
      was.map((n) => find(now, n.id) ?? apply(n, changes)),
    )
    await Promise.all(inverses(was, ids, changes).map(({ ids, changes }) => this.#send(ids, changes)))
    await this.refresh()
  }

  #show(is: readonly Notification[], was: readonly Notification[]): void {
    this.#set(changed(this.#state, is, was, this.#list.kept))
  }

  #known(): readonly Notification[] {
    return allOf(this.#state)
  }

  #unread(unread: number): void {
    const { counts } = this.#state
    if (counts && counts.unread !== unread && this.#pending.none) this.#set({ counts: { ...counts, unread } })
  }

  #set(change: Partial<InboxState>): void {
    this.#state = { ...this.#state, ...change }
    for (const changed of this.#subscribers) changed()
  }
}

/** among returns those of the ids that are in an ordered list. */
function among(ids: ReadonlySet<string>, list: readonly Notification[]): Set<string> {
  return new Set([...ids].filter((id) => find(list, id)))
}
