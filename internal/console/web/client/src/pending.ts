import { apply, find, inState } from './inbox_state.ts'
import type { InboxQuery, Notification, NotificationChanges } from './types.ts'

/** As many times a reading is repeated that began before a change. */
const mostReadings = 3

/** A change that the API has not confirmed. */
interface Change {
  ids: ReadonlySet<string>
  changes: NotificationChanges
  done: Promise<unknown>
}

/** Pending holds the changes that the API has not confirmed, in order. */
export class Pending {
  #changes = new Set<Change>()
  #confirmed = 0

  get none(): boolean {
    return this.#changes.size === 0
  }

  /** send adds changes of notifications, and sends them after those before them of the same ones. */
  send(ids: readonly string[], changes: NotificationChanges, send: () => Promise<void>): Promise<void> {
    const before = [...this.#changes].filter((c) => ids.some((id) => c.ids.has(id))).map((c) => c.done)
    const sent = Promise.all(before).then(send)
    const added: Change = { ids: new Set(ids), changes, done: sent.catch(() => {}) }
    this.#changes.add(added)
    return sent.finally(() => {
      this.#changes.delete(added)
      this.#confirmed++
    })
  }

  /** read reads from the API. What has been read while a change was confirmed may lack it, and is read again. */
  async read<T>(read: () => Promise<T>): Promise<T> {
    for (let readings = 1; ; readings++) {
      const confirmed = this.#confirmed
      const answer = await read()
      if (confirmed === this.#confirmed || readings === mostReadings) return answer
    }
  }

  /**
   * over returns notifications that the API has sent as the changes make them, without those that leave a list, and
   * with those of the shown ones that the changes have in it.
   */
  over(sent: readonly Notification[], shown: readonly Notification[], state: InboxQuery['state']): Notification[] {
    const changed = new Set([...this.#changes].flatMap(({ ids }) => [...ids]))
    const known = new Set(sent.map((n) => n.id))
    const missing = [...changed].flatMap((id) => (known.has(id) ? [] : (find(shown, id) ?? [])))
    return [...sent, ...missing].map((n) => this.on(n)).filter((n) => !changed.has(n.id) || inState(n, state))
  }

  /** on returns a notification that the API has sent as the changes make it. */
  on(sent: Notification): Notification {
    return [...this.#changes].reduce((n, { ids, changes }) => (ids.has(n.id) ? apply(n, changes) : n), sent)
  }
}
