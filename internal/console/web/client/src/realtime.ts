import type { Centrifuge } from 'centrifuge'
import { Channels, type ChannelState } from './channels.ts'
import { type Client, unwrap } from './client.ts'
import { ProblemError } from './problem.ts'
import type { Bootstrap, Connection, Event } from './types.ts'

/** A message on the caller's own channel that is no event. */
export type InboxMessage =
  | { version: string; type: 'inbox.changed'; unread_count: number }
  | { version: string; type: 'inbox.returned'; unread_count: number; notification_ids: string[] }

/** What a listener of the caller's own channel receives. */
export interface RealtimeListener {
  event?(event: Event): void
  message?(message: InboxMessage): void
  /** The channel is joined. `complete` reports whether nothing was missed since it was joined before. */
  joined?(complete: boolean): void
  connection?(state: Connection): void
}

/**
 * Realtime is one connection to Centrifugo, whose library is loaded when the connection is made. It ends when the
 * API refuses a token, until start is called again.
 */
export class Realtime {
  #client: Client
  #listeners = new Set<RealtimeListener>()
  #channels = new Channels()
  #centrifuge: Centrifuge | undefined
  #starting: Promise<void> | undefined
  #inbox = ''
  #state: Connection = 'idle'
  #stopped = false

  constructor(client: Client) {
    this.#client = client
  }

  get state(): Connection {
    return this.#state
  }

  /** listen adds a listener, and returns a function that removes it. */
  listen(listener: RealtimeListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** start connects, and repeats that until it succeeds, is refused or stop is called. */
  start(): Promise<void> {
    if (this.#state === 'ended') this.#starting = undefined
    return (this.#starting ??= this.#start())
  }

  stop(): void {
    this.#stopped = true
    this.#centrifuge?.disconnect()
    this.#set('idle')
  }

  /**
   * subscribe joins a further channel, such as that of a resource. It returns a function that leaves it, or undefined
   * if the API refuses the connection.
   */
  async subscribe(
    channel: string,
    receive: (event: Event) => void,
    changed: (state: ChannelState) => void = () => {},
  ): Promise<(() => void) | undefined> {
    await this.start()
    if (!this.#centrifuge) return undefined
    return this.#channels.join(this.#centrifuge, channel, () => this.#token(channel), { receive, changed })
  }

  async #start(): Promise<void> {
    this.#set('connecting')
    if (this.#centrifuge) {
      this.#centrifuge.connect()
      return
    }
    const answer = await this.#bootstrap()
    if (this.#stopped || !answer) return
    const { library, boot } = answer
    this.#inbox = boot.inbox_channel
    this.#unauthorized = library.UnauthorizedError
    let first: string | undefined = boot.connection_token
    const centrifuge = new library.Centrifuge(boot.url, {
      getToken: async () => {
        const token = first ?? (await this.#token())
        first = undefined
        return token
      },
    })
    this.#centrifuge = centrifuge
    centrifuge.on('connecting', () => this.#set('connecting'))
    centrifuge.on('connected', () => this.#set('live'))
    centrifuge.on('disconnected', () => this.#set(this.#stopped ? 'idle' : 'ended'))
    centrifuge.on('subscribed', (c) => {
      if (c.channel !== this.#inbox) return
      for (const l of this.#listeners) l.joined?.(c.wasRecovering && c.recovered)
    })
    centrifuge.on('publication', (c) => {
      if (c.channel === this.#inbox) this.#receive(c.data)
    })
    centrifuge.connect()
  }

  #unauthorized: (new (message: string) => Error) | undefined

  /** bootstrap loads the library and asks until the API answers; it returns undefined if the API refuses. */
  async #bootstrap(): Promise<{ library: typeof import('centrifuge'); boot: Bootstrap } | undefined> {
    for (let delay = 500; !this.#stopped; delay = Math.min(delay * 2, 20_000)) {
      try {
        const [library, boot] = await Promise.all([
          import('centrifuge'),
          unwrap(this.#client.GET('/realtime/bootstrap')),
        ])
        return { library, boot }
      } catch (error) {
        if (refused(error)) {
          this.#set('ended')
          return undefined
        }
        await new Promise((resolve) => setTimeout(resolve, delay * (0.5 + Math.random() / 2)))
      }
    }
    return undefined
  }

  /** token returns a connection token, or the token of a channel. */
  async #token(channel?: string): Promise<string> {
    try {
      const body = { channels: channel ? [channel] : [] }
      const tokens = await unwrap(this.#client.POST('/realtime/token', { body }))
      return channel ? (tokens.subscription_tokens[channel] ?? '') : tokens.connection_token
    } catch (error) {
      if (refused(error) && this.#unauthorized) throw new this.#unauthorized('refused')
      throw error
    }
  }

  #receive(data: unknown): void {
    if (typeof data !== 'object' || data === null) return
    for (const l of this.#listeners) {
      if ('type' in data) l.message?.(data as InboxMessage)
      else if ('event_id' in data) l.event?.(data as Event)
    }
  }

  #set(state: Connection): void {
    if (state === this.#state) return
    this.#state = state
    for (const l of this.#listeners) l.connection?.(state)
  }
}

function refused(error: unknown): boolean {
  return error instanceof ProblemError && (error.status === 401 || error.status === 403)
}
