import { html, LitElement, nothing, type PropertyValues } from 'lit'
import { property } from 'lit/decorators.js'
import { repeat } from 'lit/directives/repeat.js'
import { define, emit } from './base.ts'
import { inlineStyle } from './inline-style.ts'
import { Places } from './places.ts'
import { type Key, Slots } from './slots.ts'

/** As many rows are rendered above and below the visible ones. */
const around = 6

/** A row, which may have moved from its index. */
interface Mark {
  key: Key
  index: number
}

/**
 * A list that scrolls itself and renders only what is visible. Rows that come or go above what is visible do not
 * move it. Rows are in the light DOM, so that the styles of the
 * view apply to them; the host needs a bounded height. Fires `end` when the last row comes near, and `visible`
 * with the first and last visible index.
 */
@define('ff-virtual-list')
export class VirtualList<T = unknown> extends LitElement {
  @property({ attribute: false }) items: readonly T[] = []
  @property({ attribute: false }) renderItem: (item: T, index: number) => unknown = () => nothing
  @property({ attribute: false }) keyOf: (item: T, index: number) => Key = (_, index) => index
  /** The accessible name of a row, for articles. */
  @property({ attribute: false }) labelOf: ((item: T) => string) | undefined
  /** The height of a row before it is measured. */
  @property({ type: Number }) estimate = 64
  /** The role of a row; that of the host is `list`, or `feed` with `article`. */
  @property({ attribute: 'row-role' }) rowRole: 'listitem' | 'article' | 'option' | 'presentation' = 'listitem'
  /** An index that stays rendered, such as that of the focused row. */
  @property({ type: Number }) keep = -1
  /** The number of rows there are in all, for screen readers; -1 while it is unknown. */
  @property({ type: Number }) total = -1

  #places = new Places()
  #slots = new Slots()
  /** The keys of the rows that the elements show. */
  #shown = new WeakMap<Element, Key>()
  #observer = new ResizeObserver((entries) => this.#resized(entries))
  #top = 0
  #height = 0
  #first = 0
  #last = -1
  #target: (Mark & { align: 'auto' | 'start' }) | undefined
  #anchor: (Mark & { offset: number }) | undefined
  #frame = 0
  #range = ''
  #ends = -1

  protected override createRenderRoot(): this {
    return this
  }

