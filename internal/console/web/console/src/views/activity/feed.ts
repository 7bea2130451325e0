import type { Event, Realtime } from '@fanfare/client'
import { Live, type LiveState } from './live.ts'
import { matches } from './matches.ts'
import type { Selection } from './query.ts'
import { type Row, rowOf, Rows } from './rows.ts'
import { type Filter, filterOf } from './selection.ts'
import type { Page, Source } from './source.ts'

/** The number of arrivals that are kept while the timeline is paused. */
export const maxPending = 1000
const pageSize = 100
const maxEmptyPages = 12
const flushAfter = 200
const refetchAfter = 1000

/** Feed loads the activities of a selection page by page, and adds those that arrive. */
export class Feed {
  readonly rows = new Rows()
  phase: 'loading' | 'ready' | 'error' = 'loading'
  error: unknown
  more: 'idle' | 'loading' | 'error' | 'stopped' = 'idle'
  moreError: unknown
  /** Pages that were read in vain since the last activity. */
  emptyPages = 0
  live: LiveState = 'off'
  /** Arrivals that wait until the timeline is at its top. */
  pending: Row[] = []
  overflow = false

  #source: Source
  #live: Live
  #changed: () => void
  #selection: Selection = {}
  #filter: Filter = {}
  #cursor: string | null = null
  #controller = new AbortController()
  #paused = false
  #incoming: Row[] = []
  #flushing: ReturnType<typeof setTimeout> | undefined
  #refetching: ReturnType<typeof setTimeout> | undefined

