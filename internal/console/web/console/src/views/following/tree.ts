import type { components } from '@fanfare/client'

export type Resource = components['schemas']['DirectoryResource']

/** A resource of the tree, and what is known of those below it. */
export interface Node {
  resource: Resource
  parent: Node | undefined
  depth: number
  open: boolean
  /** Undefined until they are read. */
  children: Node[] | undefined
  /** Of the next page of children; null without more. */
  cursor: string | null
  loading: boolean
  error: unknown
}

/** A row of the tree: a resource, or what stands for children that are not shown. */
export type Row = { kind: 'node'; node: Node } | { kind: 'more' | 'loading' | 'failed'; node: Node }

export function nodeOf(resource: Resource, parent?: Node): Node {
  return {
    resource,
    parent,
    depth: parent ? parent.depth + 1 : 0,
    open: false,
    children: undefined,
    cursor: null,
    loading: false,
    error: undefined,
  }
}

/** nameOf returns the name of a resource, its type where it has none. */
export function nameOf(resource: Pick<Resource, 'name' | 'type'>): string {
  return resource.name.trim() || resource.type
}

/** byName sorts resources by name, numbers in them by value. */
export function byName(resources: readonly Resource[]): Resource[] {
  return [...resources].sort(
    (a, b) => collator.compare(nameOf(a), nameOf(b)) || (a.resource_id < b.resource_id ? -1 : 1),
  )
}

const collator = new Intl.Collator(undefined, { numeric: true })

/** rowsOf returns the rows of what is open, in their order. */
export function rowsOf(nodes: readonly Node[]): Row[] {
  const rows: Row[] = []
  const add = (node: Node): void => {
    rows.push({ kind: 'node', node })
    if (!node.open) return
    for (const child of node.children ?? []) add(child)
    if (node.loading) rows.push({ kind: 'loading', node })
    else if (node.error) rows.push({ kind: 'failed', node })
    else if (node.cursor !== null) rows.push({ kind: 'more', node })
  }
  for (const node of nodes) add(node)
  return rows
}

/** above returns the resources above a node, the nearest last. */
export function above(node: Node): Resource[] {
  const list: Resource[] = []
  for (let at = node.parent; at; at = at.parent) list.unshift(at.resource)
  return list
}

/** withChildren adds a page of children to a node; those that it has already stay. */
export function withChildren(node: Node, page: readonly Resource[], cursor: string | null): void {
  const had = new Set(node.children?.map((c) => c.resource.resource_id))
  const added = byName(page.filter((r) => !had.has(r.resource_id))).map((r) => nodeOf(r, node))
  node.children = [...(node.children ?? []), ...added]
  node.cursor = cursor
  node.loading = false
  node.error = undefined
}
