import { nameOf, resourceName } from '@fanfare/elements/activity-text'
import type { Row } from './rows.ts'
import type { Field } from './query.ts'

/** A value of a field, and how many activities have it. */
export interface FacetValue {
  value: string
  label: string
  count: number
}

export type FacetField = Extract<
  Field,
  'action' | 'actor' | 'resource' | 'resource_type' | 'severity' | 'status' | 'category'
>

/** The fields of the rail, in their order. */
export const facetFields: readonly FacetField[] = [
  'action',
  'actor',
  'severity',
  'status',
  'resource_type',
  'resource',
  'category',
]

export type Facets = Partial<Record<FacetField, FacetValue[]>>

/** countedIn counts the values of the rows that are loaded. */
export function countedIn(rows: readonly Row[], top = 12): Facets {
  const counts = new Map<FacetField, Map<string, FacetValue>>(facetFields.map((field) => [field, new Map()]))
  const add = (field: FacetField, value: string, label: () => string): void => {
    if (!value) return
    const values = counts.get(field)
    const known = values?.get(value)
    if (known) known.count++
    else values?.set(value, { value, label: label(), count: 1 })
  }
  for (const row of rows) {
    add('action', row.action, () => row.action)
    add('actor', row.actor.principal_id, () => nameOf(row.actor))
    add('resource', row.resource.resource_id, () => resourceName(row.resource))
    add('resource_type', row.resource.resource_type, () => row.resource.resource_type)
    add('severity', row.severity, () => row.severity)
    add('category', row.category, () => row.category)
    add('status', row.failed ? 'failure' : 'success', () => (row.failed ? 'failure' : 'success'))
  }
  const facets: Facets = {}
  for (const [field, values] of counts) {
    facets[field] = [...values.values()].sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1)).slice(0, top)
  }
  return facets
}
