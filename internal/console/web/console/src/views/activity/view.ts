import { type Activity, ProblemError } from '@fanfare/client'
import { define, styled } from '@fanfare/elements/base'
import { icon } from '@fanfare/elements/icon'
import { ArrowUp, Download, Filter, Pause, Play } from '@fanfare/elements/icons'
import { html, nothing } from 'lit'
import { query, state } from 'lit/decorators.js'
import { app } from '../../app.ts'
import { href, navigate, withQuery } from '../../router.ts'
import type { Shortcut } from '../../shortcuts.ts'
import { may } from '../../sign_in/me.ts'
import { View, viewStyles } from '../../view.ts'
import { FacetCounts } from './facet_counts.ts'
import { Feed, maxPending } from './feed.ts'
import { Names } from './names.ts'
import type { Field, Selection } from './query.ts'
import type { QueryLine } from './query_line.ts'
import type { Row } from './rows.ts'
import { changeTo, keyOf, selectionOf, without } from './selection.ts'
import { Source } from './source.ts'
import { renderFooter, renderInstead } from './states.ts'
import { Suggestions } from './suggestions.ts'
import type { Timeline } from './timeline.ts'
import { activityStyles } from './view_styles.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/banner'
import './detail.ts'
import './export_dialog.ts'
import './facets.ts'
import './query_line.ts'
import './timeline.ts'

const wide = matchMedia('(min-width: 900px)')

/** What happened: the tenant's log with `activity:read`, else what the caller may see. */
@define('ff-activity-view')
export class ActivityView extends View {
  static override styles = styled(viewStyles, activityStyles)

