import type { InboxState, InboxStore, Notification, NotificationChanges, Undo } from '@fanfare/client'
import { css, html, nothing } from 'lit'
import { property, query, state } from 'lit/decorators.js'
import { repeat } from 'lit/directives/repeat.js'
import { Bell, CheckCheck, Inbox as InboxIcon, WifiOff } from 'lucide'
import { define } from '@fanfare/elements/base'
import { icon } from '@fanfare/elements/icon'
import type { Popover } from '@fanfare/elements/popover'
import type { Shared } from './shared.ts'
import { Widget, widgetStyles } from './widget.ts'
import '@fanfare/elements/badge'
import '@fanfare/elements/button'
import '@fanfare/elements/empty'
import '@fanfare/elements/error'
import '@fanfare/elements/icon-button'
import '@fanfare/elements/popover'
import '@fanfare/elements/skeleton'
import '@fanfare/elements/tabs'

const tabs = ['inbox', 'unread', 'archived'] as const
type TabID = (typeof tabs)[number]

/**
 * A bell with the number of unread notifications, which opens the inbox. What is shown becomes seen, what is opened
 * becomes read. Fires `fanfare-open` with the activity; unless the page prevents it, the widget follows `linkFor`.
 */
@define('fanfare-inbox')
export class FanfareInbox extends Widget {
  static override styles = widgetStyles(css`
    :host { display: inline-flex; --ff-popover-width: min(440px, calc(100vw - 16px)); --ff-popover-padding: 0; }
    .trigger { position: relative; display: inline-flex; }
    .bell {
      display: grid; place-items: center; width: var(--ff-control); height: var(--ff-control); color: inherit;
      border-radius: var(--ff-radius);
    }
    .bell:hover, .bell[aria-expanded='true'] { background: var(--ff-hover); }
    ff-badge {
      position: absolute; inset-block-start: -6px; inset-inline-end: -9px; pointer-events: none;
      border-radius: var(--ff-radius-full); box-shadow: 0 0 0 2px var(--fanfare-badge-ring, var(--ff-bg));
    }
    .inbox { display: flex; flex-direction: column; max-height: min(640px, calc(100dvh - 96px)); }
    header {
      display: flex; align-items: center; gap: var(--ff-space-2);
      padding: var(--ff-space-3) var(--ff-space-3) var(--ff-space-1) var(--ff-space-4);
    }
    h2 { flex: 1; font-size: var(--ff-size-lg); line-height: 24px; font-weight: var(--ff-weight-bold); }
    ff-tabs { --ff-tabs-inset: var(--ff-space-3); flex: 1; min-height: 0; }
    ff-tabs::part(tabs) { flex: none; }
    ff-tabs::part(panel) { overflow-y: auto; overscroll-behavior: contain; }
    .more { display: grid; place-items: center; padding: var(--ff-space-3); }
    .note {
      display: flex; align-items: center; gap: var(--ff-space-2); padding: var(--ff-space-2) var(--ff-space-4);
      border-block-start: 1px solid var(--ff-border); background: var(--ff-sunken); font-size: var(--ff-size-meta);
    }
    .note span { flex: 1; overflow-wrap: anywhere; }
    .note:empty { display: none; }
  `)

  /** What the badge counts: `unread`, or `unseen` notifications, which end when the inbox is opened. */
  @property() badge: 'unread' | 'unseen' = 'unread'
  /** Returns the address of an activity on the host's pages. Rows are links then. */
  @property({ attribute: false }) linkFor: ((notification: Notification) => string | undefined) | undefined

  @state() private rows: typeof import('./rows.ts') | undefined
  @state() private view: InboxState | undefined
  @state() private open = false
  @state() private note: { text: string; undo?: Undo } | undefined
  @query('ff-popover') private panel!: Popover
  #unsubscribe = (): void => {}

  /** show opens the inbox. */
  show(): void {
    this.panel.show()
  }

  /** hide closes the inbox. */
  hide(): void {
    this.panel.hide()
  }

