import type { Connection, Counts, InboxQuery, Notification, NotificationChanges, NotificationGroup } from './types.ts'

/** What an InboxStore shows: a new object after every change. */
export interface InboxState {
  readonly query: InboxQuery
  readonly items: readonly Notification[]
  /** Groups, if the query has `group_by`. */
  readonly groups: readonly NotificationGroup[] | null
  /** Undefined until they are known. */
  readonly counts: Counts | undefined
  readonly phase: 'idle' | 'loading' | 'ready' | 'failed'
  readonly error: unknown
  /** There are older rows. */
  readonly more: boolean
  readonly loadingMore: boolean
  readonly connection: Connection
}

export const initialState: InboxState = {
  query: {},
  items: [],
  groups: null,
  counts: undefined,
  phase: 'idle',
  error: undefined,
  more: false,
  loadingMore: false,
  connection: 'idle',
}

/** apply returns the notification as the changes make it. */
export function apply(n: Notification, changes: NotificationChanges, now = new Date()): Notification {
  const at = now.toISOString()
  const next = { ...n }
  if (changes.seen != null) next.seen_at = changes.seen ? (n.seen_at ?? at) : null
  if (changes.read != null) {
    next.read_at = changes.read ? (n.read_at ?? at) : null
    if (changes.read) next.seen_at ??= at
  }
  if (changes.archived != null) next.archived_at = changes.archived ? (n.archived_at ?? at) : null
  if (changes.snoozed_until !== undefined) next.snoozed_until = changes.snoozed_until
  return next
}

/** inverse returns the changes that make the notification what it was. */
export function inverse(was: Notification, changes: NotificationChanges): NotificationChanges {
  const back: NotificationChanges = {}
  if (changes.seen != null || changes.read != null) back.seen = was.seen_at !== null
  if (changes.read != null) back.read = was.read_at !== null
  if (changes.archived != null) back.archived = was.archived_at !== null
  if (changes.snoozed_until !== undefined) {
    back.snoozed_until = was.snoozed_until
    back.read = was.read_at !== null
  }
  return back
}

/** inState reports whether the notification is in a state of the list. */
export function inState(n: Notification, state: InboxQuery['state']): boolean {
  const inbox = n.archived_at === null && n.snoozed_until === null
  switch (state) {
    case 'unread':
      return inbox && n.read_at === null
    case 'unseen':
      return inbox && n.seen_at === null
    case 'archived':
      return n.archived_at !== null
    case 'snoozed':
      return n.archived_at === null && n.snoozed_until !== null
    case 'all':
      return true
    default:
      return inbox
  }
}

const states = ['inbox', 'unread', 'unseen', 'archived', 'snoozed'] as const

/** recount returns the counts after notifications have changed. Counts of 10,000 are a floor, and stay. */
export function recount(
  counts: Counts | undefined,
  was: readonly Notification[],
  is: readonly Notification[],
): Counts | undefined {
  if (!counts) return counts
  const next = { ...counts }
  for (const state of states) {
    if (next[state] >= 10_000) continue
    const before = was.filter((n) => inState(n, state)).length
    const after = is.filter((n) => inState(n, state)).length
    next[state] = Math.max(0, next[state] + after - before)
  }
  return next
}

/** placeOf returns the index of the first notification of an ordered list that is not newer than an id. */
export function placeOf(list: readonly Notification[], id: string): number {
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((list[middle]?.id ?? '') > id) low = middle + 1
    else high = middle
  }
  return low
}

/** find returns the notification of an ordered list that has an id. */
export function find(list: readonly Notification[], id: string): Notification | undefined {
  const n = list[placeOf(list, id)]
  return n?.id === id ? n : undefined
}

/**
 * newestFirst adds notifications in any order to an ordered list, which may have tens of thousands; those that it has
 * are replaced.
 */
export function newestFirst(ordered: readonly Notification[], added: readonly Notification[]): Notification[] {
  const byId = new Map<string, Notification>(added.map((n) => [n.id, n]))
  const fresh = [...byId.values()].sort((a, b) => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0))
  const [newest, oldest] = [fresh[0], fresh.at(-1)]
  if (!newest || !oldest) return [...ordered]
  const from = placeOf(ordered, newest.id)
  let at = from
  const between: Notification[] = []
  for (const n of fresh) {
    for (let old = ordered[at]; old && old.id >= n.id; old = ordered[++at]) if (old.id > n.id) between.push(old)
    between.push(n)
  }
  return ordered.slice(0, from).concat(between, ordered.slice(at))
}

/** groupKey identifies a group while notifications join it. */
export function groupKey(group: NotificationGroup): string {
  const f = group.filter
  return [f.resource, f.correlation_id, f.actor, f.since].map((v) => v ?? '').join('|')
}

/** filtered reports whether a new notification may be missing from the list of a query. */
export function filtered({ state, ...filter }: InboxQuery): boolean {
  return state === 'archived' || state === 'snoozed' || Object.values(filter).some((value) => value !== undefined)
}
