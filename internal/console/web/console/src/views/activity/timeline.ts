import { BaseElement, define, emit, styled, textStyles } from '@fanfare/elements/base'
import { inlineStyle } from '@fanfare/elements/inline-style'
import { html, type TemplateResult } from 'lit'
import { property } from 'lit/decorators.js'
import { repeat } from 'lit/directives/repeat.js'
import { renderRow } from './row.ts'
import { dateOf, type Day, dayOf, daysOf, type Row } from './rows.ts'
import { timelineStyles } from './timeline_styles.ts'
import { heightOf, type Heights, placeOf, type VisibleDay, visibleDays } from './timeline_layout.ts'

const narrow = 720

/**
 * Rows grouped by day, of which only the visible ones are rendered. Rows have one height, so that tens of thousands
 * need no measuring. Fires `end` when the last row comes near, `top` with whether the first one is visible.
 */
@define('ff-activity-timeline')
export class Timeline extends BaseElement {
  static override styles = styled(textStyles, timelineStyles)

  @property({ attribute: false }) rows: readonly Row[] = []
  /** Changes whenever the rows do. */
  @property({ type: Number }) version = 0
  /** The id of the open row. */
  @property() open = ''
  @property({ attribute: false }) hrefOf: (row: Row) => string = () => ''
  /** The end of the list, below the rows. */
  @property({ attribute: false }) footer: unknown

  #days: Day[] = []
  #heights: Heights = { row: 40, heading: 32 }
  #narrow = false
  #top = 0
  #height = 0
  #atTop = true
  #focused = ''
  #observer = new ResizeObserver(() => this.#resized())
  #tick: ReturnType<typeof setInterval> | undefined

  get atTop(): boolean {
    return this.#atTop
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.addEventListener('scroll', this.#scrolled, { passive: true })
    this.#observer.observe(this)
    this.#tick = setInterval(() => this.requestUpdate(), 60_000)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.removeEventListener('scroll', this.#scrolled)
    this.#observer.disconnect()
    clearInterval(this.#tick)
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (changed.has('rows') || changed.has('version')) this.#days = daysOf(this.rows)
  }

  protected override render(): unknown {
    const keep = this.#focused ? this.rows.findIndex((row) => row.id === this.#focused) : -1
    const days = visibleDays(this.#days, this.#heights, this.#top, this.#top + this.#height, keep)
    const height = `${heightOf(this.#days, this.#heights)}px`
    return html`<div class="days ${this.#narrow ? 'narrow' : 'wide'}" ${inlineStyle({ height })}
      @focusin=${this.#focusin} @focusout=${() => (this.#focused = '')}>
      ${repeat(
        days,
        (day) => (day.first === 0 ? 'first' : day.day),
        (day) => this.#day(day),
      )}</div>
      <div class="footer">${this.footer}</div>`
  }

  #day(day: VisibleDay): TemplateResult {
    const place = { transform: `translateY(${day.top}px)`, height: `${day.height}px` }
    const rows = this.rows.slice(day.from, day.to)
    const name = dayName(day.day, new Date())
    return html`<section class="day" ${inlineStyle(place)} aria-label=${name}>
      <h2>${name}</h2>
      <ul>${repeat(
        rows,
        (_, i) => (day.from + i) % day.slots,
        (row, i) => this.#row(row, day, day.from + i),
      )}</ul></section>`
  }

  #row(row: Row, day: VisibleDay, index: number): TemplateResult {
    const transform = `translateY(${(index - day.first) * this.#heights.row}px)`
    const height = `${this.#heights.row}px`
    const open = row.id === this.open
    return html`<li class="row ${open ? 'open' : ''} ${isNew(row) ? 'fresh' : ''}" data-id=${row.id}
      aria-posinset=${index - day.first + 1} aria-setsize=${day.count}
        ${inlineStyle({ transform, height })}>${renderRow(row, this.hrefOf(row), open)}</li>`
  }

  protected override updated(): void {
    this.#keepFocus()
    this.#nearEnd()
  }

  /** Rows are rendered into the elements of others, which costs least; the focus stays with its row. */
  #keepFocus(): void {
    const at = this.shadowRoot?.activeElement?.closest<HTMLElement>('[data-id]')
    if (!at || !this.#focused || at.dataset['id'] === this.#focused) return
    this.renderRoot
      .querySelector<HTMLElement>(`[data-id="${CSS.escape(this.#focused)}"] a`)
      ?.focus({ preventScroll: true })
  }

  /** show scrolls a row into view. */
  show(id: string): void {
    const index = this.rows.findIndex((row) => row.id === id)
    if (index < 0) return
    const at = placeOf(this.#days, this.#heights, index)
    const { row, heading } = this.#heights
    if (at - heading < this.scrollTop) this.scrollTop = at - heading
    else if (at + row > this.scrollTop + this.clientHeight) this.scrollTop = at + row - this.clientHeight
  }

  /** focusRow moves the focus to a row. */
  async focusRow(id: string): Promise<boolean> {
    this.show(id)
    this.#focused = id
    this.requestUpdate()
    await this.updateComplete
    const link = this.renderRoot.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"] a`)
    link?.focus({ preventScroll: true })
    return link !== null
  }

  /** step returns the row after or before the focused or open one. */
  step(by: 1 | -1): Row | undefined {
    const current = this.#focused || this.open
    const index = this.rows.findIndex((row) => row.id === current)
    return index < 0 ? this.rows[0] : this.rows[Math.max(0, Math.min(this.rows.length - 1, index + by))]
  }

  scrollToTop(): void {
    this.scrollTop = 0
    this.#scrolled()
  }

  #focusin(event: FocusEvent): void {
    this.#focused = (event.target as HTMLElement).closest<HTMLElement>('[data-id]')?.dataset['id'] ?? ''
  }

  #scrolled = (): void => {
    this.#top = this.scrollTop
    const atTop = this.#top < 8
    if (atTop !== this.#atTop) {
      this.#atTop = atTop
      emit(this, 'top', atTop)
    }
    this.requestUpdate()
  }

  #resized(): void {
    const { width, height } = this.getBoundingClientRect()
    this.#height = height
    this.#narrow = width < narrow
    const coarse = matchMedia('(pointer: coarse)').matches
    this.#heights = { row: this.#narrow ? 60 : coarse ? 44 : 36, heading: 32 }
    this.requestUpdate()
  }

  #nearEnd(): void {
    if (this.#height > 0 && this.#top + 2 * this.#height > heightOf(this.#days, this.#heights)) emit(this, 'end')
  }
}

/** isNew reports whether a row has arrived just now. */
function isNew(row: Row): boolean {
  return row.fresh && Date.parse(row.at) > Date.now() - 3000
}

/** dayName returns Today, Yesterday or the date. */
function dayName(day: number, now: Date): string {
  if (day === dayOf(now)) return 'Today'
  const yesterday = new Date(now)
  yesterday.setDate(now.getDate() - 1)
  if (day === dayOf(yesterday)) return 'Yesterday'
  const date = dateOf(day)
  return (date.getFullYear() === now.getFullYear() ? ofYear : ofOtherYear).format(date)
}

const parts = { weekday: 'long', day: 'numeric', month: 'long' } as const
const ofYear = new Intl.DateTimeFormat(undefined, parts)
const ofOtherYear = new Intl.DateTimeFormat(undefined, { ...parts, year: 'numeric' })
