import type { InboxQuery, Notification, NotificationChanges, Undo } from '@fanfare/client'
import { app } from '../../app.ts'

const most = 20

/** Actions changes notifications, shows what was done, and can undo it: the toast's button does, and the key z. */
export class Actions {
  #undos: Undo[] = []
  #changed: () => void

  /** `changed` is called after each change and undo. */
  constructor(changed: () => void) {
    this.#changed = changed
  }

  /** change changes notifications. Without a text, it is quiet. */
  async change(ids: readonly string[], changes: NotificationChanges, text: string): Promise<boolean> {
    if (ids.length === 0) return false
    const changed = app().inbox.change(ids, changes)
    this.#changed()
    // It can be undone at once: the key z may come before the answer. What has failed needs no undo.
    const undo: Undo = async () => (await changed.catch(() => undefined))?.()
    this.#add(undo)
    try {
      await changed
      this.#offer(undo, text)
      return true
    } catch (error) {
      this.#undos = this.#undos.filter((u) => u !== undo)
      app().failed('The inbox could not be changed', error)
      return false
    } finally {
      this.#changed()
    }
  }

  /** opened marks a notification as read. The key z does not undo it, but what the person did before. */
  async opened(id: string): Promise<void> {
    try {
      await app().inbox.change([id], { read: true })
    } catch (error) {
      app().failed('The inbox could not be changed', error)
    } finally {
      this.#changed()
    }
  }

  /** markAll changes what a filter selects, up to the newest one that is shown. */
  async markAll(query: InboxQuery, changes: NotificationChanges, upTo: string, verb: string): Promise<void> {
    try {
      const { count, undo } = await app().inbox.markAll(query, changes, upTo ? { upTo } : {})
      const text = count === 0 ? `Nothing to do: all are ${verb}.` : `${many(count)} ${verb}.`
      if (!undo || count === 0) return app().toast({ text })
      this.#add(undo)
      this.#offer(undo, text)
    } catch (error) {
      app().failed('The inbox could not be changed', error)
    } finally {
      this.#changed()
    }
  }

  /** undo reverses the last change. */
  async undo(): Promise<void> {
    const last = this.#undos.pop()
    if (last) await this.#reverse(last)
    else app().toast({ text: 'There is nothing to undo.' })
  }

  #add(undo: Undo): void {
    this.#undos = [...this.#undos, undo].slice(-most)
  }

  /** offer shows what was done, unless it is undone already. */
  #offer(undo: Undo, text: string): void {
    if (text && this.#undos.includes(undo))
      app().toast({ text, action: { label: 'Undo', run: () => this.#reverse(undo) } })
  }

  async #reverse(undo: Undo): Promise<void> {
    this.#undos = this.#undos.filter((u) => u !== undo)
    try {
      await undo()
      app().toast({ text: 'Undone.' })
    } catch (error) {
      this.#undos.push(undo)
      app().failed('This could not be undone', error)
    } finally {
      this.#changed()
    }
  }
}

/** many returns a number of notifications in words. */
export function many(count: number): string {
  return count === 1 ? '1 notification' : `${count.toLocaleString()} notifications`
}

/** verbOf returns what changes do, such as "archived". */
export function verbOf(changes: NotificationChanges): string {
  if (changes.snoozed_until) return 'snoozed'
  if (changes.archived) return 'archived'
  if (changes.archived === false || changes.snoozed_until === null) return 'moved to the inbox'
  if (changes.read != null) return changes.read ? 'marked as read' : 'marked as unread'
  return changes.seen ? 'marked as seen' : 'marked as unseen'
}

/** quiet reports whether a change needs no toast: it is small, and shows where the person looks. */
export function quiet(changes: NotificationChanges): boolean {
  return changes.archived == null && changes.snoozed_until === undefined
}

/** filed reports whether a notification is not in the inbox. */
export function filed(n: Notification): boolean {
  return n.archived_at !== null || n.snoozed_until !== null
}

/** fileAway archives what is in the inbox, and moves all else there. */
export function fileAway(n: Notification): NotificationChanges {
  return filed(n) ? { archived: false, snoozed_until: null } : { archived: true }
}
