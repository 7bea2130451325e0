import {
  type Activity,
  type Event as ActivityEvent,
  type InboxStore,
  ProblemError,
  tail,
  unwrap,
} from '@fanfare/client'
import { css, html, nothing } from 'lit'
import { property, state } from 'lit/decorators.js'
import { repeat } from 'lit/directives/repeat.js'
import { Activity as ActivityIcon } from 'lucide'
import { nameOf, resourceName } from '@fanfare/elements/activity-text'
import { excerptOf } from '@fanfare/elements/excerpt'
import { define } from '@fanfare/elements/base'
import type { Shared } from './shared.ts'
import { Widget, widgetStyles } from './widget.ts'
import '@fanfare/elements/avatar'
import '@fanfare/elements/button'
import '@fanfare/elements/empty'
import '@fanfare/elements/error'
import '@fanfare/elements/severity'
import '@fanfare/elements/skeleton'
import '@fanfare/elements/time'

/** The activities that the widget keeps; older ones are loaded again. */
const most = 500

const pageSize = 20

/**
 * The recent activities of a resource, of a principal, or with the attribute `tenant` of the tenant (`activity:read`).
 * Those of a resource and of the tenant arrive live. Fires `fanfare-open` with the activity of a row.
 */
@define('fanfare-activity')
export class FanfareActivity extends Widget {
  static override styles = widgetStyles(css`
    :host { display: block; min-width: 0; }
    .row {
      position: relative; display: grid; grid-template-columns: auto minmax(0, 1fr) auto; gap: 0 var(--ff-space-3);
      padding: var(--ff-space-2) var(--ff-space-3); border-block-end: 1px solid var(--ff-border);
    }
    .row:hover { background: var(--ff-hover); }
    ff-avatar { grid-row: span 2; margin-block-start: 2px; }
    .title {
      min-width: 0; overflow-wrap: anywhere; text-align: start; border-radius: var(--ff-radius-sm); color: inherit;
    }
    .title::after { content: ''; position: absolute; inset: 0; }
    .meta {
      display: flex; gap: var(--ff-space-2); grid-column: 2; min-width: 0; color: var(--ff-text-2);
      font-size: var(--ff-size-meta); overflow-wrap: anywhere;
    }
    ff-severity { flex: none; }
    .excerpt { min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    ff-time { color: var(--ff-text-3); font-size: var(--ff-size-sm); white-space: nowrap; }
    .more { display: grid; place-items: center; padding: var(--ff-space-3); }
    ff-empty, ff-error { min-height: 160px; padding: var(--ff-space-4); }
  `)

  /** The id of a resource. */
  @property() resource: string | undefined
  /** The id of a principal, whose own activities are shown. */
  @property() principal: string | undefined
  /** Shows the activities of the tenant. */
  @property({ type: Boolean }) tenant = false
  /** The number of activities of a page. */
  @property({ type: Number }) limit = pageSize
  /** The channel of the resource, if the server has another template than the default one. */
  @property() channel: string | undefined

  @state() private items: (Activity | ActivityEvent)[] = []
  @state() private phase: 'loading' | 'ready' | 'failed' = 'loading'
  @state() private error: unknown
  @state() private cursor: string | null = null
  @state() private loadingMore = false
  @state() private moreError: unknown
  #live = new AbortController()
  #followed = false
  #reading = Promise.resolve()

  protected override joined(): void {}

  protected override left(): void {
    this.#live.abort()
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    const before = this.shared
    super.willUpdate(changed)
    const source = ['resource', 'principal', 'tenant', 'channel', 'limit'].some((name) => changed.has(name))
    if (this.shared && this.store && (source || this.shared !== before)) this.#start(this.shared, this.store)
  }

  protected override back(): void {
    const { signal } = this.#live
    this.#reading = this.#reading.then(() => this.#again(signal))
    if (this.shared && this.store && this.resource && !this.#followed) {
      void this.#follow(this.shared, this.store, this.resource)
    }
  }

