import type { Notification, NotificationChanges } from '@fanfare/client'
import { define, styled } from '@fanfare/elements/base'
import type { Drawer } from '@fanfare/elements/drawer'
import { ChevronDown, ChevronUp } from '@fanfare/elements/icons'
import { html, nothing, type PropertyValues } from 'lit'
import { query, state } from 'lit/decorators.js'
import { app } from '../../app.ts'
import { href, navigate, withQuery } from '../../router.ts'
import type { Shortcut } from '../../shortcuts.ts'
import { View, viewStyles } from '../../view.ts'
import { Actions, fileAway, many, quiet, verbOf } from './actions.ts'
import type { InboxDetail } from './detail.ts'
import { emptyState } from './empty.ts'
import type { InboxFilters } from './filters.ts'
import type { InboxList, RowChange } from './list.ts'
import { filtersOf, groupingOf, queryOf, sameQuery, stateOf, tabsOf, withoutFilters } from './query.ts'
import type { Row } from './rows.ts'
import { Selection } from './selection.ts'
import { Shown } from './shown.ts'
import { inboxStyles } from './styles.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/checkbox'
import '@fanfare/elements/drawer'
import '@fanfare/elements/error'
import '@fanfare/elements/icon-button'
import '@fanfare/elements/skeleton'
import '@fanfare/elements/tabs'
import './bulk.ts'
import './detail.ts'
import './filters.ts'
import './header.ts'
import './list.ts'

/** The inbox of the caller: a list by state, live, and the notification that is open. */
@define('ff-inbox-view')
export class InboxView extends View {
  static override styles = styled(viewStyles, inboxStyles)

  @state() private selection = new Selection()
  @state() private allMatching = false
  @query('ff-inbox-list') private list!: InboxList | null
  @query('ff-inbox-detail') private detail!: InboxDetail | null
  @query('ff-inbox-filters') private filters!: InboxFilters | null
  @query('ff-drawer') private drawer!: Drawer
  #actions = new Actions(() => this.#shown.reload())
  #shown = new Shown((rows) => this.#changed(rows))
  #read = '' // what was marked as read when it was opened

  override connectedCallback(): void {
    super.connectedCallback()
    this.#shown.start()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#shown.stop()
  }

