// The flags of a measurement.
import { parseArgs } from 'node:util'

export const parts = ['first-row', 'activity', 'inbox'] as const
export type Part = (typeof parts)[number]

export interface Options {
  only: Part[]
  /** Rows that are loaded before activities arrive. */
  rows: number
  /** Activities a second. */
  rate: number
  /** Minutes for which activities arrive in the activity view, and in the inbox. */
  minutes: number
  inboxMinutes: number
  /** Page loads until the first row. */
  runs: number
  /** The file of the results, or undefined. */
  json: string | undefined
  /** The directory of CPU profiles, one a minute, or undefined. */
  profiles: string | undefined
}

/** Reads the flags of the command line. */
export function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: parts.join(',') },
      rows: { type: 'string', default: '50000' },
      rate: { type: 'string', default: '200' },
      minutes: { type: 'string', default: '10' },
      'inbox-minutes': { type: 'string', default: '3' },
      runs: { type: 'string', default: '10' },
      json: { type: 'string' },
      profiles: { type: 'string' },
    },
  })
  return {
    only: values.only.split(',').map(partOf),
    rows: count('rows', values.rows),
    rate: count('rate', values.rate),
    minutes: count('minutes', values.minutes),
    inboxMinutes: count('inbox-minutes', values['inbox-minutes']),
    runs: count('runs', values.runs),
    json: values.json,
    profiles: values.profiles,
  }
}

function partOf(text: string): Part {
  const part = parts.find((p) => p === text)
  if (!part) throw new Error(`--only is a list of ${parts.join(', ')}, not "${text}"`)
  return part
}

function count(name: string, text: string): number {
  const n = Number(text)
  if (!Number.isInteger(n) || n < 1) throw new Error(`--${name} is a positive integer, not "${text}"`)
  return n
}