  #start(shared: Shared, store: InboxStore): void {
    this.#live.abort()
    this.#live = new AbortController()
    this.#followed = false
    this.#load()
    if (this.resource) void this.#follow(shared, store, this.resource)
    else if (this.tenant) this.#tail(shared)
  }

  async #follow(shared: Shared, store: InboxStore, resource: string): Promise<void> {
    const { signal } = this.#live
    this.#followed = true
    try {
      const channel = this.channel ?? (await shared.resourceChannel(resource))
      const leave = await store.realtime.subscribe(
        channel,
        (event) => this.#arrived(event),
        (state) => {
          if (signal.aborted) return
          if (state === 'refused') this.#refused()
          else if (state === 'missed' || this.phase === 'failed') this.back()
        },
      )
      if (leave && signal.aborted) leave()
      else if (leave) signal.addEventListener('abort', leave)
      else this.#followed = false
    } catch {
      if (!signal.aborted) this.#followed = false // the next time that the page is shown, it is tried again
    }
  }

  /** refused shows what can still be read, and follows again when the page is shown again. */
  #refused(): void {
    this.#followed = false
    this.#load()
  }

  #tail({ client }: Shared): void {
    void tail(client, {
      event: (event) => this.#arrived(event),
      state: (state) => {
        if (state === 'live') this.back()
        else if (state === 'ended') this.#load()
      },
      signal: this.#live.signal,
    })
  }

  #arrived(event: ActivityEvent): void {
    if (this.phase !== 'ready' || this.items.some((a) => a.event_id === event.event_id)) return
    if (this.resource && event.resource.resource_id !== this.resource) return
    this.items = [event, ...this.items].slice(0, most)
  }

  /** load reads the list from its beginning. */
  #load(): void {
    this.phase = 'loading'
    this.items = []
    this.moreError = undefined
    const { signal } = this.#live
    this.#reading = this.#newest(signal).catch((error: unknown) => {
      if (!signal.aborted) this.#fail(error)
    })
  }

  #fail(error: unknown): void {
    this.error = error
    this.phase = 'failed'
  }

  /** again reads the first page again. The list stays as it is where the server cannot be reached. */
  async #again(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    try {
      await this.#newest(signal)
    } catch (error) {
      if (!signal.aborted && (this.phase === 'failed' || (error instanceof ProblemError && error.status < 500)))
        this.#fail(error)
    }
  }

  /** newest reads the first page, and replaces what the list has of it. */
  async #newest(signal: AbortSignal): Promise<void> {
    const before = idsOf(this.items)
    const page = await this.#page(undefined, signal)
    if (signal.aborted) return
    const now = idsOf(page.items)
    const last = page.items.at(-1)?.event_id ?? ''
    const arrived = this.items.filter((a) => !before.has(a.event_id) && !now.has(a.event_id))
    const joined = page.next_cursor !== null && page.items.some((a) => before.has(a.event_id))
    const older = joined ? this.items.filter((a) => a.event_id < last) : []
    this.items = [...arrived, ...page.items, ...older].slice(0, most)
    if (older.length === 0) this.cursor = page.next_cursor
    this.phase = 'ready'
  }

  /** page reads a page, and further ones while they are empty. */
  async #page(cursor: string | undefined, signal: AbortSignal): Promise<Page> {
    const { resource, principal, limit, shared } = this
    const query = {
      ...(resource ? { resource } : {}),
      ...(principal ? { actor: principal } : {}),
      limit: limit || pageSize,
    }
    if (!shared || (!resource && !principal && !this.tenant)) throw new Error(this.t.activity.noSource)
    for (let next = cursor; ;) {
      const params = { query: { ...query, ...(next ? { cursor: next } : {}) } }
      const page = await unwrap(shared.client.GET('/activities', { params, signal }))
      if (page.items.length > 0 || page.next_cursor === null) return page
      next = page.next_cursor
    }
  }

  async #more(): Promise<void> {
    const { signal } = this.#live
    this.loadingMore = true
    this.moreError = undefined
    try {
      const page = await this.#page(this.cursor ?? undefined, signal)
      if (signal.aborted) return
      const known = idsOf(this.items)
      this.items = [...this.items, ...page.items.filter((a) => !known.has(a.event_id))].slice(0, most)
      this.cursor = this.items.length < most ? page.next_cursor : null
    } catch (error) {
      if (!signal.aborted) this.moreError = error
    } finally {
      this.loadingMore = false
    }
  }

  protected override render(): unknown {
    const t = this.t.activity
    if (this.phase === 'failed') {
      return html`<ff-error .heading=${t.failed} .texts=${this.t.error} .error=${this.error}
        @retry=${() => this.#load()}></ff-error>`
    }
    if (this.phase === 'loading' && this.items.length === 0) {
      return html`<ff-skeleton count="4" .label=${t.loading}></ff-skeleton>`
    }
    if (this.items.length === 0) {
      return html`<ff-empty part="empty" .icon=${ActivityIcon} .heading=${t.empty.heading}>${t.empty.text}</ff-empty>`
    }
    return html`<div part="list" role="feed" aria-label=${t.label} aria-busy=${String(this.loadingMore)}>${repeat(
      this.items,
      (a) => a.event_id,
      (a, i) => this.#row(a, i),
    )}</div>
    ${
      this.moreError
        ? html`<ff-error compact .heading=${t.failed} .texts=${this.t.error} .error=${this.moreError}
          @retry=${() => void this.#more()}></ff-error>`
        : this.cursor
          ? html`<div class="more"><ff-button ?busy=${this.loadingMore} @click=${() => void this.#more()}
            >${t.more}</ff-button></div>`
          : nothing
    }`
  }

  #row(a: Activity | ActivityEvent, i: number): unknown {
    const { summary, title, severity } = a.ui_hints
    const text = summary || title || a.action
    const where = resourceName(a.resource)
    const excerpt = excerptOf(a)
    return html`<article class="row" part="row" aria-posinset=${i + 1} aria-label=${text}
        aria-setsize=${this.cursor ? -1 : this.items.length}>
      <ff-avatar .name=${nameOf(a.actor)} .kind=${a.actor.kind}></ff-avatar>
      <button type="button" class="title" part="title" @click=${() => this.openActivity(a)}><bdi>${text}</bdi></button>
      <ff-time datetime=${a.created_at}></ff-time>
      <div class="meta" part="meta">
        ${
          severity === 'info'
            ? nothing
            : html`<ff-severity text level=${severity} label=${this.t.severity[severity]}></ff-severity>`
        }
        ${text.includes(nameOf(a.actor)) ? nothing : html`<bdi>${nameOf(a.actor)}</bdi>`}
        ${text.includes(where) || this.resource ? nothing : html`<bdi>${where}</bdi>`}
        ${excerpt ? html`<bdi class="excerpt">${excerpt}</bdi>` : nothing}
      </div></article>`
  }
}

interface Page {
  items: Activity[]
  next_cursor: string | null
}

function idsOf(items: readonly { event_id: string }[]): Set<string> {
  return new Set(items.map((a) => a.event_id))
}

declare global {
  interface HTMLElementTagNameMap {
    'fanfare-activity': FanfareActivity
  }
}
