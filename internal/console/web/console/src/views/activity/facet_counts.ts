import { countedIn, facetFields, type Facets } from './facet_model.ts'
import type { Row } from './rows.ts'
import type { Filter } from './selection.ts'
import type { Source } from './source.ts'

const refreshAfter = 15_000
const counted = 5000

/** FacetCounts holds the facets of a filter: from the API with `activity:read`, else from the rows. */
export class FacetCounts {
  #source: Source
  #changed: () => void
  #filter: Filter = {}
  #facets: Facets = {}
  #count: { count: number; exact: boolean } | undefined
  #failed = false
  #controller: AbortController | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #rowsAt = 0
  #rowsOf: readonly Row[] | undefined
  #rowsFirst = ''

  constructor(source: Source, changed: () => void) {
    this.#source = source
    this.#changed = changed
  }

  /** text describes the number of activities. */
  get text(): string {
    if (!this.#count) return ''
    const { count, exact } = this.#count
    const number = exact ? count.toLocaleString() : `more than ${count.toLocaleString()}`
    return `${number} ${count === 1 ? 'activity' : 'activities'}`
  }

  /** of returns the facets of the API, or those of the rows. */
  of(rows: readonly Row[] | undefined): { facets: Facets; note: string } {
    if (!rows) {
      const newest = this.#count && !this.#count.exact ? `Of the newest ${this.#count.count.toLocaleString()}.` : ''
      return { facets: this.#facets, note: this.#failed ? 'The numbers could not be loaded.' : newest }
    }
    if (rows !== this.#rowsOf || rows.length !== this.#rowsAt || rows[0]?.id !== this.#rowsFirst) {
      this.#rowsOf = rows
      this.#rowsAt = rows.length
      this.#rowsFirst = rows[0]?.id ?? ''
      this.#facets = countedIn(rows.slice(0, counted))
    }
    const n = Math.min(rows.length, counted)
    return {
      facets: this.#facets,
      note: n > 0 ? `Counted in what is loaded: ${n.toLocaleString()} ${n === 1 ? 'activity' : 'activities'}.` : '',
    }
  }

  load(filter: Filter): void {
    this.#filter = filter
    this.#count = undefined
    void this.#read()
  }

  /** stale asks for new numbers after a while. */
  stale(): void {
    if (this.#source.all) this.#timer ??= setTimeout(() => void this.#read(), refreshAfter)
  }

  stop(): void {
    this.#controller?.abort()
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  async #read(): Promise<void> {
    this.stop()
    if (!this.#source.all || document.hidden) return
    const controller = (this.#controller = new AbortController())
    try {
      const found = await this.#source.facets(this.#filter, facetFields, controller.signal)
      this.#facets = found.facets
      this.#count = found
      this.#failed = false
    } catch {
      if (controller.signal.aborted) return
      this.#failed = true
    }
    this.#changed()
  }
}