  protected override joined(_: Shared, store: InboxStore): void {
    this.view = store.state
    this.#unsubscribe = store.subscribe(() => {
      this.view = store.state
      if (this.open) this.#see()
    })
    if (this.open) void this.#load(this.#tab())
  }

  protected override left(): void {
    this.#unsubscribe()
    this.view = undefined
  }

  protected override back(): void {
    if (this.view?.phase === 'failed') void this.store?.retry()
  }

  #tab(): TabID {
    return tabs.find((tab) => tab === this.view?.query.state) ?? 'inbox'
  }

  async #load(tab: TabID): Promise<void> {
    await this.store?.load({ state: tab })
  }

  #see(): void {
    const unseen = (this.view?.items ?? []).filter((n) => n.seen_at === null)
    if (unseen.length > 0) this.store?.markSeen(unseen.map((n) => n.id))
  }

  protected override render(): unknown {
    const t = this.t.inbox
    const counts = this.view?.counts
    const count = (this.badge === 'unseen' ? counts?.unseen : counts?.unread) ?? 0
    return html`<ff-popover part="popover" align="end" .label=${t.label} exportparts="panel" @open=${this.#opened}
        @close=${() => (this.open = false)}>
      <button slot="trigger" type="button" class="bell trigger" part="bell" aria-label=${t.bell(count)}
          @pointerenter=${this.#prepare} @focus=${this.#prepare}>
        ${icon(Bell, 20)}<ff-badge tone="accent" part="badge" .count=${count} aria-hidden="true"></ff-badge></button>
      ${this.open ? this.#inbox() : nothing}
    </ff-popover>`
  }

  /** The rows are loaded when the inbox is about to be opened first. */
  #prepare = async (): Promise<void> => {
    this.rows ??= await import('./rows.ts')
  }

  #opened = (): void => {
    void this.#prepare()
    this.open = true
    this.note = undefined
    if (this.view?.phase === 'idle' || this.view?.phase === 'failed') void this.#load(this.#tab())
    else this.#see()
  }

  #inbox(): unknown {
    const t = this.t.inbox
    const unread = this.view?.counts?.unread ?? 0
    const shown = tabs.map((id) => ({ id, label: t.tabs[id], ...(id === 'unread' ? { count: unread } : {}) }))
    return html`<section class="inbox" part="inbox" aria-label=${t.label}>
      <header part="header"><h2>${t.label}</h2>
        <ff-icon-button part="mark-all" .icon=${CheckCheck} label=${t.markAll} ?disabled=${unread === 0}
          @click=${this.#markAll}></ff-icon-button></header>
      <ff-tabs part="tabs" .tabs=${shown} .selected=${this.#tab()} .label=${t.label}
        @change=${(e: CustomEvent<TabID>) => void this.#load(e.detail)}>${this.#list()}</ff-tabs>
      ${this.#state()}
      <div class="note" part="note" role="status">${
        this.note
          ? html`<span>${this.note.text}</span>${
              this.note.undo
                ? html`<ff-button size="sm" variant="ghost" @click=${this.#undo}>${t.undo}</ff-button>`
                : nothing
            }`
          : nothing
      }</div></section>`
  }

  #state(): unknown {
    const t = this.t.inbox
    const { connection, phase } = this.view ?? {}
    if (phase !== 'ready' || (connection !== 'ended' && navigator.onLine)) return nothing
    return html`<div class="note" part="connection" role="status">${icon(WifiOff, 14)}
      <span>${navigator.onLine ? t.ended : t.offline}</span></div>`
  }

  #list(): unknown {
    const { view, rows } = this
    const t = this.t.inbox
    if (!rows || !view || view.phase === 'idle' || (view.phase === 'loading' && view.items.length === 0)) {
      return html`<ff-skeleton count="5" .label=${t.loading}></ff-skeleton>`
    }
    if (view.phase === 'failed') {
      return html`<ff-error .heading=${t.failed} .texts=${this.t.error} .error=${view.error}
        @retry=${() => void this.store?.retry()}></ff-error>`
    }
    if (view.items.length === 0) {
      const { heading, text } = t.empty[this.#tab()]
      return html`<ff-empty part="empty" .icon=${InboxIcon} .heading=${heading}>${text}</ff-empty>`
    }
    const texts = rows.rowTextsOf(this.t)
    return html`<div role="feed" aria-label=${t.tabs[this.#tab()]} aria-busy=${String(view.loadingMore)}>${repeat(
      view.items,
      (n) => n.id,
      (n, i) => html`<article aria-posinset=${i + 1} aria-setsize=${view.more ? -1 : view.items.length}
          aria-label=${n.event.ui_hints.summary || n.event.ui_hints.title || n.event.action}>
        <ff-notification-row part="row" exportparts="row, title, meta, actions, reason" .client=${this.shared?.client}
          .notification=${n} .texts=${texts} .href=${this.linkFor?.(n) ?? ''}
          @open=${(e: Event) => this.#openRow(n, e)}
          @click=${(e: Event) => this.#clicked(e)}
          @change=${(e: CustomEvent<NotificationChanges>) => void this.#change(n, e.detail)}></ff-notification-row>
      </article>`,
    )}</div>
    ${
      view.more
        ? html`<div class="more"><ff-button ?busy=${view.loadingMore} @click=${() => void this.store?.loadMore()}
            >${t.more}</ff-button></div>`
        : nothing
    }`
  }

  #prevented = false

  /** The row fires `open` within the click on its link, which the host may prevent. */
  #openRow(n: Notification, _: Event): void {
    if (n.read_at === null) void this.#change(n, { read: true }, true)
    this.#prevented = !this.openActivity(n.event)
    if (!this.#prevented || !this.linkFor?.(n)) this.hide()
  }

  #clicked(event: Event): void {
    if (this.#prevented) event.preventDefault()
    this.#prevented = false
  }

  async #change(n: Notification, changes: NotificationChanges, quiet = false): Promise<void> {
    const t = this.t.inbox
    try {
      const undo = await this.store?.change([n.id], changes)
      const text = changes.archived ? t.archived : changes.snoozed_until ? t.snoozed : t.restored
      const filed = changes.archived !== undefined || changes.snoozed_until !== undefined
      this.note = !quiet && filed && undo ? { text, undo } : undefined
    } catch {
      this.note = { text: t.changeFailed }
    }
  }

  #markAll = async (): Promise<void> => {
    const t = this.t.inbox
    try {
      const marked = await this.store?.markAll({ state: 'unread' }, { read: true })
      this.note = { text: t.markedAll, ...(marked?.undo ? { undo: marked.undo } : {}) }
    } catch {
      this.note = { text: t.changeFailed }
    }
  }

  #undo = async (): Promise<void> => {
    const t = this.t.inbox
    const undo = this.note?.undo
    try {
      await undo?.()
      this.note = { text: t.undone }
    } catch {
      this.note = { text: t.changeFailed }
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'fanfare-inbox': FanfareInbox
  }
}
