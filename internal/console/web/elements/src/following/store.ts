import { type Client, type components, unwrap } from '@fanfare/client'

type Schemas = components['schemas']
export type Subscription = Schemas['Subscription']
export type WatchLevel = Schemas['WatchLevel']

/** The resource alone, or with everything under it. */
export type Scope = 'resource' | 'descendants'
export type Level = WatchLevel['level']
export type LevelChange = Pick<WatchLevel, 'level' | 'scope' | 'patterns'>

/** Reverses a change. */
export type Undo = () => Promise<void>

/** What holds for a resource, and the resource that it comes from: itself, or one above. */
export interface Held<T> {
  value: T
  from: string
  /** The name of the group that the caller has it through; the id where it has none. */
  group?: string
}

/** The most entries that are read of each list: 200 a page. */
const maxPages = 50

const stores = new WeakMap<Client, FollowStore>()

/**
 * FollowStore holds the caller's subscriptions and levels. Changes show at once, and are taken back where the API
 * refuses them. All elements of a client share one.
 */
export class FollowStore {
  /** of returns the store of a client. */
  static of(client: Client): FollowStore {
    let store = stores.get(client)
    if (!store) stores.set(client, (store = new FollowStore(client)))
    return store
  }

  phase: 'idle' | 'loading' | 'ready' | 'failed' = 'idle'
  error: unknown
  /** False if there are more than 10,000 subscriptions or levels. */
  complete = true
  readonly client: Client
  #subscriptions = new Map<string, Subscription[]>() // by resource
  #throughGroups = new Map<string, Subscription[]>() // by resource
  #groups = new Map<string, string>() // names by id
  #levels = new Map<string, WatchLevel>() // by resource
  #subscribers = new Set<() => void>()
  #loading: Promise<void> | undefined
  #busy = new Map<string, Promise<unknown>>() // the last change of a resource
  #changes = 0

  private constructor(client: Client) {
    this.client = client
  }

  /** subscribe calls back after every change, until the function that it returns is called. */
  subscribe(changed: () => void): () => void {
    this.#subscribers.add(changed)
    return () => this.#subscribers.delete(changed)
  }

