import { apply, inState } from './inbox_state.ts'
import type { InboxQuery, Notification, NotificationChanges } from './types.ts'

/** Pending holds the changes that the API has not confirmed. */
export class Pending {
  #changes = new Map<string, NotificationChanges>()

  get none(): boolean {
    return this.#changes.size === 0
  }

  add(ids: readonly string[], changes: NotificationChanges): void {
    for (const id of ids) this.#changes.set(id, { ...this.#changes.get(id), ...changes })
  }

  settle(ids: readonly string[]): void {
    for (const id of ids) this.#changes.delete(id)
  }

  /** over returns notifications that the API has sent as the changes make them, without those that leave a list. */
  over(items: readonly Notification[], state: InboxQuery['state']): Notification[] {
    return items
      .map((n) => {
        const changes = this.#changes.get(n.id)
        return changes ? apply(n, changes) : n
      })
      .filter((n) => !this.#changes.has(n.id) || inState(n, state))
  }
}
