/** The times in milliseconds after an event at which its notification is looked for. */
const delays = [0, 150, 350, 800, 1500, 3000, 5000]

/** The least time between two looks; after one that takes longer, it is as long as that look. */
const rest = 200

/**
 * Arrivals follows events until their notifications can be read: an event may arrive before the transaction of its
 * notification commits. It looks for all of them together, ever more rarely. What is not found after the last time
 * is not there: the caller may not see it, or its delivery has failed.
 */
export class Arrivals {
  #find: (ids: ReadonlySet<string>) => Promise<ReadonlySet<string>>
  #delays: readonly number[]
  /** The number of times that each id was looked for. */
  #waiting = new Map<string, number>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #soon = false // the timer is set for one that was not looked for
  #finding = false
  #looked = -Infinity
  #rest = rest

  /** `find` returns those of the ids that it has read. */
  constructor(find: (ids: ReadonlySet<string>) => Promise<ReadonlySet<string>>, times = delays) {
    this.#find = find
    this.#delays = times
  }

  /** add looks for a notification soon. */
  add(id: string): void {
    if (this.#waiting.has(id)) return
    this.#waiting.set(id, 0)
    if (!this.#soon) this.#arm()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#soon = false
    this.#waiting.clear()
  }

  #arm(): void {
    if (this.#finding || this.#waiting.size === 0) return
    const next = Math.min(...this.#waiting.values())
    clearTimeout(this.#timer)
    this.#soon = next === 0
    const pause = Math.max(this.#pause(next), this.#looked + this.#rest - performance.now())
    this.#timer = setTimeout(() => void this.#look(), pause)
  }

  /** pause returns the time between a look and the next one. */
  #pause(looks: number): number {
    const at = this.#delays[looks] ?? 0
    return at - (this.#delays[looks - 1] ?? 0)
  }

  async #look(): Promise<void> {
    const ids = new Set(this.#waiting.keys())
    const began = performance.now()
    this.#finding = true
    this.#soon = false
    let found: ReadonlySet<string> = new Set()
    try {
      found = await this.#find(ids)
    } catch {
      // The next look reads it.
    }
    this.#finding = false
    this.#looked = performance.now()
    this.#rest = Math.max(rest, this.#looked - began)
    for (const id of ids) {
      const looks = (this.#waiting.get(id) ?? 0) + 1
      if (found.has(id) || looks >= this.#delays.length) this.#waiting.delete(id)
      else if (this.#waiting.has(id)) this.#waiting.set(id, looks)
    }
    this.#arm()
  }
}
