import { apply, find, inState } from './inbox_state.ts'
import type { InboxQuery, Notification, NotificationChanges } from './types.ts'

/** As many times a reading is repeated that began before a change. */
const mostReadings = 3

/** Pending holds the changes that the API has not confirmed, in order. */
export class Pending {
  #changes = new Set<{ ids: ReadonlySet<string>; changes: NotificationChanges }>()
  #confirmed = 0

  get none(): boolean {
    return this.#changes.size === 0
  }

  /** add adds changes of notifications, until the function that it returns is called. */
  add(ids: readonly string[], changes: NotificationChanges): () => void {
    const added = { ids: new Set(ids), changes }
    this.#changes.add(added)
    return () => {
      this.#changes.delete(added)
      this.#confirmed++
    }
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
    return [...sent, ...missing]
      .map((n) => [...this.#changes].reduce((is, { ids, changes }) => (ids.has(n.id) ? apply(is, changes) : is), n))
      .filter((n) => !changed.has(n.id) || inState(n, state))
  }
}
