import type { Counts, InboxQuery } from '@fanfare/client'
import type { Tab } from '@fanfare/elements/tabs'
import { isID } from '../../parts/is_id.ts'

/** The tabs, each a state of notifications. */
export const states = ['inbox', 'unread', 'snoozed', 'archived', 'all'] as const
export type TabState = (typeof states)[number]

const groupings = ['resource', 'correlation', 'burst'] as const
export type Grouping = (typeof groupings)[number]

/** The filters that the address may hold. */
export const filterFields = [
  'reason',
  'severity',
  'action',
  'actor',
  'resource',
  'resource_type',
  'correlation_id',
  'since',
  'until',
  'q',
] as const
export type FilterField = (typeof filterFields)[number]

export type Filters = Partial<Record<FilterField, string>>

const allowed: Partial<Record<FilterField, readonly string[]>> = {
  reason: ['subscribed', 'owner', 'delegator', 'target'],
  severity: ['info', 'warning', 'error', 'critical'],
}
const uuids: readonly FilterField[] = ['actor', 'resource', 'correlation_id']

/** tabsOf returns the tabs with their counts. */
export function tabsOf(counts: Counts | undefined): Tab[] {
  return [
    { id: 'inbox', label: 'Inbox', count: counts?.inbox ?? 0 },
    { id: 'unread', label: 'Unread', count: counts?.unread ?? 0 },
    { id: 'snoozed', label: 'Snoozed', count: counts?.snoozed ?? 0 },
    { id: 'archived', label: 'Archived', count: counts?.archived ?? 0 },
    { id: 'all', label: 'All' },
  ]
}

/** stateOf returns the tab of an address. */
export function stateOf(address: URLSearchParams): TabState {
  const state = address.get('state')
  return states.find((s) => s === state) ?? 'inbox'
}

/** groupingOf returns how an address groups, or undefined. */
export function groupingOf(address: URLSearchParams): Grouping | undefined {
  const group = address.get('group_by')
  return groupings.find((g) => g === group)
}

/** filtersOf returns the filters of an address. What the API would refuse is left out. */
export function filtersOf(address: URLSearchParams): Filters {
  const filters: Filters = {}
  for (const field of filterFields) {
    const value = address.get(field)?.slice(0, 200)
    if (!value || (allowed[field] && !allowed[field].includes(value))) continue
    if (uuids.includes(field) && !isID(value)) continue
    if ((field === 'since' || field === 'until') && Number.isNaN(Date.parse(value))) continue
    filters[field] = value
  }
  return filters
}

/** queryOf returns what an address asks of the API. */
export function queryOf(address: URLSearchParams): InboxQuery {
  const { q, ...filters } = filtersOf(address)
  const grouping = groupingOf(address)
  const search = q?.trim()
  return {
    ...(filters as InboxQuery),
    state: stateOf(address),
    ...(search ? { q: search } : {}),
    ...(grouping ? { group_by: grouping } : {}),
  }
}

/** sameQuery reports whether two queries select the same. */
export function sameQuery(a: InboxQuery, b: InboxQuery): boolean {
  const text = (query: InboxQuery): string => JSON.stringify(Object.entries(query).toSorted())
  return text(a) === text(b)
}

/** without returns the change of an address that removes all filters. */
export const withoutFilters: Record<FilterField, null> = Object.fromEntries(
  filterFields.map((field) => [field, null]),
) as Record<FilterField, null>