  constructor(source: Source, realtime: Realtime, changed: () => void) {
    this.#source = source
    this.#changed = changed
    this.#live = new Live(source, realtime, {
      arrived: (event) => this.#arrived(event),
      state: (state) => {
        const joined = state === 'live' && this.live !== 'live'
        this.live = state
        if (joined) this.#refetchSoon() // what happened between the first page and now
        changed()
      },
    })
  }

  get hasMore(): boolean {
    return this.#cursor !== null
  }

  get filter(): Filter {
    return this.#filter
  }

  /** load starts over with a selection. */
  async load(selection: Selection = this.#selection): Promise<void> {
    this.#reset(selection)
    this.phase = 'loading'
    this.error = undefined
    this.#changed()
    const { signal } = this.#controller
    try {
      await this.#read(signal)
      this.phase = 'ready'
    } catch (error) {
      if (signal.aborted) return
      this.error = error
      this.phase = 'error'
    }
    this.#changed()
  }

  #reset(selection: Selection): void {
    this.#controller.abort()
    this.#controller = new AbortController()
    this.#selection = selection
    this.#filter = filterOf(selection, new Date())
    this.#cursor = null
    this.rows.clear()
    this.more = 'idle'
    this.emptyPages = 0
    this.#forget()
  }

  #forget(): void {
    this.#incoming = []
    this.pending = []
    this.overflow = false
  }

  /** loadMore loads the next page. */
  async loadMore(): Promise<void> {
    if (this.phase !== 'ready' || this.more === 'loading' || this.#cursor === null) return
    const { signal } = this.#controller
    this.more = 'loading'
    this.emptyPages = 0
    this.#changed()
    try {
      await this.#read(signal)
    } catch (error) {
      if (signal.aborted) return
      this.moreError = error
      this.more = 'error'
    }
    this.#changed()
  }

  /** read reads the next page, and further ones while they are empty, up to a number. */
  async #read(signal: AbortSignal): Promise<void> {
    for (let found = 0; ;) {
      const page = await this.#source.page(this.#filter, pageSize, this.#cursor, signal)
      if (signal.aborted) return
      this.#cursor = page.next
      if (!this.rows.append(page.items.map((item) => rowOf(item)))) this.#cursor = null
      found += page.items.length
      if (found > 0 || this.#cursor === null) break
      this.emptyPages++
      if (this.emptyPages >= maxEmptyPages) {
        this.more = 'stopped'
        return
      }
      this.#changed()
    }
    this.emptyPages = 0
    this.more = 'idle'
  }

  /** follow switches what arrives on or off. */
  follow(on: boolean): void {
    if (on) this.#live.start()
    else this.#live.stop()
    if (!on) this.#incoming = []
  }

  /** pause holds back what arrives. */
  pause(paused: boolean): void {
    if (this.#paused === paused) return
    this.#paused = paused
    if (!paused && this.pending.length > 0) this.showPending()
  }

  /** showPending adds what was held back. If it was too much, it starts over. */
  showPending(): void {
    if (this.overflow) {
      void this.load()
      return
    }
    this.#add(this.pending)
    this.pending = []
    this.#changed()
  }

  stop(): void {
    this.#controller.abort()
    this.#live.stop()
    clearTimeout(this.#flushing)
    clearTimeout(this.#refetching)
  }

  #arrived(event: Event | undefined): void {
    const belongs = event ? matches(event, this.#selection, new Date()) : undefined
    if (belongs === false) return
    if (belongs === undefined || !event) {
      this.#refetchSoon()
      return
    }
    this.#incoming.push(rowOf(event, true))
    this.#flushing ??= setTimeout(() => this.#flush(), flushAfter)
  }

  /** flush shows what has arrived in the meantime, all at once. */
  #flush(): void {
    this.#flushing = undefined
    const rows = this.#incoming
    this.#incoming = []
    if (this.phase === 'ready') this.#take(rows)
    else if (this.phase === 'loading') {
      this.#incoming = rows.slice(-maxPending)
      this.#flushing = setTimeout(() => this.#flush(), flushAfter)
    }
  }

  #take(rows: readonly Row[]): void {
    if (!this.#paused && !document.hidden) {
      if (this.#add(rows) > 0) this.#changed()
      return
    }
    const known = new Set(this.pending.map((row) => row.id))
    const fresh = rows.filter((row) => !known.has(row.id) && !this.rows.has(row.id))
    if (fresh.length === 0) return
    const room = maxPending - this.pending.length
    if (fresh.length > room) this.overflow = true
    this.pending.push(...fresh.slice(0, room))
    this.#changed()
  }

  #add(rows: readonly Row[]): number {
    const added = this.rows.prepend(rows)
    if (this.rows.dropped) this.#cursor = null // it would skip what was dropped
    return added
  }

  #refetchSoon(): void {
    this.#refetching ??= setTimeout(() => void this.#refetch(), refetchAfter)
  }

  /** refetch asks for what is new: for arrivals that lack what decides whether they belong to the selection. */
  async #refetch(): Promise<void> {
    const { signal } = this.#controller
    try {
      if (this.phase === 'ready') await this.#newest(signal)
    } catch {
      // The next arrival asks again; the connection's state is shown.
    } finally {
      this.#refetching = undefined
    }
  }

  /** again asks for what is new, when the page is shown again. */
  again(): void {
    this.#refetchSoon()
  }

  /**
   * lacks reports whether rows are shown that a first page no longer has: the caller may not see them any more. Rows
   * that are newer than one that was the newest when the page was asked for have arrived since.
   */
  #lacks({ items, next }: Page, newest: string): boolean {
    const last = next === null ? '' : items.at(-1)?.event_id
    if (this.#source.all || last === undefined) return false // the log of the tenant loses nothing
    const ids = new Set(items.map((item) => item.event_id))
    const end = this.rows.list.findIndex((row) => row.id < last)
    return this.rows.list.slice(0, end < 0 ? undefined : end).some((row) => row.id <= newest && !ids.has(row.id))
  }

  async #newest(signal: AbortSignal): Promise<void> {
    const rows: Row[] = []
    const newest = this.rows.list[0]?.id ?? ''
    let cursor: string | null = null
    for (let pages = 0; pages < 5; pages++) {
      const page: Page = await this.#source.page(this.#filter, pageSize, cursor, signal)
      if (signal.aborted) return
      if (pages === 0 && this.#lacks(page, newest)) {
        await this.load()
        return
      }
      const fresh = page.items.filter((item) => !this.rows.has(item.event_id)).map((item) => rowOf(item, true))
      rows.push(...fresh)
      cursor = page.next
      if (cursor === null || fresh.length < page.items.length || this.rows.list.length === 0) {
        this.#take(rows)
        return
      }
    }
    this.overflow = true
    this.pending = rows.slice(0, maxPending)
    this.#changed()
  }
}