  override connectedCallback(): void {
    super.connectedCallback()
    Object.assign(this.style, { display: 'block', overflowY: 'auto', contain: 'strict', overflowAnchor: 'none' })
    this.role ??= { listitem: 'list', article: 'feed', option: 'listbox', presentation: null }[this.rowRole]
    this.addEventListener('scroll', this.#scrolled, { passive: true })
    this.#observer.observe(this)
    this.requestUpdate()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.removeEventListener('scroll', this.#scrolled)
    this.#observer.disconnect()
    this.#shown = new WeakMap()
    this.#target = this.#anchor = undefined
    cancelAnimationFrame(this.#frame)
  }

  /** scrollToIndex shows a row: at the top with `start`, otherwise with as little scrolling as possible. */
  scrollToIndex(index: number, align: 'auto' | 'start' = 'auto'): void {
    const item = this.items[index]
    if (item === undefined) return
    this.#target = { key: this.keyOf(item, index), index, align }
    this.#settle()
    this.requestUpdate()
  }

  /** atTop reports whether the first row is fully visible. */
  get atTop(): boolean {
    return this.scrollTop < 8
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const { items, keyOf } = this
    if (changed.has('items')) this.#keepPlace(changed.get('items') ?? [])
    if (changed.has('items') || changed.has('keyOf') || changed.has('estimate')) {
      this.#places.place(items.length, (i) => keyOf(items[i] as T, i), this.estimate)
    }
    this.#first = this.#places.rowAt(this.#top)
    this.#last = this.#height > 0 ? Math.min(this.#places.rowAt(this.#top + this.#height), items.length - 1) : -1
  }

  protected override render(): unknown {
    const article = this.rowRole === 'article'
    const plain = this.rowRole === 'presentation'
    const height = `${this.#places.height}px`
    const indexes = this.#rendered()
    const slots = this.#slots.assign(indexes.map((index) => this.keyOf(this.items[index] as T, index)))
    return html`<div role="presentation" ${inlineStyle({ position: 'relative', height })}>
      ${repeat(
        indexes,
        (_, i) => slots[i],
        (index) => {
          const item = this.items[index] as T
          return html`<div role=${this.rowRole} data-index=${index} aria-posinset=${plain ? nothing : index + 1}
          aria-label=${this.labelOf?.(item) ?? nothing}
          aria-setsize=${plain ? nothing : this.total < 0 && !article ? this.items.length : this.total}
          ${inlineStyle(at(this.#places.topOf(index)))}>${this.renderItem(item, index)}</div>`
        },
      )}</div>`
  }

  /** rendered returns the indexes of the rows to render. */
  #rendered(): number[] {
    if (this.#last < 0) return []
    const { keep, items } = this
    const first = Math.max(0, this.#first - around)
    const last = Math.min(items.length - 1, this.#last + around)
    const indexes = Array.from({ length: last - first + 1 }, (_, i) => first + i)
    if (keep >= 0 && keep < first) return [keep, ...indexes]
    return keep > last && keep < items.length ? [...indexes, keep] : indexes
  }

  /** observe has the elements measured that show other rows than before, also where their height is the same. */
  #observe(): void {
    for (const row of this.firstElementChild?.children ?? []) {
      const index = Number((row as HTMLElement).dataset['index'])
      const key = this.keyOf(this.items[index] as T, index)
      if (this.#shown.get(row) === key) continue
      this.#shown.set(row, key)
      this.#observer.unobserve(row)
      this.#observer.observe(row)
    }
  }

  protected override updated(): void {
    this.#observe()
    if (this.#target) this.#reach(this.#target)
    else if (this.#anchor) this.#return(this.#anchor)
    this.#anchor = undefined
    const { length } = this.items
    const range = `${this.#first}-${this.#last}-${length}`
    if (this.#last < 0 || range === this.#range) return
    this.#range = range
    emit(this, 'visible', { first: this.#first, last: this.#last })
    if (this.#last >= length - 12 && this.#ends !== length) {
      this.#ends = length
      emit(this, 'end')
    }
  }

  #scrolled = (): void => {
    this.#top = this.scrollTop
    const moved = this.#places.rowAt(this.#top) !== this.#first
    if (moved || this.#places.rowAt(this.#top + this.#height) !== this.#last) this.requestUpdate()
  }

  /** resized places rows anew whose height differs. What is not displayed keeps the height that it had. */
  #resized(entries: readonly ResizeObserverEntry[]): void {
    const rows = new Map<number, number>()
    for (const { target, borderBoxSize } of entries) {
      const height = Math.round(borderBoxSize[0]?.blockSize ?? 0)
      if (!target.isConnected) this.#observer.unobserve(target)
      else if (height > 0 && target !== this) rows.set(Number((target as HTMLElement).dataset['index']), height)
      else if (height > 0 && height !== this.#height) {
        this.#height = height
        this.requestUpdate()
      }
    }
    this.#keepPlace(this.items)
    if (this.#places.measured(rows)) {
      if (this.#target) this.#settle()
      this.requestUpdate()
    } else this.#anchor = undefined
  }

  /** keepPlace remembers the first visible row before the rows move. */
  #keepPlace(items: readonly T[]): void {
    const { scrollTop } = this
    if (this.#anchor || this.atTop) return
    const index = this.#places.rowAt(scrollTop)
    const item = items[index]
    if (item !== undefined) {
      this.#anchor = { key: this.keyOf(item, index), index, offset: scrollTop - this.#places.topOf(index) }
    }
  }

  /** return scrolls to where the row that was first is now. */
  #return(anchor: Mark & { offset: number }): void {
    const index = this.#indexOf(anchor)
    if (index >= 0) this.#scroll(this.#places.topOf(index) + anchor.offset)
  }

  /** reach scrolls to the row that scrollToIndex shows. */
  #reach(target: Mark & { align: 'auto' | 'start' }): void {
    const index = this.#indexOf(target)
    if (index < 0) return
    const top = this.#places.topOf(index)
    const bottom = this.#places.topOf(index + 1)
    if (target.align === 'start' || top < this.scrollTop) this.#scroll(top)
    else if (bottom > this.scrollTop + this.#height) this.#scroll(bottom - this.#height)
  }

  /** settle forgets the row to show after two frames in which no height has changed. */
  #settle(): void {
    cancelAnimationFrame(this.#frame)
    this.#frame = requestAnimationFrame(() => {
      this.#frame = requestAnimationFrame(() => (this.#target = undefined))
    })
  }

  #indexOf({ key, index }: Mark): number {
    const item = this.items[index]
    if (item !== undefined && this.keyOf(item, index) === key) return index
    return this.items.findIndex((other, i) => this.keyOf(other, i) === key)
  }

  #scroll(top: number): void {
    if (top !== this.scrollTop) this.scrollTop = top
    this.#scrolled()
  }
}

/** at returns the place of a row. */
function at(start: number): Record<string, string> {
  return { position: 'absolute', 'inset-inline': '0', top: '0', transform: `translateY(${start}px)` }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-virtual-list': VirtualList
  }
}
