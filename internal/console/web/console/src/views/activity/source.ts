import { type Activity, type Client, type paths, unwrap } from '@fanfare/client'
import type { FacetField, Facets } from './facet_model.ts'
import { type Filter } from './selection.ts'

type Query = NonNullable<paths['/audit']['get']['parameters']['query']>
type FacetsQuery = NonNullable<paths['/audit/facets']['get']['parameters']['query']>

export interface Page {
  items: Activity[]
  next: string | null
}

/** Where activities are read: the log of the tenant with `activity:read`, else what the caller may see. */
export class Source {
  readonly client: Client
  readonly all: boolean

  constructor(client: Client, all: boolean) {
    this.client = client
    this.all = all
  }

  /** The path of the list. */
  get path(): '/audit' | '/activities' {
    return this.all ? '/audit' : '/activities'
  }

  async page(filter: Filter, limit: number, cursor?: string | null, signal?: AbortSignal): Promise<Page> {
    const query = { ...filter, limit, ...(cursor ? { cursor } : {}) } as Query
    const init = { params: { query }, ...(signal ? { signal } : {}) }
    const page = await unwrap(this.client.GET(this.path, init))
    return { items: page.items, next: page.next_cursor }
  }

  /** facets needs `activity:read`. */
  async facets(
    filter: Filter,
    fields: readonly FacetField[],
    signal: AbortSignal,
  ): Promise<{ facets: Facets; count: number; exact: boolean }> {
    const query = { ...filter, fields: fields.join(','), limit: 12 } as FacetsQuery
    const found = await unwrap(this.client.GET('/audit/facets', { params: { query }, signal }))
    return { ...found, facets: found.facets as Facets }
  }
}