  @state() private version = 0
  @state() private rail = wide.matches
  @state() private exporting = false
  @query('ff-activity-timeline') private timeline: Timeline | null | undefined
  @query('ff-query-line') private line!: QueryLine
  #all = may(app().me, 'activity:read')
  #source = new Source(app().client, this.#all)
  #feed = new Feed(this.#source, app().realtime, () => this.#changed())
  #names = new Names(app().client, () => this.requestUpdate())
  #suggestions = new Suggestions(app().client, this.#names, this.#all, () => this.#feed.rows.list)
  #counts = new FacetCounts(this.#source, () => this.requestUpdate())
  #key = ''
  #selection: Selection = {}
  #lastOpen = ''
  #resized = (): void => {
    this.rail = wide.matches
  }

  protected override shortcuts(): readonly Shortcut[] {
    return [
      { keys: '/', label: 'Filter', run: () => this.line.focus() },
      { keys: 'j', label: 'Next activity', run: () => void this.#step(1) },
      { keys: 'k', label: 'Previous activity', run: () => void this.#step(-1) },
      { keys: 't', label: 'Go to the newest', run: () => this.#toTop() },
      { keys: 'l', label: 'Switch the live updates on or off', run: () => this.#toggleLive() },
      { keys: 'f', label: 'Show or hide the filters', run: () => (this.rail = !this.rail) },
      { keys: 'c', label: 'Clear the filter', run: () => this.#select({}) },
    ]
  }

  override connectedCallback(): void {
    super.connectedCallback()
    wide.addEventListener('change', this.#resized)
    window.addEventListener('online', this.#online)
    document.addEventListener('visibilitychange', this.#shown)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    wide.removeEventListener('change', this.#resized)
    window.removeEventListener('online', this.#online)
    document.removeEventListener('visibilitychange', this.#shown)
    this.#feed.stop()
    this.#counts.stop()
    this.#key = ''
  }

  get #open(): string {
    return this.path[0] ?? ''
  }

  get #following(): boolean {
    return this.query.get('live') !== 'off'
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has('query') && !changed.has('path')) return
    const selection = selectionOf(this.query)
    const key = keyOf(selection)
    if (key !== this.#key) {
      this.#key = key
      this.#selection = selection
      void this.#feed.load(selection)
      void this.#names.ask(selection)
      this.#counts.load(this.#feed.filter)
      if (this.timeline) this.timeline.scrollTop = 0
    }
    this.#feed.follow(this.#following)
  }

  protected override updated(changed: Map<PropertyKey, unknown>): void {
    this.#pause()
    if (!changed.has('path')) return
    this.toggleAttribute('detail', this.#open !== '')
    if (this.#lastOpen && !this.#open) void this.#return(this.#lastOpen)
    this.#lastOpen = this.#open
  }

  /** The focus returns to the row whose details were open. */
  async #return(id: string): Promise<void> {
    await this.updateComplete
    if (!(await this.timeline?.focusRow(id))) void this.focusHeading()
  }

  #changed(): void {
    this.version++
    this.#counts.stale()
  }

  #pause(): void {
    this.#feed.pause(this.#open !== '' || this.timeline?.atTop === false)
  }

  protected override render(): unknown {
    const open = this.#open
    return html`${this.#header()}
      <div class="bar"><ff-button .expanded=${this.rail} label="Filters" @click=${() => (this.rail = !this.rail)}
          >${icon(Filter, 14)}<span class="wide-only">Filters</span></ff-button>
        <ff-query-line .selection=${this.#selection} .names=${this.#names} named=${this.#names.version}
          .suggestions=${this.#suggestions}
          @change=${(e: CustomEvent<Selection>) => this.#select(e.detail)}></ff-query-line></div>
      <div class="columns ${open ? 'with-detail' : ''}">
        ${this.rail ? this.#facets() : nothing}
        <div class="main">${this.#banner()}${this.#main()}${this.#newer()}</div>
        <ff-activity-detail .activity=${open} .source=${this.#source} .names=${this.#names} .query=${this.query}
          .selection=${this.#selection} @close=${() => this.#close()}
          @found=${({ detail: a }: CustomEvent<Activity>) => this.name(a.ui_hints.title || a.action)}
          @missing=${(e: CustomEvent<string>) => this.#missing(e.detail)}
          @step=${(e: CustomEvent<1 | -1>) => void this.#step(e.detail)}></ff-activity-detail>
      </div>
      ${
        this.#all
          ? html`<ff-export-dialog ?open=${this.exporting} .client=${this.#source.client}
        .selection=${this.#selection} .names=${this.#names}
          @close=${() => (this.exporting = false)}></ff-export-dialog>`
          : nothing
      }`
  }

  #header(): unknown {
    const { live } = this.#feed
    const following = this.#following
    const text = following
      ? { off: 'Live', live: 'Live', connecting: 'Connecting…', waiting: 'Reconnecting…', ended: 'Not live' }[live]
      : 'Live is off'
    const title = html`Activity <span class="count">${this.#all ? this.#counts.text : 'visible to you'}</span>`
    return this.renderHeader(
      title,
      html`
      <ff-button variant="ghost" .pressed=${following} label="Live updates: ${text}" @click=${() => this.#toggleLive()}>
        <span class="live-dot ${following ? live : ''}"></span><span role="status">${text}</span>
        ${icon(following ? Pause : Play, 14)}</ff-button>
      ${
        this.#all
          ? html`<ff-button label="Export" @click=${() => (this.exporting = true)}>${icon(Download, 14)}
        <span class="wide-only">Export</span></ff-button>`
          : nothing
      }`,
    )
  }

  #facets(): unknown {
    const { facets, note } = this.#counts.of(this.#all ? undefined : this.#feed.rows.list)
    return html`<ff-activity-facets class="small" .facets=${facets} note=${note} .selection=${this.#selection}
      .names=${this.#names} named=${this.#names.version} @change=${(
        e: CustomEvent<{ field: Field; value?: string }>,
      ) => {
        const { field, value } = e.detail
        if (!wide.matches) this.rail = false
        this.#select(value === undefined ? without(this.#selection, field) : { ...this.#selection, [field]: value })
      }}></ff-activity-facets>`
  }

  #banner(): unknown {
    const { phase, live, rows } = this.#feed
    if (phase !== 'ready' || live !== 'ended' || !this.#following || rows.list.length === 0) return nothing
    return html`<ff-banner kind="warning">New activities no longer arrive: the server has refused them.
      <ff-button slot="actions" size="sm" @click=${() => this.#restart()}>Try again</ff-button></ff-banner>`
  }

  #main(): unknown {
    const instead = renderInstead(this.#feed, this.#selection, {
      retry: () => void this.#feed.load(),
      more: () => void this.#feed.loadMore(),
      all: this.#all,
      select: (selection) => this.#select(selection),
    })
    if (instead) return instead
    return html`<ff-activity-timeline .rows=${this.#feed.rows.list} version=${this.version} open=${this.#open}
      .hrefOf=${this.#hrefOf} .footer=${renderFooter(this.#feed, () => void this.#feed.loadMore(), this.#olderHref())}
      @end=${() => {
        if (this.#feed.more === 'idle') void this.#feed.loadMore()
      }}
      @top=${() => this.#pause()}></ff-activity-timeline>`
  }

  #newer(): unknown {
    const { pending, overflow, phase } = this.#feed
    const text = overflow ? `${maxPending.toLocaleString()}+` : pending.length.toLocaleString()
    return html`<div class="new" role="status">${
      phase === 'ready' && pending.length > 0
        ? html`<ff-button variant="primary" size="sm"
          @click=${() => this.#toTop()}>${icon(ArrowUp, 14)} ${text} new</ff-button>`
        : nothing
    }</div>`
  }

  #hrefOf = (row: Row): string => this.#place(row.id)

  #place(id: string): string {
    return href('activity', id ? [id] : []) + searchOf(this.query)
  }

  #olderHref(): string {
    const until = this.#feed.rows.list.at(-1)?.at
    return href('activity') + searchOf(withQuery(this.query, { until }))
  }

  #select(selection: Selection): void {
    navigate(href('activity') + searchOf(withQuery(this.query, changeTo(selection))))
  }

  #close(): void {
    if (this.#open) navigate(this.#place(''))
  }

  async #step(by: 1 | -1): Promise<void> {
    const row = this.timeline?.step(by)
    if (!row) return
    if (this.#open) {
      navigate(this.#place(row.id), { replace: true })
      this.timeline?.show(row.id)
    } else await this.timeline?.focusRow(row.id)
  }

  #toTop(): void {
    this.#feed.showPending()
    this.timeline?.scrollToTop()
  }

  #toggleLive(): void {
    this.setQuery({ live: this.#following ? 'off' : null }, { replace: true })
  }

  #restart(): void {
    this.#feed.follow(false)
    void this.#feed.load()
    this.#feed.follow(true)
  }

  /** An activity that the caller may no longer see is not shown in the list either. */
  #missing(id: string): void {
    if (this.#feed.rows.has(id)) void this.#feed.load()
  }

  #shown = (): void => {
    if (document.visibilityState === 'visible' && this.#following) this.#feed.again()
  }

  #online = (): void => {
    if (this.#feed.phase === 'error' && !(this.#feed.error instanceof ProblemError)) void this.#feed.load()
  }
}

function searchOf(query: URLSearchParams): string {
  const search = query.toString()
  return search && `?${search}`
}