  protected override shortcuts(): readonly Shortcut[] {
    return [
      { keys: 'j', label: 'Next', run: () => this.#move(1) },
      { keys: 'k', label: 'Previous', run: () => this.#move(-1) },
      { keys: 'o', label: 'Open', run: () => this.#openCurrent() },
      { keys: 'e', label: 'Archive, or move to the inbox', run: () => this.#act((n) => fileAway(n)) },
      { keys: 'u', label: 'Mark as read or unread', run: () => this.#act((n) => ({ read: n.read_at === null })) },
      { keys: 's', label: 'Snooze', run: () => this.#snooze() },
      { keys: 'x', label: 'Select', run: () => this.#toggleCurrent(false) },
      { keys: 'Shift+X', label: 'Select up to here', run: () => this.#toggleCurrent(true) },
      { keys: 'z', label: 'Undo', run: () => void this.#actions.undo() },
      { keys: '/', label: 'Search', run: () => this.filters?.focusSearch() },
      { keys: 'Escape', label: 'Close, or clear the selection', run: () => this.#escape() },
    ]
  }

  get #openId(): string {
    return this.path[0] ?? ''
  }

  protected override willUpdate(changed: PropertyValues): void {
    this.toggleAttribute('open', this.#openId !== '')
    if (!changed.has('query')) return
    const { inbox } = app()
    const asked = queryOf(this.query)
    if (inbox.state.phase !== 'idle' && sameQuery(inbox.state.query, asked) && this.#shown.loaded) return
    this.#shown.expansion.clear()
    this.selection = new Selection()
    this.allMatching = false
    void inbox.load(asked)
  }

  #changed(rows: boolean): void {
    this.requestUpdate()
    if (rows && this.selection.size > 0) this.selection = this.selection.among(this.#shown.ids)
  }

  protected override render(): unknown {
    const { counts } = app().inbox.state
    const open = this.#openId !== ''
    return html`${this.renderHeader('Inbox', this.#headerActions(counts?.unread ?? 0))}
      <div class="split ${open ? 'open' : ''}">
        <div class="pane">
          <ff-tabs label="State" .tabs=${tabsOf(counts)} .selected=${stateOf(this.query)}
            @change=${(e: CustomEvent<string>) => this.#go({ state: e.detail === 'inbox' ? null : e.detail })}>
            <div class="column">${this.#bar()}<div class="list">${this.#list()}</div></div></ff-tabs>
        </div>
        <ff-drawer heading="Notification" close-label="Close the notification" .open=${open} @close=${this.#closed}>
          <ff-icon-button slot="actions" .icon=${ChevronUp} label="Previous" shortcut="k"
            @click=${() => this.#move(-1)}></ff-icon-button>
          <ff-icon-button slot="actions" .icon=${ChevronDown} label="Next" shortcut="j"
            @click=${() => this.#move(1)}></ff-icon-button>
          ${
            open
              ? html`<ff-inbox-detail .notificationId=${this.#openId} @loaded=${this.#loaded}
                  @change=${(e: CustomEvent<NotificationChanges>) => this.#changeOpen(e.detail)}></ff-inbox-detail>`
              : nothing
          }
        </ff-drawer>
      </div>`
  }

  #headerActions(unread: number): unknown {
    return html`<ff-inbox-header .grouping=${groupingOf(this.query)} .unread=${unread}
      @group=${(e: CustomEvent<string>) => this.#go({ group_by: e.detail || null })}
      @mark-all=${() => void this.#markAll({ read: true })}></ff-inbox-header>`
  }

  /** bar shows the filters, or the actions on what is selected. */
  #bar(): unknown {
    const { size } = this.selection
    const all = size > 0 && this.#shown.ids.every((id) => this.selection.has(id))
    const box = html`<ff-checkbox label="Select all that are shown" hide-label .checked=${all}
      .indeterminate=${size > 0 && !all} ?disabled=${this.#shown.rows.length === 0}
      @change=${(e: CustomEvent<boolean>) =>
        this.#select(new Selection(e.detail ? this.#shown.ids : []))}></ff-checkbox>`
    if (size > 0) {
      return html`<div class="bar selecting">${box}
        <ff-inbox-bulk .count=${size} .all=${this.allMatching} .more=${all && app().inbox.state.more}
          .filed=${['archived', 'snoozed'].includes(stateOf(this.query))} @all=${() => (this.allMatching = true)}
          @clear=${() => this.#select(new Selection())}
          @change=${(e: CustomEvent<NotificationChanges>) => void this.#bulk(e.detail)}></ff-inbox-bulk></div>`
    }
    return html`<div class="bar">${box}<ff-inbox-filters .filters=${filtersOf(this.query)}
      @change=${(e: CustomEvent<Record<string, string | null>>) => this.#go(e.detail)}
      @clear=${() => this.#go(withoutFilters)}></ff-inbox-filters></div>`
  }

  #list(): unknown {
    const { phase, error, more, loadingMore, query: asked } = app().inbox.state
    if (phase === 'failed') {
      return html`<ff-error heading="The inbox could not be loaded" .error=${error}
        @retry=${() => void app().inbox.retry()}></ff-error>`
    }
    if (this.#shown.rows.length === 0) {
      if (phase !== 'ready') return html`<ff-skeleton count="8"></ff-skeleton>`
      const filtered = Object.keys(filtersOf(this.query)).length > 0
      return emptyState(stateOf(this.query), filtered, () => this.#go(withoutFilters))
    }
    return html`<ff-inbox-list .rows=${this.#shown.rows} .selection=${this.selection} .grouping=${asked.group_by}
        .openId=${this.#openId} .more=${more} .hrefOf=${this.#href} @end=${() => void app().inbox.loadMore()}
        @select=${(e: CustomEvent<Notification>) => this.#select(this.selection.toggle(e.detail.id))}
        @extend=${(e: CustomEvent<Notification>) => this.#select(this.selection.extend(e.detail.id, this.#shown.ids))}
        @toggle-group=${({ detail: row }: CustomEvent<Row>) =>
          row.kind === 'group' && this.#shown.expansion.toggle(row.group)}
        @rest=${(e: CustomEvent<Row>) => this.#showGroup(e.detail)}
        @change=${(e: CustomEvent<RowChange>) => void this.#changeRow(e.detail)}></ff-inbox-list>
      ${loadingMore ? html`<div class="hidden-text" role="status">Loading more</div>` : nothing}`
  }

  #href = (id: string): string => {
    const search = this.query.toString()
    return href('inbox', [id]) + (search && `?${search}`)
  }

  #go(change: Record<string, string | null>): void {
    const search = withQuery(this.query, change).toString()
    navigate(href('inbox') + (search && `?${search}`))
  }

  #showGroup(row: Row): void {
    if (row.kind === 'rest') this.#go({ ...(row.group.filter as Record<string, string>), group_by: null })
  }

  #move(by: number): void {
    if (!this.list) return
    if (this.#openId && !this.list.current) this.list.put(this.#openId)
    const row = this.list.move(by)
    if (this.#openId && row?.kind === 'item') navigate(this.#href(row.notification.id), { replace: true })
  }

  #openCurrent(): void {
    const row = this.list?.current
    if (row?.kind === 'item') navigate(this.#href(row.notification.id))
    else if (row?.kind === 'group') void this.#shown.expansion.toggle(row.group)
  }

  #toggleCurrent(range: boolean): void {
    const row = this.list?.current
    if (row?.kind !== 'item') return
    const { id } = row.notification
    this.#select(range ? this.selection.extend(id, this.#shown.ids) : this.selection.toggle(id))
  }

  #select(selection: Selection): void {
    this.selection = selection
    this.allMatching = false
  }

  #escape(): void {
    if (this.selection.size > 0) this.#select(new Selection())
    else if (this.#openId) this.drawer.dispatchEvent(new CustomEvent('close'))
  }

  #closed = (event: Event): void => {
    event.preventDefault() // the address closes it
    const id = this.#openId
    const search = this.query.toString()
    navigate(href('inbox') + (search && `?${search}`))
    this.list?.put(id)
    void this.updateComplete.then(() => this.list?.focusRow())
  }

  /** What is opened becomes read. */
  #loaded = (event: CustomEvent<Notification>): void => {
    const n = event.detail
    this.name(n.event.ui_hints.title || n.event.action)
    this.list?.put(n.id)
    if (n.read_at === null && n.id !== this.#read) {
      this.#read = n.id
      void this.#actions.opened(n.id).then(() => this.detail?.changed({ read: true }))
    }
  }

  #snooze(): void {
    if (this.#openId) this.detail?.openSnooze()
    else void this.list?.openSnooze()
  }

  /** act changes what is selected, or else what is open or at the cursor. */
  #act(changesOf: (n: Notification) => NotificationChanges): void {
    const row = this.list?.current
    const n = this.#openId ? this.detail?.current : row?.kind === 'item' ? row.notification : undefined
    if (this.selection.size > 0) {
      const first = this.#shown.rows.find((r) => r.kind === 'item' && this.selection.has(r.notification.id))
      if (first?.kind === 'item') void this.#bulk(changesOf(first.notification))
    } else if (this.#openId) {
      if (n) this.#changeOpen(changesOf(n))
    } else if (row?.kind === 'group') {
      void this.#changeRow({ row, changes: changesOf(row.group.items[0] as Notification) })
    } else if (n && row) void this.#changeRow({ row, changes: changesOf(n) })
  }

  #changeOpen(changes: NotificationChanges): void {
    const id = this.#openId
    const text = quiet(changes) ? '' : `${many(1)} ${verbOf(changes)}.`
    this.detail?.changed(changes)
    const leaves = !quiet(changes) && stateOf(this.query) !== 'all'
    void this.#actions.change([id], changes, text)
    if (!leaves) return
    const row = this.list?.move(0)
    const next = row?.kind === 'item' && row.notification.id !== id ? row.notification.id : ''
    if (next) navigate(this.#href(next), { replace: true })
    else this.drawer.dispatchEvent(new CustomEvent('close', { cancelable: true }))
  }

  async #changeRow({ row, changes }: RowChange): Promise<void> {
    if (row.kind === 'item') {
      const focused = this.list?.current?.key === row.key
      const text = quiet(changes) ? '' : `${many(1)} ${verbOf(changes)}.`
      const changed = this.#actions.change([row.notification.id], changes, text)
      if (focused && !quiet(changes)) this.list?.move(0)
      await changed
      return
    }
    const { group_by: _, ...filter } = app().inbox.state.query
    const upTo = row.group.items[0]?.id ?? ''
    await this.#actions.markAll({ ...filter, ...row.group.filter }, changes, upTo, verbOf(changes))
  }

  async #bulk(changes: NotificationChanges): Promise<void> {
    const ids = [...this.selection.ids]
    if (this.allMatching) await this.#markAll(changes)
    else await this.#actions.change(ids, changes, `${many(ids.length)} ${verbOf(changes)}.`)
    this.#select(new Selection())
  }

  #markAll(changes: NotificationChanges): Promise<void> {
    return this.#actions.markAll(queryOf(this.query), changes, this.list?.shownUpTo ?? '', verbOf(changes))
  }
}
