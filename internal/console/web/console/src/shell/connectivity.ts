import type { InboxStore } from '@fanfare/client'

/** Connectivity describes the connection: what a person sees in the rail and above the view. */
export class Connectivity {
  #changed: () => void
  #inbox: InboxStore | undefined
  #waiting = false
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(changed: () => void) {
    this.#changed = changed
  }

  start(inbox: InboxStore): () => void {
    this.#inbox = inbox
    const update = (): void => this.#update()
    window.addEventListener('online', update)
    window.addEventListener('offline', update)
    const stop = inbox.subscribe(update)
    update()
    return () => {
      window.removeEventListener('online', update)
      window.removeEventListener('offline', update)
      clearTimeout(this.#timer)
      stop()
    }
  }

  /** away reports whether what is shown may be out of date: for more than four seconds, not live. */
  get away(): boolean {
    return !navigator.onLine || this.#waiting
  }

  get status(): ['live' | 'waiting' | 'idle', string] {
    if (!navigator.onLine) return ['waiting', 'Offline']
    switch (this.#inbox?.state.connection) {
      case 'live':
        return ['live', 'Live']
      case 'connecting':
        return ['waiting', 'Connecting…']
      case 'ended':
        return ['idle', 'Not live. Reload the page.']
      default:
        return ['idle', 'Not live']
    }
  }

  #update(): void {
    const connecting = this.#inbox?.state.connection === 'connecting'
    if (!connecting) {
      clearTimeout(this.#timer)
      this.#timer = undefined
      this.#waiting = false
    } else {
      this.#timer ??= setTimeout(() => {
        this.#waiting = true
        this.#changed()
      }, 4000)
    }
    this.#changed()
  }
}
