import { type Client, type ClientOptions, createClient, InboxStore, unwrap } from '@fanfare/client'

/** What widgets of one person share: the client, one connection and one inbox. */
export class Shared {
  readonly client: Client
  #store: InboxStore | undefined
  #users = 0
  #tenant: Promise<string> | undefined

  constructor(client: Client) {
    this.client = client
  }

  /** acquire returns the inbox, and connects for the first one who asks. Each one calls release in the end. */
  acquire(): InboxStore {
    this.#users++
    if (!this.#store) {
      this.#store = new InboxStore(this.client, { pageSize: 20 })
      this.#store.start()
    }
    return this.#store
  }

  /** release ends the connection when no widget uses it; a widget that is only moved on its page keeps it. */
  release(): void {
    setTimeout(() => {
      if (--this.#users > 0) return
      this.#store?.stop()
      this.#store = undefined
    })
  }

  /** resourceChannel returns the channel of a resource, by the default template of the server. */
  async resourceChannel(resource: string): Promise<string> {
    this.#tenant ??= unwrap(this.client.GET('/me')).then((me) => me.tenant_id)
    this.#tenant.catch(() => (this.#tenant = undefined)) // it is asked for again
    return `resource:${await this.#tenant}.${resource}`
  }
}

const byClient = new WeakMap<Client, Shared>()
const byToken = new WeakMap<object, Map<string, Shared>>()
const cookies = {}
let common: Shared | undefined

/** sharedOf returns what the widgets of a client share. */
export function sharedOf(client: Client): Shared {
  const known = byClient.get(client) ?? new Shared(client)
  byClient.set(client, known)
  return known
}

/** sharedFor returns what widgets with the same address and the same function for tokens share. */
export function sharedFor(baseUrl: string, getToken: ClientOptions['getToken']): Shared {
  const key = getToken ?? cookies
  const known = byToken.get(key) ?? new Map<string, Shared>()
  byToken.set(key, known)
  const shared = known.get(baseUrl) ?? new Shared(createClient({ baseUrl, ...(getToken ? { getToken } : {}) }))
  known.set(baseUrl, shared)
  return shared
}

const waiting = new Set<() => void>()

/** setClient sets the client of all widgets that have neither their own nor a `<fanfare-provider>`. */
export function setClient(client: Client | undefined): void {
  common = client && sharedOf(client)
  for (const changed of waiting) changed()
}

/** commonShared returns what widgets without their own source share. */
export function commonShared(): Shared {
  return common ?? sharedFor('', undefined)
}

/** onCommonChange calls back after setClient, until the function that it returns is called. */
export function onCommonChange(changed: () => void): () => void {
  waiting.add(changed)
  return () => waiting.delete(changed)
}
