import type { Client } from '@fanfare/client'
import { apply, type Change, type Owner, type Preferences, read, write } from './values.ts'

/** Preferences that are edited: a change shows at once, and is sent when those before it are answered. */
export class Edits {
  /** The preferences with all changes, or undefined before they are read. */
  value: Preferences | undefined
  readonly #client: Client
  readonly #owner: Owner
  readonly #changed: () => void
  #queue: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #turns = 0 // changes that were begun or answered

  /** changed is called when the value has changed. */
  constructor(client: Client, owner: Owner, changed: () => void) {
    this.#client = client
    this.#owner = owner
    this.#changed = changed
  }

  /** load reads the preferences. A change that is made meanwhile is newer than what is read. */
  async load(): Promise<void> {
    const turns = this.#turns
    const value = await read(this.#client, this.#owner)
    if (turns === this.#turns) this.#show(value)
  }

  /** save returns when the API has stored a change; it rejects, and takes the change back, if the API does not. */
  save(change: Change): Promise<void> {
    const before = this.value
    if (!before) return Promise.resolve()
    this.#waiting++
    this.#turns++
    this.#show(apply(before, change))
    const done = this.#queue.then(() => this.#send(before, change))
    this.#queue = done.catch(() => {})
    return done
  }

  async #send(before: Preferences, change: Change): Promise<void> {
    try {
      const now = await write(this.#client, this.#owner, change)
      if (this.#waiting === 1) this.#show(now)
    } catch (error) {
      // The answer to a change that waits shows what is stored.
      if (this.#waiting === 1) this.#show(await read(this.#client, this.#owner).catch(() => before))
      throw error
    } finally {
      this.#waiting--
      this.#turns++
    }
  }

  #show(value: Preferences): void {
    this.value = value
    this.#changed()
  }
}