  /** All subscriptions, the newest last. */
  get subscriptions(): Subscription[] {
    return [...this.#subscriptions.values()].flat()
  }

  /** The resources that the caller follows through groups. */
  get throughGroups(): string[] {
    return [...this.#throughGroups.keys()]
  }

  get levels(): WatchLevel[] {
    return [...this.#levels.values()]
  }

  /** load reads what the caller follows, once; again after a failure. */
  load(): Promise<void> {
    return this.phase === 'ready' ? Promise.resolve() : this.refresh()
  }

  /** refresh reads it again. */
  refresh(): Promise<void> {
    this.#loading ??= this.#read().finally(() => (this.#loading = undefined))
    return this.#loading
  }

  async #read(): Promise<void> {
    const { client } = this
    const before = this.#changes
    if (this.phase !== 'ready') this.#set({ phase: 'loading', error: undefined })
    try {
      const [subscriptions, levels] = await Promise.all([
        pages((query) =>
          unwrap(client.GET('/subscriptions', { params: { query: { ...query, through_groups: true } } })),
        ),
        pages((query) => unwrap(client.GET('/watch-levels', { params: { query } }))),
      ])
      const groups = subscriptions.items.filter((s) => s.group_id !== null)
      const names = await this.#names(groups)
      await Promise.allSettled(this.#busy.values())
      if (before !== this.#changes) return await this.#read()
      this.#subscriptions = grouped(subscriptions.items.filter((s) => s.group_id === null))
      this.#throughGroups = grouped(groups)
      this.#groups = names
      this.#levels = new Map(levels.items.map((l) => [l.resource_id, l]))
      this.#set({ phase: 'ready', error: undefined, complete: subscriptions.complete && levels.complete })
    } catch (error) {
      this.#set(this.phase === 'ready' ? { error } : { phase: 'failed', error })
    }
  }

  /** names returns the names of the groups that subscriptions are of; without those that are not known. */
  async #names(list: readonly Subscription[]): Promise<Map<string, string>> {
    const ids = [...new Set(list.map((s) => s.principal_id))].slice(0, 100).join(',')
    const { data } = ids ? await this.client.GET('/principals', { params: { query: { ids } } }) : {}
    return new Map(data?.items.map((p) => [p.principal_id, p.display_name]))
  }

  /** own returns the scope of the caller's own subscription to a resource. */
  own(resource: string): Scope | undefined {
    const list = this.#subscriptions.get(resource) ?? []
    return list.some((s) => s.scope === 'descendants') ? 'descendants' : list[0]?.scope
  }

  /** follows returns the subscription that covers a resource. The ancestors are its own, the nearest last. */
  follows(resource: string, ancestors: readonly string[]): Held<Scope> | undefined {
    const own = this.own(resource)
    if (own) return { value: own, from: resource }
    const above = ancestors.findLast((id) => this.own(id) === 'descendants')
    return above ? { value: 'descendants', from: above } : this.#throughGroup(resource, ancestors)
  }

  /** throughGroup returns the subscription of a group of the caller's that covers a resource. */
  #throughGroup(resource: string, ancestors: readonly string[]): Held<Scope> | undefined {
    for (const from of [resource, ...[...ancestors].reverse()]) {
      const list = this.#throughGroups.get(from) ?? []
      const found = list.find((s) => s.scope === 'descendants') ?? (from === resource ? list[0] : undefined)
      if (found) {
        return { value: found.scope, from, group: this.#groups.get(found.principal_id) || found.principal_id }
      }
    }
    return undefined
  }

  ownLevel(resource: string): WatchLevel | undefined {
    return this.#levels.get(resource)
  }

  /** level returns the level that decides for a resource. */
  level(resource: string, ancestors: readonly string[]): Held<WatchLevel> | undefined {
    const own = this.#levels.get(resource)
    if (own) return { value: own, from: resource }
    const above = ancestors.findLast((id) => this.#levels.get(id)?.scope === 'descendants')
    const value = above === undefined ? undefined : this.#levels.get(above)
    return value && above !== undefined ? { value, from: above } : undefined
  }

  /** follow subscribes to a resource, or without a scope unsubscribes. */
  follow(resource: string, scope: Scope | undefined): Promise<Undo> {
    return this.#subscribe(resource, scope ? [scope] : [])
  }

  #subscribe(resource: string, scopes: readonly Scope[]): Promise<Undo> {
    return this.#change(resource, async () => {
      const had = this.#subscriptions.get(resource) ?? []
      const kept = had.filter((s) => scopes.includes(s.scope))
      const added = scopes.filter((scope) => !had.some((s) => s.scope === scope))
      this.#setSubscriptions(resource, [...kept, ...added.map((scope) => pending(resource, scope))])
      let now = had
      try {
        for (const scope of added) {
          const body = { resource_id: resource, scope }
          now = [...now, await unwrap(this.client.POST('/subscriptions', { body }))]
        }
        for (const { id } of had.filter((s) => !kept.includes(s))) {
          await unwrap(this.client.DELETE('/subscriptions/{id}', { params: { path: { id } } }))
          now = now.filter((s) => s.id !== id)
        }
      } finally {
        this.#setSubscriptions(resource, now)
      }
      return async () => {
        const before = had.map((s) => s.scope)
        await this.#subscribe(resource, before)
      }
    })
  }

  /** setLevel sets the level of a resource, or without one removes it. */
  setLevel(resource: string, level: LevelChange | undefined): Promise<Undo> {
    return this.#change(resource, async () => {
      const had = this.#levels.get(resource)
      const params = { path: { resource_id: resource } }
      this.#setLevel(resource, level && { ...level, resource_id: resource, updated_at: new Date().toISOString() })
      try {
        if (level) {
          const body = { level: level.level, scope: level.scope, patterns: level.patterns }
          this.#setLevel(resource, await unwrap(this.client.PUT('/watch-levels/{resource_id}', { params, body })))
        } else await unwrap(this.client.DELETE('/watch-levels/{resource_id}', { params }))
      } catch (error) {
        this.#setLevel(resource, had)
        throw error
      }
      return async () => {
        await this.setLevel(resource, had)
      }
    })
  }

  /** add takes up subscriptions that the API has confirmed elsewhere, such as in bulk. */
  add(subscriptions: readonly Subscription[]): void {
    this.#changes++
    for (const s of subscriptions) {
      const others = (this.#subscriptions.get(s.resource_id) ?? []).filter((o) => o.id !== s.id)
      this.#subscriptions.set(s.resource_id, [...others, s])
    }
    this.#set({})
  }

  /** change runs the changes of a resource one after another. */
  #change<T>(resource: string, run: () => Promise<T>): Promise<T> {
    this.#changes++
    const before = this.#busy.get(resource) ?? Promise.resolve()
    const done = before.then(run, run)
    this.#busy.set(resource, done)
    const forget = (): void => {
      if (this.#busy.get(resource) === done) this.#busy.delete(resource)
    }
    done.then(forget, forget)
    return done
  }

  #setSubscriptions(resource: string, list: Subscription[]): void {
    if (list.length > 0) this.#subscriptions.set(resource, list)
    else this.#subscriptions.delete(resource)
    this.#set({})
  }

  #setLevel(resource: string, level: WatchLevel | undefined): void {
    if (level) this.#levels.set(resource, level)
    else this.#levels.delete(resource)
    this.#set({})
  }

  #set(change: Partial<Pick<FollowStore, 'phase' | 'error' | 'complete'>>): void {
    Object.assign(this, change)
    for (const changed of this.#subscribers) changed()
  }
}

function pending(resource: string, scope: Scope): Subscription {
  const created_at = new Date().toISOString()
  return { id: '', tenant_id: '', principal_id: '', group_id: null, resource_id: resource, scope, created_at }
}

function grouped(list: readonly Subscription[]): Map<string, Subscription[]> {
  const groups = new Map<string, Subscription[]>()
  for (const s of list) groups.set(s.resource_id, [...(groups.get(s.resource_id) ?? []), s])
  return groups
}

/** pages reads all pages of a list, up to maxPages. */
export async function pages<T>(
  read: (query: { limit: number; cursor?: string }) => Promise<{ items: T[]; next_cursor: string | null }>,
): Promise<{ items: T[]; complete: boolean }> {
  const items: T[] = []
  let cursor: string | null = null
  for (let n = 0; n < maxPages; n++) {
    const page = await read(cursor ? { limit: 200, cursor } : { limit: 200 })
    items.push(...page.items)
    cursor = page.next_cursor
    if (cursor === null) return { items, complete: true }
  }
  return { items, complete: false }
}
