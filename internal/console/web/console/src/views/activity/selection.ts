import { isID } from '../../parts/is_id.ts'
import type { QueryChange } from '../../router.ts'
import { type Field, fields, parseLine, type Selection, timeOf } from './query.ts'

/** The filter of a list, as the API takes it. */
export type Filter = Partial<Record<Field, string>>

/** Fields whose values are ids. */
const idFields: readonly Field[] = ['actor', 'resource', 'target', 'owner', 'correlation_id']

/** The names of the fields for people. */
export const fieldNames: Record<Field, string> = {
  action: 'Action',
  actor: 'Actor',
  resource: 'Resource',
  resource_type: 'Type',
  target: 'Addressed to',
  owner: 'Owner',
  severity: 'Severity',
  status: 'Status',
  category: 'Category',
  since: 'Since',
  until: 'Until',
  correlation_id: 'Correlation',
  request_id: 'Request',
  q: 'Text',
}

/** selectionOf reads the selection of an address. */
export function selectionOf(query: URLSearchParams): Selection {
  const selection: Selection = {}
  for (const field of fields) {
    const value = query.get(field)
    if (value) selection[field] = value
  }
  return selection
}

/** changeTo returns the change of a query that makes it that of the selection. */
export function changeTo(selection: Selection): QueryChange {
  return Object.fromEntries(fields.map((field) => [field, selection[field] ?? null]))
}

/** filterOf returns the API's filter of a selection. Ages are from now. */
export function filterOf(selection: Selection, now: Date): Filter {
  const filter: Filter = {}
  for (const field of fields) {
    const value = selection[field]
    if (value === undefined) continue
    const time = field === 'since' || field === 'until' ? timeOf(value, now) : value
    if (time) filter[field] = time
  }
  return filter
}

/** keyOf identifies a selection. */
export function keyOf(selection: Selection): string {
  return JSON.stringify(fields.map((field) => selection[field] ?? ''))
}

/** isEmpty reports whether a selection selects everything. */
export function isEmpty(selection: Selection): boolean {
  return fields.every((field) => !selection[field])
}

/** without returns a selection without some fields. */
export function without(selection: Selection, ...dropped: Field[]): Selection {
  return Object.fromEntries(Object.entries(selection).filter(([field]) => !dropped.includes(field as Field)))
}

/** read parses a line that is typed onto a selection: its fields replace those of the selection. */
export function read(
  line: string,
  onto: Selection,
): { selection: Selection; faults: { text: string; reason: string }[] } {
  const { selection, faults } = parseLine(line)
  const more = idFields
    .filter((field) => selection[field] !== undefined && !isID(selection[field] ?? ''))
    .map((field) => ({
      text: `${field}:${selection[field]}`,
      reason: `${field} is an id. Type a part of the name and choose one of the list.`,
    }))
  return { selection: { ...onto, ...selection }, faults: [...faults, ...more] }
}
