export type Key = string | number

/**
 * Gives each visible row the number of an element. A row keeps its element while it is visible, and a row that
 * appears gets the element of one that has disappeared: to render into an element costs less than a new element.
 */
export class Slots {
  #slots = new Map<Key, number>()
  #count = 0

  /** assign returns the slot of each key, which are those of the visible rows in order. */
  assign(keys: readonly Key[]): number[] {
    const before = this.#slots
    const added = keys.filter((key) => !before.has(key))
    const visible = new Set(keys)
    const free = [...before].flatMap(([key, slot]) => (visible.has(key) ? [] : slot))
    // Elements move from one end to the other in an order that leaves all others in their place.
    if (added.length < keys.length) (added.at(-1) === keys.at(-1) ? added : free).reverse()
    const slots = new Map(added.map((key) => [key, free.shift() ?? this.#count++]))
    this.#slots = new Map(keys.map((key) => [key, before.get(key) ?? slots.get(key) ?? 0]))
    return [...this.#slots.values()]
  }
}
