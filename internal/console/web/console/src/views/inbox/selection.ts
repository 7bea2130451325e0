/** Selection holds the ids that are selected, and from where a range is extended. A new one after every change. */
export class Selection {
  readonly ids: ReadonlySet<string>
  readonly #anchor: string

  constructor(ids: Iterable<string> = [], anchor = '') {
    this.ids = new Set(ids)
    this.#anchor = anchor
  }

  get size(): number {
    return this.ids.size
  }

  has(id: string): boolean {
    return this.ids.has(id)
  }

  /** toggle selects an id, or no longer. */
  toggle(id: string): Selection {
    const ids = new Set(this.ids)
    if (!ids.delete(id)) ids.add(id)
    return new Selection(ids, id)
  }

  /** extend selects all from the last one that was toggled to an id, in the order of the list. */
  extend(id: string, order: readonly string[]): Selection {
    const from = order.indexOf(this.#anchor)
    const to = order.indexOf(id)
    if (from < 0 || to < 0) return this.toggle(id)
    const range = order.slice(Math.min(from, to), Math.max(from, to) + 1)
    return new Selection([...this.ids, ...range], this.#anchor)
  }

  /** among returns the selection without what is not in the list. */
  among(order: readonly string[]): Selection {
    const known = new Set(order)
    const ids = [...this.ids].filter((id) => known.has(id))
    return ids.length === this.size ? this : new Selection(ids, this.#anchor)
  }
}
