import { type Event, type Realtime, tail } from '@fanfare/client'
import type { Source } from './source.ts'

export type LiveState = 'off' | 'connecting' | 'live' | 'waiting' | 'ended'

/** What Live calls. */
export interface LiveListener {
  /** An activity has happened; undefined if something may have that must be asked for. */
  arrived(event: Event | undefined): void
  state(state: LiveState): void
}

/**
 * Live follows what happens: the stream of the tenant with `activity:read`; else the events on the caller's own
 * channel, each of which may mean that there is something to see.
 */
export class Live {
  #source: Source
  #realtime: Realtime
  #listener: LiveListener
  #stop: (() => void) | undefined

  constructor(source: Source, realtime: Realtime, listener: LiveListener) {
    this.#source = source
    this.#realtime = realtime
    this.#listener = listener
  }

  start(): void {
    if (this.#stop) return
    this.#listener.state('connecting')
    if (this.#source.all) this.#tail()
    else this.#listen()
  }

  stop(): void {
    this.#stop?.()
    this.#stop = undefined
    this.#listener.state('off')
  }

  #tail(): void {
    const controller = new AbortController()
    this.#stop = () => controller.abort()
    void tail(this.#source.client, {
      signal: controller.signal,
      event: (event) => this.#listener.arrived(event),
      state: (state) => {
        if (!controller.signal.aborted) this.#listener.state(state)
      },
    })
  }

  #listen(): void {
    const said = { live: 'live', ended: 'ended', idle: 'waiting', connecting: 'waiting' } as const
    this.#stop = this.#realtime.listen({
      event: () => this.#listener.arrived(undefined),
      message: (message) => {
        if (message.type === 'inbox.returned') this.#listener.arrived(undefined)
      },
      joined: (complete) => {
        if (!complete) this.#listener.arrived(undefined)
      },
      connection: (state) => this.#listener.state(said[state]),
    })
    this.#listener.state(said[this.#realtime.state])
  }
}
