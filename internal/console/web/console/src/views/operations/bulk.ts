import { ProblemError } from '@fanfare/client'
import type { Changed, DeadFilter } from './types.ts'

/** Dead letters that one request changes. */
export const step = 500

/** How often a request is repeated that the server has no time for. */
const patience = 5

export interface Progress {
  phase: 'running' | 'cancelled' | 'done' | 'failed'
  changed: number
  /** Those that are left; before the first answer, those that were counted. */
  remaining: number
  error?: unknown
}

/** A change of all dead letters that match: requests of a bounded size, one after another. */
export class Bulk {
  #request: (filter: DeadFilter, limit: number) => Promise<Changed>
  #wait: (seconds: number) => Promise<void>
  #shown: (progress: Progress) => void
  #cancelled = false
  #filter: DeadFilter
  progress: Progress

  constructor(
    filter: DeadFilter,
    counted: number,
    request: (filter: DeadFilter, limit: number) => Promise<Changed>,
    shown: (progress: Progress) => void,
    wait = (seconds: number) => new Promise<void>((done) => setTimeout(done, seconds * 1000)),
  ) {
    this.#filter = filter
    this.#request = request
    this.#shown = shown
    this.#wait = wait
    this.progress = { phase: 'running', changed: 0, remaining: counted }
  }

  /** cancel ends the change after the request that is under way. */
  cancel(): void {
    this.#cancelled = true
  }

  /** run changes what is left. After a failure or a cancellation, it goes on. */
  async run(): Promise<Progress> {
    this.#cancelled = false
    this.#show({ ...this.progress, phase: 'running', error: undefined })
    try {
      for (;;) {
        const { count, remaining, until } = await this.#patiently()
        this.#filter = { ...this.#filter, until: this.#filter.until ?? until }
        const changed = this.progress.changed + count
        const phase = remaining === 0 || count === 0 ? 'done' : this.#cancelled ? 'cancelled' : 'running'
        this.#show({ phase, changed, remaining })
        if (phase !== 'running') return this.progress
      }
    } catch (error) {
      this.#show({ ...this.progress, phase: 'failed', error })
    }
    return this.progress
  }

  async #patiently(): Promise<Changed> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#request(this.#filter, step)
      } catch (error) {
        const seconds = error instanceof ProblemError ? error.retryAfter : undefined
        if (seconds === undefined || attempt === patience || this.#cancelled) throw error
        await this.#wait(Math.min(seconds, 30))
      }
    }
  }

  #show(progress: Progress): void {
    this.progress = progress
    this.#shown(progress)
  }
}
