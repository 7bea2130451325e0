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
export function recount(counts: Counts | undefined, was: Notification[], is: Notification[]): Counts | undefined {
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

/** newestFirst merges notifications in the order of the list, without duplicates. */
export function newestFirst(...lists: (readonly Notification[])[]): Notification[] {
  const byId = new Map<string, Notification>()
  for (const list of lists) for (const n of list) byId.set(n.id, n)
  return [...byId.values()].sort((a, b) => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0))
}

/** groupKey identifies a group while notifications join it. */
export function groupKey(group: NotificationGroup): string {
  const f = group.filter
  return [f.resource, f.correlation_id, f.actor, f.since].map((v) => v ?? '').join('|')
}
