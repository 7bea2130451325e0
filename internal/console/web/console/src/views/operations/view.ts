import { unwrap } from '@fanfare/client'
import { define, styled } from '@fanfare/elements/base'
import { icon } from '@fanfare/elements/icon'
import { CircleAlert, CircleCheck, Pause, Play, RefreshCw, TriangleAlert } from '@fanfare/elements/icons'
import { css, html, nothing } from 'lit'
import { query, state } from 'lit/decorators.js'
import { app } from '../../app.ts'
import { loaded, type Part } from '../../parts/part.ts'
import { pausedPolls, pausePolls, Poll } from '../../parts/poll.ts'
import { href, navigate, type QueryChange } from '../../router.ts'
import type { Shortcut } from '../../shortcuts.ts'
import { may } from '../../sign_in/me.ts'
import { View, viewStyles } from '../../view.ts'
import { type Tile, tiles, verdict } from './health.ts'
import type { OutboxStatus, Worker } from './types.ts'
import './dead.ts'
import './jobs.ts'
import './overview.ts'
import './parked.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/error'
import '@fanfare/elements/icon-button'
import '@fanfare/elements/skeleton'
import '@fanfare/elements/tabs'
import '@fanfare/elements/time'

const marks = { ok: CircleCheck, warning: TriangleAlert, error: CircleAlert }

/** Whether delivery goes well, and what to do about what does not. */
@define('ff-operations-view')
export class OperationsView extends View {
  static override styles = styled(
    viewStyles,
    css`
      .page { display: grid; gap: var(--ff-space-4); max-width: 1240px; }
      .verdict { display: flex; gap: var(--ff-space-3); align-items: flex-start; }
      .verdict svg { margin-block-start: 2px; }
      .verdict h2 { font-size: var(--ff-size-lg); line-height: 24px; }
      .verdict p { color: var(--ff-text-2); }
      .ok svg { color: var(--ff-success); }
      .warning svg { color: var(--ff-warning); }
      .error svg { color: var(--ff-error); }
      .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: var(--ff-space-2); }
      .scope { margin-block-end: var(--ff-space-1); font-weight: var(--ff-weight-bold); }
      .tile {
        display: grid; gap: 2px; padding: var(--ff-space-3); border: 1px solid var(--ff-border);
        border-radius: var(--ff-radius-lg); color: inherit;
      }
      a.tile:hover { background: var(--ff-hover); text-decoration: none; }
      .tile .label { color: var(--ff-text-2); font-size: var(--ff-size-meta); }
      .tile b { font-size: var(--ff-size-xl); line-height: 28px; font-weight: var(--ff-weight-bold); }
      .tile .note {
        display: flex; align-items: center; gap: 5px; color: var(--ff-text-3); font-size: var(--ff-size-sm);
      }
      .warning .note { color: var(--ff-warning); }
      .error .note { color: var(--ff-error); }
      ff-tabs::part(panel) { padding-block-start: var(--ff-space-6); }
      .fresh { display: flex; align-items: center; gap: var(--ff-space-2); color: var(--ff-text-3); }
      .fresh span { font-size: var(--ff-size-sm); }
      .stale { color: var(--ff-warning); }
      @media (max-width: 640px) {
        .brief { display: none; }
        .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
      }
    `,
  )

  @state() private outbox: Part<OutboxStatus> = {}
  @state() private workers: Part<Worker[]> = {}
  @query('.panel') private panel!: (HTMLElement & { refresh(): void }) | null
  #poll = new Poll(this, () => this.#load(), 5000)

  protected override shortcuts(): readonly Shortcut[] {
    return [
      { keys: 'r', label: 'Refresh', run: () => this.#refresh() },
      { keys: 'p', label: 'Pause or resume the refresh', run: () => this.#pause() },
    ]
  }

  async #load(): Promise<boolean> {
    const { client, me } = app()
    const workers = may(me, 'installation:read')
      ? loaded(
          this.workers,
          unwrap(client.GET('/installation/workers')).then((list) => list.items),
        )
      : this.workers
    this.outbox = await loaded(this.outbox, unwrap(client.GET('/outbox')))
    this.workers = await workers
    return this.outbox.error === undefined && this.workers.error === undefined
  }

  #refresh(): void {
    void this.#poll.now()
    this.panel?.refresh()
  }

