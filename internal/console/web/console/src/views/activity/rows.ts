import type { Activity, Event } from '@fanfare/client'
import { excerptOf } from '@fanfare/elements/excerpt'

/** What the timeline shows of an activity: without its payload, so that many fit into memory. */
export interface Row {
  id: string
  action: string
  actor: Activity['actor']
  resource: Activity['resource']
  title: string
  /** What it says, or else who did what. */
  summary: string
  severity: string
  category: string
  /** Events that have just arrived have none. */
  failed: boolean
  at: string
  /** The local day of its recording, which orders the rows, as 20260310. */
  day: number
  /** It arrived while the page was open. */
  fresh: boolean
}

/** The rows of one day, which are next to each other. */
export interface Day {
  day: number
  /** The index of its first row. */
  first: number
  count: number
}

/** The number of rows that are kept. */
const maxRows = 50_000

/** rowOf returns the row of an activity or of an event. */
export function rowOf(of: Activity | Event, fresh = false): Row {
  const activity = of as Activity
  return {
    id: of.event_id,
    action: of.action,
    actor: of.actor,
    resource: of.resource,
    title: of.ui_hints.title || of.action,
    summary: excerptOf(of) || of.ui_hints.summary,
    severity: activity.severity ?? of.ui_hints.severity,
    category: activity.category ?? of.ui_hints.category,
    failed: activity.status === 'failure',
    at: of.created_at,
    day: dayOf(timeOfID(of.event_id)),
    fresh,
  }
}

/** timeOfID returns the time in a UUIDv7. */
function timeOfID(id: string): Date {
  return new Date(parseInt(id.slice(0, 8) + id.slice(9, 13), 16))
}

/** dayOf returns the local day of a time. */
export function dayOf(time: Date): number {
  return time.getFullYear() * 10_000 + (time.getMonth() + 1) * 100 + time.getDate()
}

/** dateOf returns a day's noon. */
export function dateOf(day: number): Date {
  return new Date(Math.floor(day / 10_000), (Math.floor(day / 100) % 100) - 1, day % 100, 12)
}

/** daysOf groups rows by day. */
export function daysOf(rows: readonly Row[]): Day[] {
  const days: Day[] = []
  let last: Day | undefined
  for (let i = 0; i < rows.length; i++) {
    const day = rows[i]?.day ?? 0
    if (last?.day === day) last.count++
    else days.push((last = { day, first: i, count: 1 }))
  }
  return days
}

/** Rows holds the newest rows first, each once, at most `max`. */
export class Rows {
  #max: number
  #list: Row[] = []
  #ids = new Set<string>()
  /** Older rows were dropped to make room. */
  dropped = false

  constructor(max = maxRows) {
    this.#max = max
  }

  get list(): readonly Row[] {
    return this.#list
  }

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  clear(): void {
    this.#list = []
    this.#ids.clear()
    this.dropped = false
  }

  /** append adds older rows, of a page. It reports whether there is room for more. */
  append(rows: readonly Row[]): boolean {
    for (const row of rows) {
      if (this.#list.length >= this.#max) {
        this.dropped = true
        return false
      }
      if (this.#ids.has(row.id)) continue
      this.#ids.add(row.id)
      this.#list.push(row)
    }
    return this.#list.length < this.#max
  }

  /** prepend adds newer rows in any order, drops the oldest ones beyond the maximum, and returns how many are new. */
  prepend(rows: readonly Row[]): number {
    const added: Row[] = []
    for (const row of rows) {
      if (this.#ids.has(row.id)) continue
      this.#ids.add(row.id)
      added.push(row)
    }
    if (added.length === 0) return 0
    added.sort((a, b) => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0))
    this.#merge(added)
    while (this.#list.length > this.#max) {
      const last = this.#list.pop()
      if (last) this.#ids.delete(last.id)
      this.dropped = true
    }
    return added.length
  }

  /** merge puts rows in their order: nearly always all before the first one. */
  #merge(added: Row[]): void {
    let at = 0
    const oldest = added.at(-1)?.id ?? ''
    while (at < this.#list.length && (this.#list[at]?.id ?? '') > oldest) at++
    const head = [...this.#list.slice(0, at), ...added]
    if (at > 0) head.sort((a, b) => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0))
    this.#list.splice(0, at, ...head)
  }
}
