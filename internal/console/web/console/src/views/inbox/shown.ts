import type { InboxState, Notification } from '@fanfare/client'
import { app } from '../../app.ts'
import { Expansion } from './expansion.ts'
import { type Row, rowsOf } from './rows.ts'

/** Shown makes the rows of the inbox: its notifications, or its groups and those of the groups that are open. */
export class Shown {
  rows: readonly Row[] = []
  readonly expansion = new Expansion(() => this.#update())
  #state: InboxState | undefined
  #members: ReadonlyMap<string, readonly Notification[]> | undefined // those in the rows
  #changed: (rows: boolean) => void
  #unsubscribe: (() => void) | undefined

  /** `changed` is called after every change of the inbox, with whether the rows have changed. */
  constructor(changed: (rows: boolean) => void) {
    this.#changed = changed
  }

  start(): void {
    this.#unsubscribe = app().inbox.subscribe(() => this.#update())
  }

  stop(): void {
    this.#unsubscribe?.()
  }

  /** Whether the rows are those of a list that the view has loaded. */
  get loaded(): boolean {
    return this.#state !== undefined
  }

  /** The ids of the notifications in the rows. */
  get ids(): string[] {
    return this.rows.flatMap((row) => (row.kind === 'item' ? [row.notification.id] : []))
  }

  /** reload reads groups again, whose numbers the store does not count. */
  reload(): void {
    const { inbox } = app()
    if (inbox.state.groups) void inbox.refresh().then(() => this.expansion.reload(inbox.state.groups))
  }

  #update(): void {
    const { state: now } = app().inbox
    const { members } = this.expansion
    const same = now.items === this.#state?.items && now.groups === this.#state?.groups && members === this.#members
    this.#state = now
    if (!same) {
      this.#members = members
      this.expansion.follow(now.groups)
      this.rows = rowsOf(now, members)
    }
    this.#changed(!same)
  }
}
