import { type Client, unwrap } from './client.ts'
import { inverse } from './inbox_state.ts'
import type { InboxQuery, Notification, NotificationChanges } from './types.ts'

/** As many ids as one request may have. */
const most = 1000

/** Reverses a change. */
export type Undo = () => Promise<void>

/** What markAll has changed. More than 1,000 changes cannot be reversed, and have no undo. */
export interface Marked {
  count: number
  undo: Undo | undefined
}

/** send changes notifications. */
export async function send(client: Client, ids: readonly string[], changes: NotificationChanges): Promise<void> {
  const [id] = ids
  if (ids.length === 1 && id) {
    await unwrap(client.PATCH('/notifications/{id}', { params: { path: { id } }, body: changes }))
    return
  }
  for (let i = 0; i < ids.length; i += most) {
    const body = { ids: ids.slice(i, i + most), changes }
    await unwrap(client.POST('/notifications/mark', { body }))
  }
}

/** What markAll does. */
export interface MarkAllOptions {
  /** The newest notification to change; default: the newest one that is shown. */
  upTo?: string
  /** Called with the number of those that are changed so far. */
  progress?: (count: number) => void
}

/** mark changes those that a filter selects. The ids are null if they are more than 1,000. */
export async function mark(
  client: Client,
  { group_by: _, ...filter }: InboxQuery,
  changes: NotificationChanges,
  { upTo, progress }: MarkAllOptions,
): Promise<{ count: number; ids: string[] | null }> {
  let ids: string[] | null = []
  let count = 0
  let cursor: string | null = null
  do {
    const body = { filter, changes, ...(upTo ? { up_to: upTo } : {}), ...(cursor ? { cursor } : {}) }
    const marked: { count: number; ids: string[] | null; next_cursor: string | null } = await unwrap(
      client.POST('/notifications/mark', { body }),
    )
    count += marked.count
    progress?.(count)
    cursor = marked.next_cursor
    ids = ids && marked.ids && ids.length + marked.ids.length <= most ? [...ids, ...marked.ids] : null
  } while (cursor)
  return { count, ids }
}

/** inverses returns what makes notifications what they were; of those that are not known, what reverses the changes. */
export function inverses(
  was: readonly Notification[],
  ids: readonly string[],
  changes: NotificationChanges,
): { ids: string[]; changes: NotificationChanges }[] {
  const known = new Map(was.map((n) => [n.id, n]))
  const byChange = new Map<string, string[]>()
  for (const id of ids) {
    const n = known.get(id)
    const key = JSON.stringify(n ? inverse(n, changes) : opposite(changes))
    byChange.set(key, [...(byChange.get(key) ?? []), id])
  }
  return [...byChange].map(([key, ids]) => ({ ids, changes: JSON.parse(key) as NotificationChanges }))
}

function opposite(changes: NotificationChanges): NotificationChanges {
  const back: NotificationChanges = {}
  if (changes.seen != null) back.seen = !changes.seen
  if (changes.read != null) back.read = !changes.read
  if (changes.archived != null) back.archived = !changes.archived
  if (changes.snoozed_until !== undefined) back.snoozed_until = null
  return back
}
