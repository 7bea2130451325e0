import { BaseElement, define, emit, styled } from '@fanfare/elements/base'
import { inlineStyle } from '@fanfare/elements/inline-style'
import { css, html, nothing, svg } from 'lit'
import { property, query, state } from 'lit/decorators.js'
import { line, linear, nearest, type Scale, steps, surface, top } from './plot.ts'
import { type Chart, clock, dataOf, increments, latest, lonely, type Series, summary } from './series.ts'
import type { History } from './types.ts'

const height = 168
/** Where the axes meet: the times stand below, the values to the left. */
const base = height - 24
const left = 60
const inset = 8
/** The steps of the times, which are shown without seconds. */
const minutes = increments.time.filter((seconds) => seconds >= 60)

/** A chart of the history. The pointer and the arrow keys move along it: fires `point` with the index, or null. */
@define('ff-chart')
export class ChartElement extends BaseElement {
  static override styles = styled(css`
    :host { display: block; min-width: 0; }
    h3 { font-size: var(--ff-size-meta); font-weight: var(--ff-weight-medium); }
    .head { display: flex; align-items: baseline; justify-content: space-between; gap: var(--ff-space-2); }
    .time { color: var(--ff-text-3); font-size: var(--ff-size-sm); }
    .legend {
      display: flex; flex-wrap: wrap; gap: 0 var(--ff-space-4); margin-block: 2px var(--ff-space-2);
      color: var(--ff-text-2); font-size: var(--ff-size-sm);
    }
    .legend span { display: inline-flex; align-items: center; gap: 6px; }
    .legend b { color: var(--ff-text); font-weight: var(--ff-weight-bold); }
    .legend i { width: 14px; border-block-start: 2px solid; }
    .legend i.dashed { border-block-start-style: dashed; }
    .plot { position: relative; height: 168px; border-radius: var(--ff-radius-sm); }
    .none { position: absolute; inset: 0; display: grid; place-items: center; color: var(--ff-text-3); }
    svg { display: block; width: 100%; height: 100%; overflow: visible; fill: none; stroke-width: 1.5; }
    text { fill: var(--ff-text-3); font-size: 11px; }
    .rule { stroke: var(--ff-border); stroke-width: 1; }
    .cursor { stroke: var(--ff-border-control); stroke-width: 1; }
  `)

  @property({ attribute: false }) chart!: Chart
  @property({ attribute: false }) history: History | undefined
  /** The index of the point that is read. */
  @property({ attribute: false }) at: number | null = null
  @state() private width = 0
  @state() private spoken = ''
  @query('.plot') private plot!: HTMLElement
  #x: Scale = (time) => time
  #times: readonly number[] = []
  #resize = new ResizeObserver(() => (this.width = this.plot.clientWidth))

  override connectedCallback(): void {
    super.connectedCallback()
    if (this.hasUpdated) this.#resize.observe(this.plot)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#resize.disconnect()
  }

  protected override firstUpdated(): void {
    this.#resize.observe(this.plot)
  }

  protected override render(): unknown {
    const { chart, history } = this
    const points = history?.points ?? []
    const point = this.at === null ? undefined : points[this.at]
    const time = point && clock(Date.parse(point.at), true)
    return html`<div class="head"><h3>${chart.title}</h3><span class="time">${time ?? nothing}</span></div>
      <div class="legend">${chart.series.map((s) => {
        const value = point ? s.of(point) : history ? latest(s, history) : null
        return html`<span><i class=${s.dashed ? 'dashed' : ''}
          ${inlineStyle({ 'border-color': `var(${s.color})` })}></i>${s.label}
          <b>${value === null ? '–' : chart.format(value)}</b></span>`
      })}</div>
      <div class="plot" role="img" tabindex="0" @keydown=${this.#key} @blur=${this.#leave}
        @pointermove=${this.#hover} @pointerdown=${this.#hover} @pointerleave=${this.#leave}
        aria-label=${history ? `${summary(chart, history)} The arrow keys read single values.` : chart.title}>
        ${history && points.length > 0 ? this.#drawing(history) : html`<span class="none">No data yet</span>`}</div>
      <span class="hidden-text" aria-live="polite">${this.spoken}</span>`
  }

  #drawing(history: History): unknown {
    const { chart, width, at } = this
    if (width === 0) return nothing
    const [times = [], ...values] = dataOf(chart, history)
    const from = times[0] ?? 0
    const to = times.at(-1) ?? 0
    const end = top(values)
    const right = width - inset
    const x = linear(from, to, left, right)
    const y = linear(0, end, base, inset)
    this.#times = times as number[]
    this.#x = x
    const zone = new Date(from * 1000).getTimezoneOffset() * 60
    return svg`<svg aria-hidden="true">
      ${steps(0, end, (base - inset) / 28, increments[chart.unit]).map(
        (v) => svg`<path class="rule" d="M${left} ${y(v)}H${right}"/>
          <text x=${left - 6} y=${y(v) + 4} text-anchor="end">${chart.format(v)}</text>`,
      )}
      ${steps(from, to, (right - left) / 72, minutes, zone).map(
        (t) => svg`<text x=${x(t)} y=${height - 6} text-anchor="middle">${clock(t * 1000)}</text>`,
      )}
      ${chart.series.map((s, n) => this.#series(s, n, times as number[], values[n] ?? [], y))}
      ${at === null ? nothing : svg`<path class="cursor" d="M${x(times[at] ?? to)} ${inset}V${base}"/>`}</svg>`
  }

  #series(series: Series, n: number, times: number[], values: (number | null)[], y: Scale): unknown {
    const x = this.#x
    const dot = (i: number, r: number): unknown => {
      const value = values[i] ?? null
      return value === null ? nothing : svg`<circle cx=${x(times[i] ?? 0)} cy=${y(value)} r=${r} fill=${color}/>`
    }
    const color = `var(${series.color})`
    return svg`${n === 0 ? svg`<path fill="var(--ff-accent-soft)" d=${surface(times, values, x, y)}/>` : nothing}
      <path stroke=${color} stroke-dasharray=${series.dashed ? '5 4' : 'none'} d=${line(times, values, x, y)}/>
      ${lonely(values).map((i) => dot(i, 2))}${this.at === null ? nothing : dot(this.at, 3.5)}`
  }

  #hover = (event: PointerEvent): void => {
    const first = this.#times[0]
    const last = this.#times.at(-1)
    if (first === undefined || last === undefined) return
    const time = linear(left, this.width - inset, first, last)(event.clientX - this.plot.getBoundingClientRect().left)
    this.#show(nearest(this.#times, time))
  }

  #show(at: number | null): void {
    if (at !== this.at) emit(this, 'point', at)
  }

  #key(event: KeyboardEvent): void {
    const points = this.history?.points ?? []
    if (points.length === 0) return
    const last = points.length - 1
    const at = this.at ?? last + 1
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key]
    if (to === undefined) return
    event.preventDefault()
    const next = Math.max(0, Math.min(last, to))
    const point = points[next]
    if (!point) return
    this.#show(next)
    const values = this.chart.series.map((s) => {
      const value = s.of(point)
      return `${s.label} ${value === null ? 'unknown' : this.chart.format(value)}`
    })
    this.spoken = `${clock(Date.parse(point.at), true)}: ${values.join(', ')}`
  }

  #leave = (): void => {
    this.spoken = ''
    this.#show(null)
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-chart': ChartElement
  }
}
