import { groupKey, type Notification, type NotificationGroup, unwrap } from '@fanfare/client'
import { app } from '../../app.ts'

const most = 50

/** Expansion holds the notifications of the groups that are open, and reads them again when the groups change. */
export class Expansion {
  #open = new Map<string, readonly Notification[]>()
  #known = new Map<string, string>()
  #changed: () => void

  constructor(changed: () => void) {
    this.#changed = changed
  }

  get members(): ReadonlyMap<string, readonly Notification[]> {
    return this.#open
  }

  clear(): void {
    this.#open = new Map()
    this.#known.clear()
  }

  /** toggle opens a group, or closes it. */
  async toggle(group: NotificationGroup): Promise<void> {
    const key = groupKey(group)
    if (this.#open.has(key)) {
      this.#open = new Map([...this.#open].filter(([k]) => k !== key))
      this.#known.delete(key)
      this.#changed()
      return
    }
    this.#set(key, group.items)
    await this.#load(group)
  }

  /** follow reads the groups again that have changed. */
  follow(groups: readonly NotificationGroup[] | null): void {
    for (const group of groups ?? []) {
      const key = groupKey(group)
      if (this.#open.has(key) && this.#known.get(key) !== signature(group)) void this.#load(group)
    }
  }

  /** reload reads the groups that are open, after changes that their numbers may not show. */
  async reload(groups: readonly NotificationGroup[] | null): Promise<void> {
    await Promise.all((groups ?? []).filter((g) => this.#open.has(groupKey(g))).map((g) => this.#load(g)))
  }

  async #load(group: NotificationGroup): Promise<void> {
    const key = groupKey(group)
    this.#known.set(key, signature(group))
    const { group_by: _, ...filter } = app().inbox.state.query
    const query = { ...filter, ...group.filter, limit: most }
    try {
      const { items } = await unwrap(app().client.GET('/notifications', { params: { query } }))
      if (this.#open.has(key)) this.#set(key, items)
    } catch (error) {
      app().failed('The notifications of the group could not be loaded', error)
    }
  }

  #set(key: string, items: readonly Notification[]): void {
    this.#open = new Map(this.#open).set(key, items)
    this.#changed()
  }
}

/** signature changes when the notifications of a group do. */
function signature(group: NotificationGroup): string {
  const items = group.items.map((n) => [n.id, n.read_at, n.archived_at, n.snoozed_until])
  return JSON.stringify([group.total, group.unread, group.newest_at, items])
}
