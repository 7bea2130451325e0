/** The fields of the query line, as the CLI and the API name them. */
export const fields = [
  'action',
  'actor',
  'resource',
  'resource_type',
  'target',
  'owner',
  'severity',
  'status',
  'category',
  'since',
  'until',
  'correlation_id',
  'request_id',
  'q',
] as const

export type Field = (typeof fields)[number]

/** What a query line selects: a value for each field. */
export type Selection = Partial<Record<Field, string>>

/** A part of a line, with its place in it. A word without a field has the field q. */
export interface Term {
  field: Field
  value: string
  start: number
  end: number
}

/** A part of a line that selects nothing, and why. */
export interface Fault {
  text: string
  reason: string
}

export interface ParsedLine {
  terms: Term[]
  selection: Selection
  faults: Fault[]
}

/** Values that only few are. */
export const choices: Partial<Record<Field, readonly string[]>> = {
  severity: ['info', 'warning', 'error', 'critical'],
  status: ['success', 'failure'],
}

const isField = (name: string): name is Field => (fields as readonly string[]).includes(name)

/**
 * parseLine reads a line such as `action:order.* since:7d "out of stock"`. Values in quotes may contain spaces, and
 * `\"` is a quote in them. Words without a field are one text to search for.
 */
export function parseLine(line: string): ParsedLine {
  const terms: Term[] = []
  const faults: Fault[] = []
  const words: string[] = []
  for (const match of line.matchAll(/([a-z_]+):(?:"((?:[^"\\]|\\.)*)"?|(\S*))|"((?:[^"\\]|\\.)*)"?|(\S+)/gu)) {
    const [text, name, quoted, bare, phrase, word] = match
    const at = { start: match.index, end: match.index + text.length }
    const value = unescape(quoted ?? phrase) ?? bare ?? word ?? ''
    if (name === undefined) {
      words.push(value)
      terms.push({ field: 'q', value, ...at })
    } else if (isField(name)) {
      terms.push({ field: name, value, ...at })
    } else {
      faults.push({ text, reason: `There is no field ${name}. To search for this text, write it in quotes.` })
    }
  }
  const selection: Selection = {}
  for (const { field, value } of terms) {
    if (field === 'q' || value === '') continue
    if (selection[field] !== undefined && selection[field] !== value) {
      faults.push({ text: `${field}:${value}`, reason: `${field} can have one value only.` })
    } else selection[field] = value
  }
  const q = [...terms.filter((t) => t.field === 'q').map((t) => t.value)].filter(Boolean).join(' ')
  if (q) selection.q = q
  return { terms, selection, faults: [...faults, ...faultsOf(selection)] }
}

function unescape(text: string | undefined): string | undefined {
  return text?.replace(/\\(.)/gsu, '$1')
}

function faultsOf(selection: Selection): Fault[] {
  const faults: Fault[] = []
  for (const [field, allowed] of Object.entries(choices) as [Field, readonly string[]][]) {
    const value = selection[field]
    if (value !== undefined && !allowed.includes(value)) {
      faults.push({ text: `${field}:${value}`, reason: `${field} is one of ${allowed.join(', ')}.` })
    }
  }
  for (const field of ['since', 'until'] as const) {
    const value = selection[field]
    if (value !== undefined && timeOf(value, new Date(0)) === undefined) {
      faults.push({
        text: `${field}:${value}`,
        reason: `${field} is a time, such as 2026-03-01, or an age, such as 24h or 7d.`,
      })
    }
  }
  return faults
}

/** lineOf returns the line that selects the same. */
export function lineOf(selection: Selection): string {
  return fields
    .filter((field) => selection[field])
    .map((field) => (field === 'q' ? quote(selection.q ?? '', true) : `${field}:${quote(selection[field] ?? '')}`))
    .join(' ')
}

function quote(value: string, text = false): string {
  return /[\s"\\]/u.test(value) || (text && /^[a-z_]+:/u.test(value)) ? `"${value.replace(/["\\]/gu, '\\$&')}"` : value
}

const units = { m: 60e3, h: 3600e3, d: 86400e3, w: 7 * 86400e3 }

/** timeOf returns the time of `2026-03-01`, of an RFC 3339 time, or of an age before now; undefined for all else. */
export function timeOf(text: string, now: Date): string | undefined {
  const age = /^(\d{1,6})([mhdw])$/u.exec(text)
  if (age) return new Date(now.getTime() - Number(age[1]) * units[age[2] as keyof typeof units]).toISOString()
  if (!/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?)?$/u.test(text)) return undefined
  const time = new Date(text)
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString()
}
