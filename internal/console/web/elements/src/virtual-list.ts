import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from '@tanstack/virtual-core'
import { html, LitElement, nothing, type PropertyValues } from 'lit'
import { property } from 'lit/decorators.js'
import { repeat } from 'lit/directives/repeat.js'
import { define, emit } from './base.ts'
import { inlineStyle } from './inline-style.ts'
import { type Key, Slots } from './slots.ts'

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

  #ends = -1
  #range = ''
  #itemKey = (index: number): Key => index
  #slots = new Slots()
  /** The keys of the rows that the elements show. */
  #shown = new WeakMap<HTMLElement, Key>()
  #measuring = false
  #cleanup: (() => void) | undefined
  #virtualizer = new Virtualizer<VirtualList<T>, HTMLElement>({
    count: 0,
    getScrollElement: () => this,
    estimateSize: () => this.estimate,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    onChange: () => this.requestUpdate(),
  })

  protected override createRenderRoot(): this {
    return this
  }

  override connectedCallback(): void {
    super.connectedCallback()
    Object.assign(this.style, { display: 'block', overflowY: 'auto', contain: 'strict', overflowAnchor: 'none' })
    this.role ??= { listitem: 'list', article: 'feed', option: 'listbox', presentation: null }[this.rowRole]
    this.#cleanup = this.#virtualizer._didMount()
    this.requestUpdate()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#cleanup?.()
  }

  /** scrollToIndex shows a row. */
  scrollToIndex(index: number, align: 'auto' | 'start' | 'center' | 'end' = 'auto'): void {
    this.#virtualizer.scrollToIndex(index, { align })
  }

  /** atTop reports whether the first row is fully visible. */
  get atTop(): boolean {
    return this.scrollTop < 8
  }

  #anchor: { key: Key; offset: number } | undefined

  /** keepPlace remembers the first visible row before the items change. */
  #keepPlace(): void {
    const { scrollTop } = this
    const first = this.atTop ? undefined : this.#virtualizer.getVirtualItems().find((row) => row.end > scrollTop)
    this.#anchor = first && { key: first.key as Key, offset: scrollTop - first.start }
  }

  /** returnToPlace scrolls to where the row that was first is now. */
  #returnToPlace(): void {
    const anchor = this.#anchor
    this.#anchor = undefined
    if (!anchor) return
    const index = this.items.findIndex((item, i) => this.keyOf(item, i) === anchor.key)
    const start = this.#virtualizer.measurementsCache[index]?.start
    if (start !== undefined && start + anchor.offset !== this.scrollTop) this.scrollTop = start + anchor.offset
  }

  protected override willUpdate(changed: PropertyValues): void {
    const { items, keyOf } = this
    if (changed.has('items') && this.hasUpdated) this.#keepPlace()
    if (changed.has('items') || changed.has('keyOf')) {
      // Another function has all rows placed again.
      this.#itemKey = (index) => {
        const item = items[index]
        return item === undefined ? index : keyOf(item, index)
      }
    }
    this.#virtualizer.setOptions({
      ...this.#virtualizer.options,
      count: items.length,
      overscan: 6,
      getItemKey: this.#itemKey,
      rangeExtractor: ({ startIndex, endIndex, overscan, count }) => {
        const first = Math.max(0, startIndex - overscan)
        const last = Math.min(count - 1, endIndex + overscan)
        const indexes = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i)
        if (this.keep >= 0 && this.keep < count && (this.keep < first || this.keep > last)) indexes.push(this.keep)
        return indexes.sort((a, b) => a - b)
      },
    })
    this.#virtualizer._willUpdate()
  }

  protected override render(): unknown {
    const rows = this.#virtualizer.getVirtualItems()
    const slots = this.#slots.assign(rows.map((row) => row.key as Key))
    const article = this.rowRole === 'article'
    const plain = this.rowRole === 'presentation'
    const height = `${this.#virtualizer.getTotalSize()}px`
    return html`<div role="presentation" ${inlineStyle({ position: 'relative', height })}>
      ${repeat(
        rows,
        (_, i) => slots[i],
        (row) => {
          const item = this.items[row.index]
          if (item === undefined) return nothing
          return html`<div role=${this.rowRole} data-index=${row.index} aria-posinset=${plain ? nothing : row.index + 1}
          aria-label=${this.labelOf?.(item) ?? nothing}
          aria-setsize=${plain ? nothing : this.total < 0 && !article ? this.items.length : this.total}
          ${inlineStyle(at(row.start))}>${this.renderItem(item, row.index)}</div>`
        },
      )}</div>`
  }

  /** measure measures the elements that show other rows than before, once these have been rendered. */
  #measure = (): void => {
    const { elementsCache } = this.#virtualizer
    this.#measuring = false
    const rows = [...(this.firstElementChild?.children ?? [])] as HTMLElement[]
    const changed = rows.filter((row) => row.offsetHeight > 0 && this.#shown.get(row) !== this.#keyAt(row))
    for (const row of changed) {
      const before = this.#shown.get(row)
      if (before !== undefined && elementsCache.get(before) === row) elementsCache.delete(before)
      this.#shown.set(row, this.#keyAt(row))
    }
    for (const row of changed) {
      this.#virtualizer.measureElement(row) // which observes it from now on
      this.#virtualizer.resizeItem(Number(row.dataset['index']), row.offsetHeight)
    }
  }

  #keyAt(row: HTMLElement): Key {
    return this.#itemKey(Number(row.dataset['index']))
  }

  protected override updated(_: PropertyValues): void {
    if (!this.#measuring) requestAnimationFrame(this.#measure)
    this.#measuring = true
    this.#returnToPlace()
    const range = this.#virtualizer.range
    if (!range || this.items.length === 0) return
    const key = `${range.startIndex}-${range.endIndex}-${this.items.length}`
    if (key === this.#range) return
    this.#range = key
    emit(this, 'visible', { first: range.startIndex, last: range.endIndex })
    if (range.endIndex >= this.items.length - 12 && this.#ends !== this.items.length) {
      this.#ends = this.items.length
      emit(this, 'end')
    }
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
