import { unwrap } from '@fanfare/client'
import { BaseElement, define, emit, styled, textStyles } from '@fanfare/elements/base'
import { Lock } from '@fanfare/elements/icons'
import { icon } from '@fanfare/elements/icon'
import { css, html, nothing, type PropertyValues } from 'lit'
import { property, state } from 'lit/decorators.js'
import { app } from '../../app.ts'
import { loaded, type Part } from '../../parts/part.ts'
import { Poll } from '../../parts/poll.ts'
import { may } from '../../sign_in/me.ts'
import { charts, spans } from './series.ts'
import { historyTable, laneTable, workerTable } from './tables.ts'
import { operatorStyles } from './styles.ts'
import type { History, Lane, Worker } from './types.ts'
import './chart.ts'
import './lanes.ts'
import '@fanfare/elements/error'
import '@fanfare/elements/segmented'
import '@fanfare/elements/skeleton'

/** How delivery goes: the charts, the lanes and the workers of the installation. Fires `query` with changes. */
@define('ff-overview')
export class Overview extends BaseElement {
  static override styles = styled(
    textStyles,
    operatorStyles,
    css`
      :host { display: grid; gap: var(--ff-space-8); }
      .charts { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: var(--ff-space-3); }
      .calm {
        display: flex; gap: var(--ff-space-3); padding: var(--ff-space-3) var(--ff-space-4);
        border-radius: var(--ff-radius-lg); background: var(--ff-sunken); color: var(--ff-text-2);
      }
      .calm svg { margin-block-start: 2px; }
      #history { margin-inline-end: auto; }
      .old { color: var(--ff-warning); }
      @media (max-width: 900px) { .charts { grid-template-columns: minmax(0, 1fr); } }
    `,
  )

  @property() span: string = '60'
  /** table shows tables in place of charts. */
  @property() as: 'charts' | 'table' = 'charts'
  @property({ attribute: false }) workers: Part<Worker[]> = {}
  @state() private history: Part<History> = {}
  @state() private lanes: Part<Lane[]> = {}
  /** The point that all charts show. */
  @state() private at: number | null = null
  #installation = may(app().me, 'installation:read')
  #poll = new Poll(this, () => this.#load(), 5000)

  refresh(): void {
    void this.#poll.now()
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('span') && this.hasUpdated) this.refresh()
  }

  async #load(): Promise<boolean> {
    const { client } = app()
    const minutes = Number(this.span)
    const items = (call: Promise<{ items: Lane[] }>): Promise<Lane[]> => call.then((list) => list.items)
    if (!this.#installation) {
      this.lanes = await loaded(this.lanes, items(unwrap(client.GET('/outbox/lanes'))))
      return this.lanes.error === undefined
    }
    const [history, lanes] = await Promise.all([
      loaded(this.history, unwrap(client.GET('/installation/history', { params: { query: { minutes } } }))),
      loaded(this.lanes, items(unwrap(client.GET('/installation/lanes')))),
    ])
    if (minutes === Number(this.span)) this.history = history
    this.lanes = lanes
    return history.error === undefined && lanes.error === undefined
  }

  protected override render(): unknown {
    return html`${this.#installation ? this.#charts() : calm}${this.#lanes()}
      ${this.#installation ? this.#workers() : nothing}`
  }

  #charts(): unknown {
    const { value, error } = this.history
    const choose = (name: string, value: string, usual: string): void => {
      emit(this, 'query', { [name]: value === usual ? null : value })
    }
    return html`<section aria-labelledby="history"><div class="section-head">
        <h2 id="history">Delivery over time, all tenants</h2>
        ${error && value ? html`<span class="old">Out of date</span>` : nothing}
        <ff-segmented label="Time" hide-label .options=${spans} .value=${this.span}
          @change=${(e: CustomEvent<string>) => choose('span', e.detail, '60')}></ff-segmented>
        <ff-segmented label="Shown as" hide-label .value=${this.as}
          .options=${[
            { value: 'charts', label: 'Charts' },
            { value: 'table', label: 'Table' },
          ]}
          @change=${(e: CustomEvent<string>) => choose('as', e.detail, 'charts')}></ff-segmented></div>
      ${
        error && !value
          ? html`<ff-error compact heading="The history could not be loaded" .error=${error}
            @retry=${() => this.refresh()}></ff-error>`
          : this.as === 'table'
            ? value
              ? historyTable(value)
              : html`<ff-skeleton count="6"></ff-skeleton>`
            : html`<div class="charts">${charts.map(
                (chart) => html`<ff-chart class="card" .chart=${chart}
              .history=${value} .at=${this.at}
              @point=${(e: CustomEvent<number | null>) => (this.at = e.detail)}></ff-chart>`,
              )}</div>`
      }</section>`
  }

  #lanes(): unknown {
    const { value, error } = this.lanes
    return html`<section aria-labelledby="lanes"><div class="section-head">
        <h2 id="lanes">Lanes, ${this.#installation ? 'all tenants' : 'your tenant'}</h2>
        <span class="note">The number of a cell is
          what is pending; a lane delivers the activities of its resources in order.</span></div>
      ${
        !value
          ? error
            ? html`<ff-error compact heading="The lanes could not be loaded" .error=${error}
              @retry=${() => this.refresh()}></ff-error>`
            : html`<ff-skeleton kind="block" label="Loading the lanes"></ff-skeleton>`
          : this.as === 'table'
            ? laneTable(value)
            : html`<ff-lanes .lanes=${value}></ff-lanes>`
      }</section>`
  }

  #workers(): unknown {
    const { value, error } = this.workers
    return html`<section aria-labelledby="workers"><h2 id="workers">Workers</h2>${
      value
        ? workerTable(value)
        : error
          ? html`<ff-error compact heading="The workers could not be loaded" .error=${error} no-retry></ff-error>`
          : html`<ff-skeleton count="2" label="Loading the workers"></ff-skeleton>`
    }</section>`
  }
}

const calm = html`<div class="calm" role="note">${icon(Lock, 16)}<p>The charts and the workers describe the whole
  installation, which all tenants share. They need the scope <code>installation:read</code>.</p></div>`

declare global {
  interface HTMLElementTagNameMap {
    'ff-overview': Overview
  }
}
