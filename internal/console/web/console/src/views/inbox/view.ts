import type { InboxState, Notification, NotificationChanges } from '@fanfare/client'
import { define, styled } from '@fanfare/elements/base'
import type { Drawer } from '@fanfare/elements/drawer'
import { icon } from '@fanfare/elements/icon'
import { CheckCheck, ChevronDown, ChevronUp, Layers } from '@fanfare/elements/icons'
import type { MenuItem } from '@fanfare/elements/menu'
import { html, nothing, type PropertyValues } from 'lit'
import { query, state } from 'lit/decorators.js'
import { app } from '../../app.ts'
import { href, navigate, withQuery } from '../../router.ts'
import type { Shortcut } from '../../shortcuts.ts'
import { View, viewStyles } from '../../view.ts'
import { Actions, filed, many, quiet, verbOf } from './actions.ts'
import type { InboxDetail } from './detail.ts'
import { emptyState } from './empty.ts'
import { Expansion } from './expansion.ts'
import type { InboxFilters } from './filters.ts'
import type { InboxList, RowChange } from './list.ts'
import { filtersOf, groupingOf, queryOf, sameQuery, stateOf, withoutFilters } from './query.ts'
import { type Row, rowsOf } from './rows.ts'
import { Selection } from './selection.ts'
import { inboxStyles } from './styles.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/checkbox'
import '@fanfare/elements/dialog'
import '@fanfare/elements/drawer'
import '@fanfare/elements/error'
import '@fanfare/elements/icon-button'
import '@fanfare/elements/menu'
import '@fanfare/elements/skeleton'
import '@fanfare/elements/tabs'
import './bulk.ts'
import './detail.ts'
import './filters.ts'
import './list.ts'

const groupNames = { resource: 'Resource', correlation: 'Workflow', burst: 'Burst' } as const

/** As many changes can be undone. */
const undoable = 1000

/** The inbox of the caller: a list by state, live, and the notification that is open. */
@define('ff-inbox-view')
export class InboxView extends View {
  static override styles = styled(viewStyles, inboxStyles)

  @state() private rows: readonly Row[] = []
  @state() private selection = new Selection()
  @state() private allMatching = false
  @state() private confirming = false
  @query('ff-inbox-list') private list!: InboxList | null
  @query('ff-inbox-detail') private detail!: InboxDetail | null
  @query('ff-inbox-filters') private filters!: InboxFilters | null
  @query('ff-drawer') private drawer!: Drawer
  #actions = new Actions(() => this.#settle())
  #expansion = new Expansion(() => this.#rowsChanged())
  #state: InboxState | undefined
  #members: ReadonlyMap<string, readonly Notification[]> | undefined // those in the rows
  #unsubscribe: (() => void) | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    this.#unsubscribe = app().inbox.subscribe(() => this.#rowsChanged())
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#unsubscribe?.()
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
    if (inbox.state.phase !== 'idle' && sameQuery(inbox.state.query, asked) && this.#state) return
    this.#expansion.clear()
    this.selection = new Selection()
    this.allMatching = false
    void inbox.load(asked)
  }

  #rowsChanged(): void {
    const { state: now } = app().inbox
    const { members } = this.#expansion
    const same = now.items === this.#state?.items && now.groups === this.#state?.groups && members === this.#members
    this.#state = now
    this.requestUpdate()
    if (same) return
    this.#members = members
    this.#expansion.follow(now.groups)
    this.rows = rowsOf(now, members)
    if (this.selection.size > 0) this.selection = this.selection.among(this.#ids())
  }

