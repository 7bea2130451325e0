import { type Client, ProblemError, unwrap } from '@fanfare/client'
import type { FollowStore } from '@fanfare/elements/following/store'
import { byName, nameOf, type Node, nodeOf, type Resource } from './tree.ts'

/**
 * A resource that the caller follows, also through a group, or has set a level for; without a node, one that the caller
 * may not see.
 */
export interface Followed {
  id: string
  node: Node | undefined
}

const parallel = 6
const pageSize = 100

/** Followings reads the names of what is followed, a page at a time, and keeps them. */
export class Followings {
  /** What is followed, once it is loaded. */
  list: Followed[] | undefined
  #shown = pageSize
  #known = new Map<string, Node | undefined>()
  #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  /** ids returns the resources that a store has a subscription or a level of, the newest first, groups' last. */
  static ids(store: FollowStore): string[] {
    const followed = store.subscriptions.map((s) => s.resource_id).reverse()
    return [...new Set([...followed, ...store.levels.map((l) => l.resource_id), ...store.throughGroups])]
  }

  /** left returns how many of those of a store the next page has. */
  left(store: FollowStore): number {
    return Math.max(0, Math.min(pageSize, Followings.ids(store).length - this.#shown))
  }

  /** load fills the list from a store, with more by another page. */
  async load(store: FollowStore, more = false): Promise<void> {
    if (more) this.#shown += pageSize
    const ids = Followings.ids(store).slice(0, this.#shown)
    const followed = await this.read(ids)
    // What was followed when the list was shown stays in it, so that a row does not vanish under the pointer.
    const kept = (this.list ?? []).filter((f) => f.node && !ids.includes(f.id)).map((f) => f.id)
    this.list = kept.length > 0 ? this.of([...ids, ...kept]) : followed
  }

  /** read returns resources with their names; those that the caller may not see last. */
  async read(ids: readonly string[]): Promise<Followed[]> {
    const queue = ids.filter((id) => !this.#known.has(id))
    const work = async (): Promise<void> => {
      for (let id = queue.shift(); id !== undefined; id = queue.shift()) this.#known.set(id, await this.#find(id))
    }
    await Promise.all(Array.from({ length: parallel }, work))
    return this.of(ids)
  }

  /** of returns what is known of resources, by name. */
  of(ids: readonly string[]): Followed[] {
    const nodes = ids.flatMap((id) => this.#known.get(id) ?? [])
    const order = byName(nodes.map((n) => n.resource)).map((r) => r.resource_id)
    const hidden = ids.filter((id) => this.#known.has(id) && !this.#known.get(id))
    return [...order, ...hidden].map((id) => ({ id, node: this.#known.get(id) }))
  }

  async #find(id: string): Promise<Node | undefined> {
    try {
      const { ancestors, ...resource } = await unwrap(this.#client.GET('/resources/{id}', { params: { path: { id } } }))
      return placed(resource, ancestors)
    } catch (error) {
      if (error instanceof ProblemError && error.status === 404) return undefined
      throw error
    }
  }
}

/** placed returns a resource as a node below its ancestors. */
export function placed(resource: Resource, ancestors: readonly Resource[]): Node {
  let parent: Node | undefined
  for (const a of ancestors) parent = nodeOf(a, parent)
  return nodeOf(resource, parent)
}

/** pathOf returns the names of the resources above a node. */
export function pathOf(node: Node): string {
  const names: string[] = []
  for (let at = node.parent; at; at = at.parent) names.unshift(nameOf(at.resource))
  return names.join(' / ')
}
