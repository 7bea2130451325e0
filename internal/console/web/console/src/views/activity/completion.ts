import { choices, type Field, fields } from './query.ts'

/** The word at the caret: the beginning of a field or of a text, or the value of a field. */
export interface Word {
  field: Field | undefined
  text: string
  start: number
  end: number
}

/** A suggestion. Choosing it replaces the word by a field, or sets the value of a field. */
export interface Suggestion {
  field: Field
  /** undefined: only the field is inserted. */
  value: string | undefined
  label: string
  hint: string
}

/** What each field selects. */
const fieldHints: Record<Field, string> = {
  action: 'what happened, such as order.*',
  actor: 'who did it',
  resource: 'what it happened to',
  resource_type: 'the type of the resource',
  target: 'whom it addresses',
  owner: 'who owned the resource',
  severity: 'info, warning, error, critical',
  status: 'success, failure',
  category: 'the category of the action',
  since: 'a time, or an age such as 24h',
  until: 'before a time or an age',
  correlation_id: 'one operation',
  request_id: 'one request of a service',
  q: 'in the message, the name or the action',
}

/** Ages that are often asked for. */
export const ages: readonly [string, string][] = [
  ['15m', 'the last 15 minutes'],
  ['1h', 'the last hour'],
  ['24h', 'the last 24 hours'],
  ['7d', 'the last 7 days'],
  ['30d', 'the last 30 days'],
  ['12w', 'the last 12 weeks'],
]

/** wordAt returns the word in which the caret is. */
export function wordAt(line: string, caret: number): Word {
  const before = line.slice(0, caret)
  const match = /(?:([a-z_]+):)?(?:"((?:[^"\\]|\\.)*)|(\S*))$/u.exec(before)
  const name = match?.[1]
  const field = fields.find((f) => f === name && f !== 'q')
  const text = match?.[2] ?? match?.[3] ?? ''
  const rest = /^[^\s"]*"?/u.exec(line.slice(caret))?.[0] ?? ''
  const start = match?.index ?? caret
  return { field, text: name && !field ? `${name}:${text}` : text, start, end: caret + rest.length }
}

/** fieldsFor suggests fields that begin with a text. */
export function fieldsFor(text: string): Suggestion[] {
  return fields
    .filter((field) => field !== 'q' && field.startsWith(text.toLowerCase()))
    .map((field) => ({ field, value: undefined, label: `${field}:`, hint: fieldHints[field] }))
}

/** choicesFor suggests values of fields that have few, and ages. */
export function choicesFor(field: Field, text: string): Suggestion[] {
  const allowed = choices[field]
  if (allowed) return allowed.filter((v) => v.includes(text.toLowerCase())).map((v) => valueOf(field, v))
  if (field !== 'since' && field !== 'until') return []
  return ages
    .filter(([age, hint]) => age.startsWith(text) || hint.includes(text))
    .map(([age, hint]) => ({
      field,
      value: age,
      label: age,
      hint: field === 'since' ? hint : hint.replace('the last', 'before the last'),
    }))
}

/** A name to match, with what describes it. */
export interface Known {
  name: string
  hint: string
}

/** actionsFor suggests actions that contain a text, and the patterns of their groups. */
export function actionsFor(actions: readonly Known[], text: string, limit = 12): Suggestion[] {
  const wanted = text.toLowerCase().replace(/\*+$/u, '')
  const found = actions.filter((a) => a.name.toLowerCase().includes(wanted))
  const groups = new Map<string, number>()
  for (const { name } of found) {
    const group = name.slice(0, name.indexOf('.') + 1)
    if (group) groups.set(group, (groups.get(group) ?? 0) + 1)
  }
  const patterns = [...groups]
    .filter(([group, count]) => count > 1 && group.startsWith(wanted.slice(0, group.length)))
    .map(([group, count]): Suggestion => ({
      field: 'action',
      value: `${group}*`,
      label: `${group}*`,
      hint: `${count} actions`,
    }))
  const begin = (a: Known): number => (a.name.toLowerCase().startsWith(wanted) ? 0 : 1)
  const names = [...found]
    .sort((a, b) => begin(a) - begin(b) || (a.name < b.name ? -1 : 1))
    .map((a): Suggestion => ({ field: 'action', value: a.name, label: a.name, hint: a.hint }))
  return [...(wanted ? patterns.slice(0, 3) : patterns.slice(0, 6)), ...names].slice(0, limit)
}

/** valuesFor suggests values that contain a text. */
export function valuesFor(field: Field, values: readonly Known[], text: string, limit = 12): Suggestion[] {
  return values
    .filter((v) => v.name.toLowerCase().includes(text.toLowerCase()))
    .slice(0, limit)
    .map((v) => ({ field, value: v.name, label: v.name, hint: v.hint }))
}

function valueOf(field: Field, value: string): Suggestion {
  return { field, value, label: value, hint: '' }
}
