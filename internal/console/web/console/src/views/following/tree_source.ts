import { type Client, unwrap } from '@fanfare/client'
import { byName, type Node, nodeOf, type Resource, rowsOf, withChildren } from './tree.ts'

const pageSize = 200
/** Pages that are read until one has items; those of a search may be empty. */
const emptyPages = 20

export interface Page {
  items: Resource[]
  cursor: string | null
  complete: boolean
}

/** TreeSource reads the tree: the highest resources, and the children of a node when it is opened. */
export class TreeSource {
  roots: Node[] | undefined
  cursor: string | null = null
  error: unknown
  #client: Client
  #loading = false
  #changed: () => void

  constructor(client: Client, changed: () => void) {
    this.#client = client
    this.#changed = changed
  }

  /** load reads the highest resources, or the next page of them. */
  async load(): Promise<void> {
    if (this.#loading) return
    this.#loading = true
    this.error = undefined
    try {
      const page = await readPage(this.#client, {}, this.roots ? this.cursor : null)
      const had = new Set(this.roots?.map((n) => n.resource.resource_id))
      const added = byName(page.items.filter((r) => !had.has(r.resource_id))).map((r) => nodeOf(r))
      this.roots = [...(this.roots ?? []), ...added]
      this.cursor = page.cursor
      const only = this.roots[0]
      if (this.roots.length === 1 && only?.resource.has_children && !only.children) await this.open(only)
    } catch (error) {
      this.error = error
    } finally {
      this.#loading = false
    }
    this.#changed()
  }

  /** retry reads what could not be read. */
  retry(): void {
    if (!this.roots || this.error) void this.load()
    for (const row of rowsOf(this.roots ?? [])) if (row.kind === 'failed') void this.more(row.node)
  }

  async open(node: Node): Promise<void> {
    node.open = true
    if (!node.children) await this.more(node)
    else this.#changed()
  }

  close(node: Node): void {
    node.open = false
    this.#changed()
  }

  /** more reads the next children of a node. */
  async more(node: Node): Promise<void> {
    if (node.loading) return
    node.loading = true
    this.#changed()
    try {
      const query = { parent_id: node.resource.resource_id }
      const page = await readPage(this.#client, query, node.cursor)
      withChildren(node, page.items, page.cursor)
    } catch (error) {
      node.loading = false
      node.error = error
    }
    this.#changed()
  }
}

/** readPage reads a page of resources; empty ones are skipped. */
export async function readPage(
  client: Client,
  query: { parent_id?: string; q?: string },
  cursor: string | null,
  signal?: AbortSignal,
): Promise<Page> {
  let next = cursor
  for (let n = 0; n < emptyPages; n++) {
    const params = { query: { ...query, limit: pageSize, ...(next === null ? {} : { cursor: next }) } }
    const page = await unwrap(client.GET('/resources', signal ? { params, signal } : { params }))
    next = page.next_cursor
    if (page.items.length > 0 || next === null) return { items: page.items, cursor: next, complete: page.complete }
  }
  return { items: [], cursor: next, complete: true }
}
