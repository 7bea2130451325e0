import { BaseElement, define, styled } from '@fanfare/elements/base'
import { css, html, nothing } from 'lit'
import { property, state } from 'lit/decorators.js'
import { compact } from '../../parts/format.ts'
import { heat, type Heat, heatNames, lanesText, laneText } from './lane_heat.ts'
import type { Lane } from './types.ts'

/** The lanes as a strip of cells: what is pending in each, and for how long. One tab stop; the arrow keys move. */
@define('ff-lanes')
export class Lanes extends BaseElement {
  static override styles = styled(css`
    :host { display: block; }
    .strip { display: grid; grid-template-columns: repeat(32, minmax(0, 1fr)); gap: 3px; }
    button {
      position: relative; display: grid; place-items: center; min-width: 0; height: 28px; overflow: hidden;
      border-radius: var(--ff-radius-sm); color: var(--ff-text-2); font: 11px / 1 var(--ff-font);
      font-variant-numeric: tabular-nums;
    }
    button:focus-visible { outline-offset: 1px; z-index: 1; }
    .h0 { background: var(--ff-sunken); box-shadow: inset 0 0 0 1px var(--ff-border); }
    .h1 { background: var(--ff-accent-soft); color: var(--ff-text); }
    .h2 { background: var(--ff-accent); color: var(--ff-on-accent); }
    .h3 { background: var(--ff-warning-soft); color: var(--ff-warning); box-shadow: inset 0 0 0 1px var(--ff-warning); }
    .h4 { background: var(--ff-critical); color: var(--ff-on-critical); font-weight: var(--ff-weight-bold); }
    .mark::after {
      content: ''; position: absolute; inset: auto 3px 3px auto; width: 5px; height: 5px; border-radius: 50%;
      background: currentColor;
    }
    .below {
      display: flex; flex-wrap: wrap; justify-content: space-between; gap: var(--ff-space-1) var(--ff-space-4);
      margin-block-start: var(--ff-space-2); color: var(--ff-text-2); font-size: var(--ff-size-sm);
    }
    .legend { display: flex; flex-wrap: wrap; gap: var(--ff-space-3); color: var(--ff-text-3); }
    .legend span { display: inline-flex; align-items: center; gap: 5px; }
    .legend i { position: relative; width: 12px; height: 12px; border-radius: 3px; }
    @media (max-width: 900px) { .strip { grid-template-columns: repeat(16, minmax(0, 1fr)); } }
    @media (max-width: 640px) { .strip { grid-template-columns: repeat(8, minmax(0, 1fr)); } }
  `)

  @property({ attribute: false }) lanes: readonly Lane[] = []
  @state() private current = 0
  @state() private shown: number | undefined

  protected override render(): unknown {
    const now = Date.now()
    const lane = this.lanes.find((l) => l.lane === this.shown)
    return html`<div class="strip" role="group" aria-label="Lanes" @keydown=${this.#key}
        @pointerleave=${() => this.#show(undefined)} @focusout=${() => this.#show(undefined)}>
        ${this.lanes.map((l) => this.#cell(l, now))}</div>
      <div class="below"><span>${lane ? laneText(lane, now) : lanesText(this.lanes, now)}</span>
        <span class="legend" aria-hidden="true">${([0, 1, 2, 3, 4] as Heat[]).map(
          (h) => html`<span><i class="h${h}"></i>${heatNames[h]}</span>`,
        )}<span><i class="h0 mark"></i>parked</span></span></div>`
  }

  #cell(lane: Lane, now: number): unknown {
    const h = heat(lane, now)
    return html`<button type="button" class="h${h} ${lane.parked > 0 ? 'mark' : ''}" data-lane=${lane.lane}
      aria-label=${`${laneText(lane, now)} (${heatNames[h]})`} tabindex=${lane.lane === this.current ? 0 : -1}
      @focus=${() => this.#show(lane.lane)} @pointerenter=${() => this.#show(lane.lane)}
      @click=${() => this.#show(lane.lane)}>${lane.pending > 0 ? compact(lane.pending) : nothing}</button>`
  }

  #show(lane: number | undefined): void {
    this.shown = lane
  }

  #key(event: KeyboardEvent): void {
    const columns = getComputedStyle(event.currentTarget as Element).gridTemplateColumns.split(' ').length
    const last = this.lanes.length - 1
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key]
    const to = event.key === 'Home' ? 0 : event.key === 'End' ? last : step === undefined ? -1 : this.current + step
    if (to < 0 || to > last) return
    event.preventDefault()
    this.current = to
    this.renderRoot.querySelector<HTMLElement>(`[data-lane='${to}']`)?.focus()
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-lanes': Lanes
  }
}
