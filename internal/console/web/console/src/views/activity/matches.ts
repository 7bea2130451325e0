import type { Event } from '@fanfare/client'
import { type Selection, timeOf } from './query.ts'

/** What a match needs of an event or an activity. An event of a stream has no owner, status and request. */
export type Matchable = Pick<Event, 'action' | 'actor' | 'resource' | 'correlation_id' | 'created_at' | 'ui_hints'> & {
  owner_id?: string | null
  status?: string
  severity?: string
  category?: string
  request_id?: string
  message?: string
  target_principal_id?: string | null
}

/**
 * matches reports whether an event that has just arrived belongs to a selection; undefined if it lacks the field that
 * would decide, so that the server must be asked.
 */
export function matches(event: Matchable, selection: Selection, now: Date): boolean | undefined {
  const decided: (boolean | undefined)[] = []
  const equal = (want: string | undefined, got: string | null | undefined): void => {
    if (want !== undefined) decided.push(got === undefined ? undefined : got === want)
  }
  if (selection.action !== undefined) decided.push(globOf(selection.action).test(event.action))
  equal(selection.actor, event.actor.principal_id)
  equal(selection.resource, event.resource.resource_id)
  equal(selection.resource_type, event.resource.resource_type)
  equal(selection.correlation_id, event.correlation_id)
  equal(selection.target, event.target_principal_id)
  equal(selection.owner, event.owner_id)
  equal(selection.status, event.status)
  equal(selection.severity, event.severity ?? event.ui_hints.severity)
  equal(selection.category, event.category ?? event.ui_hints.category)
  equal(selection.request_id, event.request_id)
  if (selection.since !== undefined) decided.push(event.created_at >= (timeOf(selection.since, now) ?? ''))
  if (selection.until !== undefined) decided.push(event.created_at < (timeOf(selection.until, now) ?? ''))
  if (selection.q !== undefined) {
    const q = selection.q.toLowerCase()
    const found = [event.action, event.resource.name, event.message].some((t) => t?.toLowerCase().includes(q))
    decided.push(found || (event.message === undefined ? undefined : false))
  }
  if (decided.includes(false)) return false
  return decided.includes(undefined) ? undefined : true
}

const globs = new Map<string, RegExp>()

/** globOf returns the expression of a pattern of actions, as Python's fnmatch.translate writes it. */
export function globOf(pattern: string): RegExp {
  let glob = globs.get(pattern)
  if (!glob) {
    glob = new RegExp(`^(?:${translate(pattern)})$`, 'su')
    if (globs.size > 200) globs.clear()
    globs.set(pattern, glob)
  }
  return glob
}

function translate(pattern: string): string {
  const chars = [...pattern]
  let out = ''
  for (let i = 0; i < chars.length; i++) {
    const c = chars[i] ?? ''
    if (c === '*') out += '.*'
    else if (c === '?') out += '.'
    else if (c === '[') {
      const end = classEnd(chars, i + 1)
      if (end < 0) out += '\\['
      else {
        out += classOf(chars.slice(i + 1, end))
        i = end
      }
    } else out += c.replace(/[$()*+./?[\\\]^{|}]/u, '\\$&')
  }
  return out.replace(/(?:\.\*)+/gu, '.*')
}

/** classEnd returns the index of the bracket that ends a class, or -1. */
function classEnd(chars: string[], from: number): number {
  let at = from
  if (chars[at] === '!') at++
  if (chars[at] === ']') at++
  return chars.indexOf(']', at)
}

function classOf(members: string[]): string {
  const negated = members[0] === '!'
  const list = negated ? members.slice(1) : members
  const ranges: string[] = []
  const escape = (c: string): string => c.replace(/[\\\]^[-]/u, '\\$&')
  for (let i = 0; i < list.length; i++) {
    const [from = '', dash, to] = [list[i], list[i + 1], list[i + 2]]
    if (dash === '-' && to !== undefined) {
      if (from <= to) ranges.push(`${escape(from)}-${escape(to)}`)
      i += 2
    } else ranges.push(escape(from))
  }
  if (ranges.length === 0) return negated ? '.' : '(?!)'
  return `[${negated ? '^' : ''}${ranges.join('')}]`
}
