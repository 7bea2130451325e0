/** Pages that are read until one has items. */
const most = 5

export interface Page<T> {
  items: readonly T[]
  next: string | null
}

/** Pages holds a list that is read a page at a time. */
export class Pages<T> {
  items: T[] = []
  next: string | null = null
  busy = true
  error: unknown
  #changed: () => void
  #read: ((cursor: string | null) => Promise<Page<T>>) | undefined

  constructor(changed: () => void) {
    this.#changed = changed
  }

  /** start reads another list, in place of the one before. */
  start(read: (cursor: string | null) => Promise<Page<T>>): Promise<void> {
    this.#read = read
    this.items = []
    this.next = null
    return this.more()
  }

  /** more reads the next page, or the one that failed. Pages without items are followed by the next. */
  async more(): Promise<void> {
    const read = this.#read
    if (!read) return
    this.#set({ busy: true, error: undefined })
    try {
      for (let pages = 0; pages < most; pages++) {
        const { items, next } = await read(this.next)
        if (read !== this.#read) return
        this.#set({ items: [...this.items, ...items], next })
        if (items.length > 0 || next === null) break
      }
      this.#set({ busy: false })
    } catch (error) {
      if (read === this.#read) this.#set({ busy: false, error })
    }
  }

  #set(change: Partial<Pick<Pages<T>, 'items' | 'next' | 'busy' | 'error'>>): void {
    Object.assign(this, change)
    this.#changed()
  }
}
