import type { Key } from './slots.ts'

/** As many heights are kept, also of rows that have left the list; then they are measured again. */
const mostKnown = 100_000

/** Places computes where the rows of a list are: by their heights where they are known, by an estimate elsewhere. */
export class Places {
  #known = new Map<Key, number>()
  #keyOf: (index: number) => Key = (index) => index
  #heights = new Float64Array()
  #tops = new Float64Array(1) // that of each row, and the end of the list

  /** The height of all rows. */
  get height(): number {
    return this.topOf(this.#heights.length)
  }

  /** place places rows. Those that were measured have the height that they had then. */
  place(count: number, keyOf: (index: number) => Key, estimate: number): void {
    this.#keyOf = keyOf
    if (this.#known.size > mostKnown) this.#known.clear()
    this.#heights = Float64Array.from({ length: count }, (_, i) => this.#known.get(keyOf(i)) ?? estimate)
    this.#tops = new Float64Array(count + 1)
    this.#add(0)
  }

  /** measured moves what is below rows that have another height, by index, and reports whether there are such. */
  measured(heights: ReadonlyMap<number, number>): boolean {
    let first = Infinity
    for (const [index, height] of heights) {
      if (index >= this.#heights.length) continue
      this.#known.set(this.#keyOf(index), height)
      if (this.#heights[index] === height) continue
      this.#heights[index] = height
      first = Math.min(first, index)
    }
    this.#add(first)
    return first < Infinity
  }

  #add(first: number): void {
    for (let i = first; i < this.#heights.length; i++) this.#tops[i + 1] = this.topOf(i) + (this.#heights[i] ?? 0)
  }

  /** topOf returns the top of a row, which is the bottom of the one before it. */
  topOf(index: number): number {
    return this.#tops[index] ?? 0
  }

  /** rowAt returns the index of the row at a place, or of the nearest one. */
  rowAt(place: number): number {
    let low = 0
    let high = Math.max(0, this.#heights.length - 1)
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (this.topOf(middle) <= place) low = middle
      else high = middle - 1
    }
    return low
  }
}
