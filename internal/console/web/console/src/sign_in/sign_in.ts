import { type Client, type ClientOptions, createClient, ProblemError } from '@fanfare/client'
import { usedCode } from './code.ts'
import { readConfig } from './config.ts'
import { type HandOver, handOver } from './hand_over.ts'
import { type Me, whoAmI } from './me.ts'

/** A caller who is signed in, and the client with its credential. */
export interface Session {
  client: Client
  me: Me
  /** end ends what the server keeps of the session. */
  end(): Promise<void>
}

/** What SignIn calls while a caller is signed in. */
export interface SignInListener {
  /** The API accepts the credential no longer. */
  expired(): void
  /** The API refuses what the credential does not permit. */
  forbidden(): void
}

/** SignIn finds the caller's credential. Tokens stay in memory. */
export class SignIn {
  #listener: SignInListener
  #handOver: HandOver | undefined

  constructor(listener: SignInListener) {
    this.#listener = listener
  }

  /** start signs in without asking the person: by a one-time code, a cookie or gateway, or a hand-over. */
  async start(): Promise<Session | undefined> {
    const code = usedCode()
    if (code) await this.#exchange(code)
    const found = await this.#try(this.#cookies())
    if (found) return { ...found, end: () => this.#end(found.client) }
    this.#handOver = handOver((await readConfig()).origins)
    const token = await this.#handOver?.token('start', 3000)
    return token ? this.withToken(token) : undefined
  }

  /** withToken signs in with a token, and throws the problem if the API refuses it. */
  async withToken(token: string): Promise<Session> {
    let current = token
    const client = createClient({
      ...this.#watched(),
      getToken: async (reason) => {
        if (reason === 'expired') current = (await this.#handOver?.token('expired', 10_000)) ?? current
        return current
      },
    })
    return { client, me: await whoAmI(client), end: async () => {} }
  }

  #cookies(): Client {
    return createClient(this.#watched())
  }

  /** watched returns the options of a client that calls the listener. */
  #watched(): ClientOptions {
    return {
      onUnauthorized: () => this.#listener.expired(),
      fetch: async (request) => {
        const response = await fetch(request)
        if (response.status === 403) this.#listener.forbidden()
        return response
      },
    }
  }

  async #try(client: Client): Promise<{ client: Client; me: Me } | undefined> {
    try {
      return { client, me: await whoAmI(client) }
    } catch (error) {
      if (error instanceof ProblemError && error.status === 401) return undefined
      throw error
    }
  }

  async #exchange(code: string): Promise<void> {
    const response = await createClient().send('/session', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ code }),
    })
    if (response.ok) return
    throw new Error(
      'This link was used already or has expired. A link works once, within five minutes: make another one.',
    )
  }

  async #end(client: Client): Promise<void> {
    await client.send('/session', { method: 'DELETE' })
  }
}