  #pause(): void {
    pausePolls(!pausedPolls())
    this.requestUpdate()
  }

  protected override render(): unknown {
    return html`${this.renderHeader('Operations', this.#fresh())}
      <div class="view-body"><div class="page">${this.#content()}</div></div>`
  }

  #fresh(): unknown {
    const { at, stale, failing } = this.#poll
    const paused = pausedPolls()
    const old = stale || failing
    return html`<div class="fresh"><span class=${old ? 'stale' : ''} role="status">${
      paused ? 'Paused' : old ? 'Out of date' : at ? 'Live' : ''
    }</span>${
      at && (paused || old)
        ? html`<span>since <ff-time
      datetime=${new Date(at).toISOString()}></ff-time></span>`
        : nothing
    }
      <ff-icon-button .icon=${paused ? Play : Pause} shortcut="p"
        label=${paused ? 'Resume the refresh' : 'Pause the refresh'} @click=${() => this.#pause()}></ff-icon-button>
      <ff-icon-button .icon=${RefreshCw} label="Refresh" shortcut="r" @click=${() => this.#refresh()}></ff-icon-button>
    </div>`
  }

  #content(): unknown {
    const { value, error } = this.outbox
    if (!value) {
      return error
        ? html`<ff-error heading="The numbers could not be loaded" .error=${error}
          @retry=${() => this.#refresh()}></ff-error>`
        : html`<ff-skeleton kind="block" label="Loading the numbers"></ff-skeleton><ff-skeleton></ff-skeleton>`
    }
    const now = Date.now()
    const workers = this.workers.value
    const { tone, heading, text } = verdict(value, workers, now)
    return html`<div class="verdict ${tone}">${icon(marks[tone], 20)}<div><h2>${heading}</h2><p>${text}</p></div></div>
      <div class=${this.#tab === 'overview' ? '' : 'brief'}>
        <p class="scope">Your tenant${workers ? ', and the workers of all tenants' : ''}</p>
        <div class="tiles">${tiles(value, workers, now).map((t) => this.#tile(t))}</div></div>
      <ff-tabs label="Parts" .selected=${this.#tab} .tabs=${[
        { id: 'overview', label: 'Overview' },
        { id: 'dead', label: 'Dead letters', count: value.dead_letters },
        { id: 'parked', label: 'Parked', count: value.parked },
        { id: 'jobs', label: 'Fan-out jobs', count: value.broadcasts },
      ]} @change=${(e: CustomEvent<string>) => navigate(place(e.detail))}>${this.#panel()}</ff-tabs>`
  }

  get #tab(): string {
    const [tab = ''] = this.path
    return ['dead', 'parked', 'jobs'].includes(tab) ? tab : 'overview'
  }

  #tile(t: Tile): unknown {
    const content = html`<span class="label">${t.label}</span><b>${t.value}</b><span class="note">${
      t.tone === 'ok' ? nothing : icon(marks[t.tone], 13)
    }${t.note}</span>`
    return t.tab
      ? html`<a class="tile ${t.tone}" href=${place(t.tab)}>${content}</a>`
      : html`<div class="tile ${t.tone}">${content}</div>`
  }

  #panel(): unknown {
    const change = (event: CustomEvent<QueryChange>): void => this.setQuery(event.detail, { replace: true })
    switch (this.#tab) {
      case 'dead':
        return html`<ff-dead-letters class="panel" .query=${this.query} @changed=${() => void this.#poll.now()}
          @filter=${change}></ff-dead-letters>`
      case 'parked':
        return html`<ff-parked class="panel" ?failing=${this.query.get('failing') === 'true'}
          @filter=${change}></ff-parked>`
      case 'jobs':
        return html`<ff-jobs class="panel"></ff-jobs>`
      default:
        return html`<ff-overview class="panel" span=${this.#span}
          as=${this.query.get('as') === 'table' ? 'table' : 'charts'}
          .workers=${this.workers} @query=${change}></ff-overview>`
    }
  }

  get #span(): string {
    const span = this.query.get('span') ?? ''
    return ['15', '1440'].includes(span) ? span : '60'
  }
}

function place(tab: string): string {
  return href('operations', tab === 'overview' ? [] : [tab])
}
