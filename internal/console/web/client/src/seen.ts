/** How long ids are collected before they are marked, and as many as one request may have. */
const pause = 800
const most = 1000

/** Seen collects the ids of notifications that were shown, and passes them on soon and together. */
export class Seen {
  #ids = new Set<string>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #mark: (ids: string[]) => void

  constructor(mark: (ids: string[]) => void) {
    this.#mark = mark
  }

  add(ids: Iterable<string>): void {
    for (const id of ids) this.#ids.add(id)
    if (this.#ids.size === 0) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      const batch = [...this.#ids].slice(0, most)
      for (const id of batch) this.#ids.delete(id)
      this.#mark(batch)
      this.add([])
    }, pause)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
