import { shellLine } from '../../parts/shell_line.ts'
import type { QueryChange } from '../../router.ts'
import type { DeadFilter } from './types.ts'

/** Ages that the filter offers, in hours. */
export const ages: { value: string; label: string; hours: number }[] = [
  { value: '', label: 'At any time', hours: 0 },
  { value: '1h', label: 'In the last hour', hours: 1 },
  { value: '24h', label: 'In the last 24 hours', hours: 24 },
  { value: '7d', label: 'In the last 7 days', hours: 168 },
]

/** What the address selects. `age` is relative to now. */
export interface Selection {
  error: string
  kind: string
  action: string
  resource: string
  age: string
}

export const names = ['error', 'kind', 'action', 'resource', 'age'] as const

/** selectionOf reads what a query selects. */
export function selectionOf(query: URLSearchParams): Selection {
  const text = (name: string): string => query.get(name) ?? ''
  const age = ages.some((a) => a.value === text('age')) ? text('age') : ''
  return { error: text('error'), kind: text('kind'), action: text('action'), resource: text('resource'), age }
}

/** none is the change of a query that selects all. */
export const none: QueryChange = { error: null, kind: null, action: null, resource: null, age: null }

/** selective reports whether a selection leaves any out. */
export function selective(s: Selection): boolean {
  return names.some((name) => s[name] !== '')
}

/** filterOf returns the filter of the API. */
export function filterOf(s: Selection, now: number): DeadFilter {
  const hours = ages.find((a) => a.value === s.age)?.hours ?? 0
  return {
    ...(s.error ? { error: s.error } : {}),
    ...(s.kind ? { error_kind: s.kind } : {}),
    ...(s.action ? { action: s.action } : {}),
    ...(s.resource ? { resource: s.resource } : {}),
    ...(hours ? { since: new Date(now - hours * 3_600_000).toISOString() } : {}),
  }
}

/** parametersOf returns a filter as parameters of a list. */
export function parametersOf(filter: DeadFilter): Record<string, string> {
  const set = Object.entries(filter).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return Object.fromEntries(set)
}

/** commandOf returns the command that does the same for a tenant. */
export function commandOf(verb: 'replay' | 'discard', s: Selection, id: string, tenant: string, by: string): string {
  const all = !id && !selective(s)
  return shellLine(`fanfare outbox ${verb}${id ? ` ${id}` : ''}`, {
    all: all || undefined,
    error: s.error,
    'error-kind': s.kind,
    action: s.action,
    resource: s.resource,
    since: s.age,
    tenant,
    by,
  })
}
