import type { Notification, NotificationChanges } from '@fanfare/client'
import { BaseElement, define, emit, styled, textStyles } from '@fanfare/elements/base'
import { icon } from '@fanfare/elements/icon'
import { ArrowUp } from '@fanfare/elements/icons'
import type { NotificationRow } from '@fanfare/elements/notifications/row'
import type { VirtualList } from '@fanfare/elements/virtual-list'
import { css, html, nothing } from 'lit'
import { property, query, state } from 'lit/decorators.js'
import { app } from '../../app.ts'
import { summaryOf } from './group_row.ts'
import type { Grouping } from './query.ts'
import { newer, newestOf, type Row, step } from './rows.ts'
import type { Selection } from './selection.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/checkbox'
import '@fanfare/elements/notifications/row'
import '@fanfare/elements/virtual-list'
import './group_row.ts'

/** What a row asks for: changes of one notification, or of a group. */
export interface RowChange {
  row: Row
  changes: NotificationChanges
}

/**
 * The rows of the inbox. The cursor is the row that j and k move. Fires `open` and `select` with a notification,
 * `extend` (a range), `toggle-group`, `rest`, `change` with a RowChange, and `end`.
 */
@define('ff-inbox-list')
export class InboxList extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
    :host { display: block; position: relative; height: 100%; min-height: 0; }
    ff-virtual-list { height: 100%; }
    .nested { display: block; padding-inline-start: var(--ff-space-6); background: var(--ff-sunken); }
    .rest { padding: var(--ff-space-2) var(--ff-space-8); border-block-end: 1px solid var(--ff-border); }
    .new {
      position: absolute; inset-block-start: var(--ff-space-2); inset-inline: 0; z-index: 3; width: fit-content;
      margin-inline: auto;
    }
    .new::part(button) { border-radius: var(--ff-radius-full); box-shadow: var(--ff-shadow); }
  `,
  )

  @property({ attribute: false }) rows: readonly Row[] = []
  @property({ attribute: false }) selection!: Selection
  @property({ attribute: false }) grouping: Grouping | undefined
  @property() openId = ''
  /** Returns the address of a notification. */
  @property({ attribute: false }) hrefOf: (id: string) => string = () => ''
  @property({ type: Boolean }) more = false
  @state() private cursor = ''
  @state() private fresh = 0
  @query('ff-virtual-list') private list!: VirtualList<Row>
  #place = -1
  #top = ''

  /** The row of the cursor. */
  get current(): Row | undefined {
    return this.rows.find((row) => row.key === this.cursor)
  }

  /** The newest notification that has been shown: what came later may not be marked with the others. */
  get shownUpTo(): string {
    return this.#top || newestOf(this.rows[0])
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has('rows')) return
    const atTop = !this.list || this.list.atTop
    if (atTop) this.#top = newestOf(this.rows[0])
    this.fresh = atTop ? 0 : newer(this.rows, this.#top)
    const at = this.#cursorAt()
    if (at >= 0) this.#place = at
  }

  #cursorAt(): number {
    return this.cursor ? this.rows.findIndex((row) => row.key === this.cursor) : -1
  }

  /** move moves the cursor by a number of rows, with the focus, and returns the row. */
  move(by: number): Row | undefined {
    const to = step(this.rows, this.cursor, this.#place, by)
    this.#place = to
    const row = this.rows[to]
    this.cursor = row?.key ?? ''
    if (row) void this.focusRow()
    return row
  }

  /** put puts the cursor on a notification, without the focus. */
  put(id: string): void {
    const at = this.rows.findIndex((row) => row.kind === 'item' && row.notification.id === id)
    if (at < 0) return
    this.#place = at
    this.cursor = this.rows[at]?.key ?? ''
  }

  /** focusRow moves the focus to the row of the cursor. */
  async focusRow(): Promise<void> {
    const at = this.rows.findIndex((row) => row.key === this.cursor)
    if (at < 0) return
    this.list.scrollToIndex(at)
    await this.updateComplete
    await this.list.updateComplete
    this.#rowAt(at)?.focus({ preventScroll: true })
  }

  /** openSnooze shows the times to snooze the row of the cursor until. */
  async openSnooze(): Promise<void> {
    await this.focusRow()
    const at = this.rows.findIndex((row) => row.key === this.cursor)
    const row = this.#rowAt(at)
    if (row && 'openSnooze' in row) (row as NotificationRow).openSnooze()
  }

  #rowAt(at: number): HTMLElement | null {
    return this.renderRoot.querySelector<HTMLElement>(`[data-index="${at}"] :is(ff-notification-row, ff-group-row)`)
  }

  protected override render(): unknown {
    const keep = this.#cursorAt()
    return html`${
      this.fresh > 0
        ? html`<ff-button class="new" variant="primary" size="sm" @click=${this.#toTop}>${icon(ArrowUp, 14)}
            ${this.fresh} new</ff-button>`
        : nothing
    }
      <div role="status" class="hidden-text">${this.fresh > 0 ? `${this.fresh} new` : nothing}</div>
      <ff-virtual-list row-role="article" aria-label="Notifications" .items=${this.rows} .keyOf=${keyOf}
        .renderItem=${(r: Row) => this.#row(r)} .labelOf=${labelOf} .keep=${keep} estimate="65"
        .total=${this.more ? -1 : this.rows.length} @end=${() => emit(this, 'end')} @visible=${this.#visible}
        @scroll=${this.#scrolled} @focusin=${this.#focused}></ff-virtual-list>`
  }

  #row(row: Row): unknown {
    if (row.kind === 'group') {
      return html`<ff-group-row .group=${row.group} .by=${this.grouping ?? 'resource'} .open=${row.open}
        @toggle=${() => emit(this, 'toggle-group', row)}
        @change=${(e: CustomEvent<NotificationChanges>) => this.#change(row, e.detail)}></ff-group-row>`
    }
    if (row.kind === 'rest') {
      return html`<div class="rest"><ff-button variant="link" @click=${() => emit(this, 'rest', row)}
        >Show all ${row.group.total}</ff-button></div>`
    }
    const n = row.notification
    return html`<ff-notification-row class=${row.nested ? 'nested' : ''} keys .client=${app().client}
      .notification=${n} .href=${this.hrefOf(n.id)} .current=${n.id === this.openId}
      .selected=${this.selection.has(n.id)} @open=${() => this.put(n.id)}
      @change=${(e: CustomEvent<NotificationChanges>) => this.#change(row, e.detail)}>
      <ff-checkbox slot="start" label="Select: ${summaryOf(n).slice(0, 120)}" hide-label
        .checked=${this.selection.has(n.id)} @click=${(e: MouseEvent) => this.#select(e, n)}></ff-checkbox>
    </ff-notification-row>`
  }

  #change(row: Row, changes: NotificationChanges): void {
    emit(this, 'change', { row, changes } satisfies RowChange)
  }

  #select(event: MouseEvent, n: Notification): void {
    if (!event.composedPath().some((at) => at instanceof HTMLInputElement)) return
    emit(this, event.shiftKey ? 'extend' : 'select', n)
  }

  #visible = (event: CustomEvent<{ first: number; last: number }>): void => {
    const { first, last } = event.detail
    const ids: string[] = []
    for (const row of this.rows.slice(first, last + 1)) {
      if (row.kind === 'item' && row.notification.seen_at === null) ids.push(row.notification.id)
    }
    if (document.visibilityState === 'visible') app().inbox.markSeen(ids)
  }

  #scrolled = (): void => {
    if (!this.list.atTop) return
    this.#top = newestOf(this.rows[0])
    this.fresh = 0
  }

  #focused = (event: FocusEvent): void => {
    const at = (event.target as HTMLElement).closest<HTMLElement>('[data-index]')?.dataset['index']
    const row = at === undefined ? undefined : this.rows[Number(at)]
    if (!row) return
    this.#place = Number(at)
    this.cursor = row.key
  }

  #toTop = (): void => {
    this.list.scrollToIndex(0, 'start')
    const [row] = this.rows
    this.cursor = row?.key ?? ''
    void this.focusRow()
  }
}

function keyOf(row: Row): string {
  return row.key
}

function labelOf(row: Row): string {
  if (row.kind === 'rest') return 'More of the group'
  if (row.kind === 'group') return `Group of ${row.group.total}`
  const n = row.notification
  return `${n.read_at ? '' : 'Unread: '}${summaryOf(n).slice(0, 200)}`
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-inbox-list': InboxList
  }
}
