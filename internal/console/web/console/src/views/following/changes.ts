import type { FollowDone } from '@fanfare/elements/following/follow'
import type { FollowStore, Undo } from '@fanfare/elements/following/store'
import { app } from '../../app.ts'
import { type BulkAction, type BulkFailure, runBulk } from './bulk.ts'

/** Changes makes and reports what the caller changes of what it follows. The last change can be undone. */
export class Changes {
  /** How many resources a change of several has dealt with; undefined without one. */
  done: number | undefined
  failures: (BulkFailure & { name: string })[] = []
  #store: FollowStore
  #changed: () => void
  #undo: Undo | undefined

  constructor(store: FollowStore, changed: () => void) {
    this.#store = store
    this.#changed = changed
  }

  undo(): void {
    void this.#undo?.()
  }

  /** dismiss forgets the failures. */
  dismiss(): void {
    this.failures = []
    this.#changed()
  }

  /** unfollow ends what the caller has on a resource that it no longer sees. */
  async unfollow(id: string): Promise<void> {
    try {
      await this.#store.follow(id, undefined)
      if (this.#store.ownLevel(id)) await this.#store.setLevel(id, undefined)
      this.#tell('You no longer follow it.') // without undo: both need a role, which the caller does not have
    } catch (error) {
      app().failed('A resource that you no longer see could not be unfollowed', error)
    }
  }

  /** bulk changes several resources, and returns those that failed. Both are names by id. */
  async bulk(names: ReadonlyMap<string, string>, action: BulkAction): Promise<Map<string, string>> {
    const nameOf = (id: string): string => names.get(id) ?? id
    const progress = (done: number | undefined): void => {
      this.done = done
      this.#changed()
    }
    this.failures = []
    progress(0)
    try {
      const { done, failed, undo } = await runBulk(this.#store, [...names.keys()], action, progress)
      this.failures = failed.map((f) => ({ ...f, name: nameOf(f.id) }))
      if (done.length > 0) {
        this.#tell(`${done.length} changed.`, () =>
          undo().catch((error: unknown) => app().failed('Not everything was undone', error)),
        )
      }
      return new Map(failed.map((f) => [f.id, nameOf(f.id)]))
    } finally {
      progress(undefined)
    }
  }

  /** did reports what an ff-follow has done. */
  did = ({ detail }: CustomEvent<FollowDone>): void => this.#tell(detail.text, detail.undo)

  /** failed reports what an ff-follow could not do. */
  failed = (event: CustomEvent<{ text: string; error: unknown }>): void => {
    event.preventDefault()
    app().failed(event.detail.text.replace(/\.$/, ''), event.detail.error)
  }

  #tell(text: string, undo?: Undo): void {
    this.#undo =
      undo &&
      (async () => {
        this.#undo = undefined
        await undo()
      })
    const action = undo ? { action: { label: 'Undo', run: () => this.undo() } } : {}
    app().toast({ text, tone: 'success', ...action })
  }
}