  #ids(): string[] {
    return this.rows.flatMap((row) => (row.kind === 'item' ? [row.notification.id] : []))
  }

  protected override render(): unknown {
    const tab = stateOf(this.query)
    const counts = app().inbox.state.counts
    const tabs = [
      { id: 'inbox', label: 'Inbox', count: counts?.inbox ?? 0 },
      { id: 'unread', label: 'Unread', count: counts?.unread ?? 0 },
      { id: 'snoozed', label: 'Snoozed', count: counts?.snoozed ?? 0 },
      { id: 'archived', label: 'Archived', count: counts?.archived ?? 0 },
      { id: 'all', label: 'All' },
    ]
    const open = this.#openId !== ''
    return html`${this.renderHeader('Inbox', this.#headerActions())}
      <div class="split ${open ? 'open' : ''}">
        <div class="pane">
          <ff-tabs label="State" .tabs=${tabs} .selected=${tab}
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
      </div>${this.#confirm()}`
  }

  #headerActions(): unknown {
    const grouping = groupingOf(this.query)
    const items: MenuItem[] = [
      { id: '', label: 'Not grouped', checked: !grouping },
      ...Object.entries(groupNames).map(([id, label]) => ({ id, label, checked: id === grouping })),
    ]
    return html`<ff-menu align="end" label="Group by" .items=${items}
        @select=${(e: CustomEvent<string>) => this.#go({ group_by: e.detail || null })}>
        <ff-button slot="trigger" size="sm" variant="ghost">${icon(Layers, 14)}
          ${grouping ? `By ${groupNames[grouping].toLowerCase()}` : 'Group'}</ff-button></ff-menu>
      <ff-button size="sm" @click=${this.#markAllRead}>${icon(CheckCheck, 14)} Mark all as read</ff-button>`
  }

  /** bar shows the filters, or the actions on what is selected. */
  #bar(): unknown {
    const { size } = this.selection
    const all = size > 0 && this.#ids().every((id) => this.selection.has(id))
    const box = html`<ff-checkbox label="Select all that are shown" hide-label .checked=${all}
      .indeterminate=${size > 0 && !all} ?disabled=${this.rows.length === 0}
      @change=${(e: CustomEvent<boolean>) => this.#select(new Selection(e.detail ? this.#ids() : []))}></ff-checkbox>`
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
    if (this.rows.length === 0) {
      if (phase !== 'ready') return html`<ff-skeleton count="8"></ff-skeleton>`
      const filtered = Object.keys(filtersOf(this.query)).length > 0
      return emptyState(stateOf(this.query), filtered, () => this.#go(withoutFilters))
    }
    return html`<ff-inbox-list .rows=${this.rows} .selection=${this.selection} .grouping=${asked.group_by}
        .openId=${this.#openId} .more=${more} .hrefOf=${this.#href} @end=${() => void app().inbox.loadMore()}
        @select=${(e: CustomEvent<Notification>) => this.#select(this.selection.toggle(e.detail.id))}
        @extend=${(e: CustomEvent<Notification>) => this.#select(this.selection.extend(e.detail.id, this.#ids()))}
        @toggle-group=${(e: CustomEvent<Row>) => e.detail.kind === 'group' && this.#expansion.toggle(e.detail.group)}
        @rest=${(e: CustomEvent<Row>) => this.#showGroup(e.detail)}
        @change=${(e: CustomEvent<RowChange>) => void this.#changeRow(e.detail)}></ff-inbox-list>
      ${loadingMore ? html`<div class="hidden-text" role="status">Loading more</div>` : nothing}`
  }

  #confirm(): unknown {
    const unread = app().inbox.state.counts?.unread ?? 0
    const close = (): void => void (this.confirming = false)
    return html`<ff-dialog heading="Mark all as read?" .open=${this.confirming} @close=${close}>
      <p>${unread >= 10_000 ? '10,000 or more notifications are' : `${many(unread)} are`} unread.
        More than ${undoable.toLocaleString()} changes cannot be undone.</p>
      <ff-button slot="footer" @click=${close}>Cancel</ff-button>
      <ff-button slot="footer" variant="primary" @click=${() => {
        close()
        void this.#markAll({ read: true })
      }}>Mark all as read</ff-button></ff-dialog>`
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
    else if (row?.kind === 'group') void this.#expansion.toggle(row.group)
  }

  #toggleCurrent(range: boolean): void {
    const row = this.list?.current
    if (row?.kind !== 'item') return
    const { id } = row.notification
    this.#select(range ? this.selection.extend(id, this.#ids()) : this.selection.toggle(id))
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
    this.list?.put(n.id)
    if (n.read_at === null && n.id !== this.#read) {
      this.#read = n.id
      void this.#actions.change([n.id], { read: true }, '').then(() => this.detail?.changed({ read: true }))
    }
  }

  #read = ''

  #snooze(): void {
    if (this.#openId) this.detail?.openSnooze()
    else void this.list?.openSnooze()
  }

  /** act changes what is selected, or else what is open or at the cursor. */
  #act(changesOf: (n: Notification) => NotificationChanges): void {
    const row = this.list?.current
    const n = this.#openId ? this.detail?.current : row?.kind === 'item' ? row.notification : undefined
    if (this.selection.size > 0) {
      const first = this.rows.find((r) => r.kind === 'item' && this.selection.has(r.notification.id))
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

  #markAllRead = (): void => {
    if ((app().inbox.state.counts?.unread ?? 0) > undoable) this.confirming = true
    else void this.#markAll({ read: true })
  }

  #markAll(changes: NotificationChanges): Promise<void> {
    return this.#actions.markAll(queryOf(this.query), changes, this.list?.shownUpTo ?? '', verbOf(changes))
  }

  /** settle reads groups again, whose numbers the store does not count. */
  #settle(): void {
    const { inbox } = app()
    if (inbox.state.groups) void inbox.refresh().then(() => this.#expansion.reload(inbox.state.groups))
  }
}

/** fileAway archives what is in the inbox, and moves all else there. */
function fileAway(n: Notification): NotificationChanges {
  return filed(n) ? { archived: false, snoozed_until: null } : { archived: true }
}
