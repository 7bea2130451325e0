import type { Client } from '@fanfare/client'
import { app } from '../../app.ts'
import { type Followings } from './followed.ts'
import { type Node, nodeOf, type Resource } from './tree.ts'
import { readPage } from './tree_source.ts'

/** Pages up to this size show where each resource is, which costs a request for each. */
const few = 50

/** What a search has found so far. */
export interface Found {
  q: string
  items: Node[]
  cursor: string | null
  complete: boolean
}

/** ResourceSearch looks for resources by name, a page at a time. */
export class ResourceSearch {
  /** The text that was looked for last. */
  asked = ''
  found: Found | undefined
  error: unknown
  #client: Client
  #followings: Followings
  #changed: () => void
  #abort: AbortController | undefined

  constructor(client: Client, followings: Followings, changed: () => void) {
    this.#client = client
    this.#followings = followings
    this.#changed = changed
  }

  stop(): void {
    this.#abort?.abort()
  }

  /** find looks for a text, in place of another one, or with more for the next page. */
  async find(q: string, more = false): Promise<void> {
    this.stop()
    const before = more ? this.found : undefined
    if (!more) this.found = undefined
    this.asked = q
    this.error = undefined
    if (!q) return
    const abort = (this.#abort = new AbortController())
    try {
      const page = await readPage(this.#client, { q }, before?.cursor ?? null, abort.signal)
      const items = await this.#nodes(page.items)
      if (abort.signal.aborted) return
      this.found = { q, items: [...(before?.items ?? []), ...items], cursor: page.cursor, complete: page.complete }
    } catch (error) {
      if (abort.signal.aborted) return
      if (before) app().failed('More could not be loaded', error)
      else this.error = error
    }
    this.#changed()
  }

  /** nodes returns found resources, below their ancestors if they are few. */
  async #nodes(found: readonly Resource[]): Promise<Node[]> {
    const placed = found.length <= few ? await this.#followings.read(found.map((r) => r.resource_id)) : []
    const nodes = new Map(placed.map((f) => [f.id, f.node]))
    return found.map((r) => nodes.get(r.resource_id) ?? nodeOf(r))
  }
}
