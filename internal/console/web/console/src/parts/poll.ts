import type { ReactiveController, ReactiveControllerHost } from 'lit'

/** The longest pause after failures, in milliseconds. */
const longest = 60_000

const polls = new Set<Poll>()
let paused = false

/** pausedPolls reports whether the person has paused the polls. */
export function pausedPolls(): boolean {
  return paused
}

/** pausePolls pauses or resumes all polls. */
export function pausePolls(next: boolean): void {
  paused = next
  for (const poll of polls) poll.switched()
}

/**
 * Poll repeats a load while its host is on the page, at an interval. It pauses while the tab is hidden and while
 * the person has paused all polls, and waits longer after each failure.
 */
export class Poll implements ReactiveController {
  #host: ReactiveControllerHost
  #load: () => Promise<boolean>
  #interval: number
  #timer: ReturnType<typeof setTimeout> | undefined
  #ticker: ReturnType<typeof setInterval> | undefined
  #failures = 0
  #running = false
  #again = false
  #connected = false
  /** When the last complete load ended; 0 before. */
  at = 0

  /** load reports whether it was complete. */
  constructor(host: ReactiveControllerHost, load: () => Promise<boolean>, interval: number) {
    this.#host = host
    this.#load = load
    this.#interval = interval
    host.addController(this)
  }

  /** switched is called when the polls are paused or resumed. */
  switched(): void {
    if (paused) clearTimeout(this.#timer)
    else void this.now()
    this.#host.requestUpdate()
  }

  /** stale reports whether what is shown is older than it should be, though no one has paused it. */
  get stale(): boolean {
    return !paused && this.at > 0 && Date.now() - this.at > 3 * this.#interval
  }

  get failing(): boolean {
    return this.#failures > 0
  }

  hostConnected(): void {
    this.#connected = true
    polls.add(this)
    document.addEventListener('visibilitychange', this.#visible)
    window.addEventListener('online', this.#visible)
    this.#ticker = setInterval(() => this.#host.requestUpdate(), this.#interval)
    void this.now()
  }

  hostDisconnected(): void {
    this.#connected = false
    polls.delete(this)
    document.removeEventListener('visibilitychange', this.#visible)
    window.removeEventListener('online', this.#visible)
    clearInterval(this.#ticker)
    clearTimeout(this.#timer)
  }

  /** now loads at once, or once more if a load is under way. */
  async now(): Promise<void> {
    if (this.#running) {
      this.#again = true
      return
    }
    clearTimeout(this.#timer)
    this.#running = true
    let complete = false
    try {
      do {
        this.#again = false
        complete = await this.#load()
      } while (this.#again && this.#connected)
    } finally {
      this.#running = false
    }
    this.#failures = complete ? 0 : this.#failures + 1
    if (complete) this.at = Date.now()
    this.#host.requestUpdate()
    this.#schedule()
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    if (!this.#connected || paused || document.hidden) return
    const pause = Math.min(longest, this.#interval * 2 ** this.#failures)
    this.#timer = setTimeout(() => void this.now(), pause)
  }

  #visible = (): void => {
    if (document.hidden) clearTimeout(this.#timer)
    else if (!paused) void this.now()
  }
}
