import { BaseElement, define, styled } from '@fanfare/elements/base'
import { inlineStyle } from '@fanfare/elements/inline-style'
import { css, html, nothing, type PropertyValues } from 'lit'
import { property, query, state } from 'lit/decorators.js'
import type uPlot from 'uplot'
import { type Chart, clock, dataOf, increments, latest, lonely, summary } from './series.ts'
import type { History } from './types.ts'

const height = 168

/** A chart of the history. The arrow keys move along it; charts of one page show the same time. */
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
    .u-wrap { position: relative; user-select: none; }
    .u-over, .u-under { position: absolute; }
    .u-under { overflow: hidden; }
    canvas { display: block; position: relative; width: 100%; height: 100%; }
    .u-cursor-x, .u-cursor-y { position: absolute; inset-inline-start: 0; top: 0; pointer-events: none; }
    .u-cursor-x { height: 100%; border-inline-start: 1px solid var(--ff-border-control); }
    .u-cursor-y, .u-legend, .u-select, .u-axis { display: none; }
    .u-cursor-pt {
      position: absolute; top: 0; left: 0; border-radius: 50%; border: 0 solid; pointer-events: none;
      background-clip: padding-box !important;
    }
    .u-off { display: none; }
  `)

  @property({ attribute: false }) chart!: Chart
  @property({ attribute: false }) history: History | undefined
  @state() private at: number | null = null
  @state() private spoken = ''
  @query('.plot') private plot!: HTMLElement
  #plot: uPlot | undefined
  #resize = new ResizeObserver(() => this.#fit())
  #theme = matchMedia('(prefers-color-scheme: dark)')
  #scheme = new MutationObserver(() => this.#recolor())

  override connectedCallback(): void {
    super.connectedCallback()
    this.#theme.addEventListener('change', this.#recolor)
    this.#scheme.observe(document.documentElement, { attributeFilter: ['style'] })
    if (this.hasUpdated) void this.#draw()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#theme.removeEventListener('change', this.#recolor)
    this.#scheme.disconnect()
    this.#resize.disconnect()
    this.#plot?.destroy()
    this.#plot = undefined
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
        aria-label=${history ? `${summary(chart, history)} The arrow keys read single values.` : chart.title}>
        ${points.length === 0 ? html`<span class="none">No data yet</span>` : nothing}</div>
      <span class="hidden-text" aria-live="polite">${this.spoken}</span>`
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('history')) void this.#draw()
  }

  async #draw(): Promise<void> {
    const { history } = this
    if (!history?.points.length) return
    const data = dataOf(this.chart, history) as unknown as uPlot.AlignedData
    if (this.#plot) {
      this.#plot.setData(data)
      return
    }
    const { default: Plot } = await import('uplot')
    if (!this.isConnected || this.#plot) return
    this.#plot = new Plot(this.#options(), data, this.plot)
    this.#resize.observe(this.plot)
  }

  #options(): uPlot.Options {
    const text = (): string => this.#color('--ff-text-3')
    const line = (): string => this.#color('--ff-border')
    const font = `11px ${getComputedStyle(this).fontFamily}`
    const axis: uPlot.Axis = { stroke: text, font, grid: { stroke: line, width: 1 }, ticks: { show: false } }
    return {
      width: this.plot.clientWidth,
      height,
      legend: { show: false },
      padding: [8, 8, 0, 0],
      cursor: {
        y: false,
        drag: { x: false, y: false },
        sync: { key: 'operations', setSeries: false },
        points: { size: 7 },
      },
      scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
      axes: [
        {
          ...axis,
          grid: { show: false },
          space: 72,
          size: 24,
          values: (_, times) => times.map((t) => clock(t * 1000)),
        },
        {
          ...axis,
          size: 60,
          space: 28,
          incrs: increments[this.chart.unit],
          values: (_, values) => values.map((v) => this.chart.format(v)),
        },
      ],
      series: [
        {},
        ...this.chart.series.map((s, n) => ({
          label: s.label,
          stroke: () => this.#color(s.color),
          width: 1.5,
          ...(s.dashed ? { dash: [5, 4] } : {}),
          ...(n === 0 ? { fill: () => this.#color('--ff-accent-soft') } : {}),
          points: { size: 4, width: 0, fill: () => this.#color(s.color), filter: isolated },
        })),
      ],
      hooks: {
        setCursor: [
          (plot) => {
            const inside = plot.cursor.left !== undefined && plot.cursor.left >= 0
            this.at = inside ? (plot.cursor.idx ?? null) : null
          },
        ],
      },
    }
  }

  /** The colour of a token, as a canvas reads it. */
  #color(token: string): string {
    const probe = document.createElement('span')
    probe.style.color = `var(${token})`
    this.plot.append(probe)
    const color = getComputedStyle(probe).color
    probe.remove()
    return color
  }

  #recolor = (): void => {
    this.#plot?.redraw(false, true)
  }

  #fit(): void {
    const width = this.plot.clientWidth
    if (width > 0 && this.#plot && width !== this.#plot.width) this.#plot.setSize({ width, height })
  }

  #key(event: KeyboardEvent): void {
    const points = this.history?.points ?? []
    const plot = this.#plot
    if (!plot || points.length === 0) return
    const last = points.length - 1
    const at = this.at ?? last + 1
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key]
    if (to === undefined) return
    event.preventDefault()
    const next = Math.max(0, Math.min(last, to))
    const point = points[next]
    if (!point) return
    plot.setCursor({ left: plot.valToPos(Date.parse(point.at) / 1000, 'x'), top: 0 })
    const values = this.chart.series.map((s) => {
      const value = s.of(point)
      return `${s.label} ${value === null ? 'unknown' : this.chart.format(value)}`
    })
    this.spoken = `${clock(Date.parse(point.at), true)}: ${values.join(', ')}`
  }

  #leave(): void {
    this.spoken = ''
    this.#plot?.setCursor({ left: -10, top: -10 })
  }
}

/** Only values without neighbours are drawn as points: a line cannot show them. */
const isolated: uPlot.Series.Points.Filter = (plot, n, show) => (show ? lonely(plot.data[n] ?? []) : [])

declare global {
  interface HTMLElementTagNameMap {
    'ff-chart': ChartElement
  }
}
