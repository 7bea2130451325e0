import { groupKey, type InboxState, type Notification, type NotificationGroup } from '@fanfare/client'

/** A row of the list: a notification, a group, or what a group has besides the rows that are shown. */
export type Row =
  | { kind: 'item'; key: string; notification: Notification; nested: boolean }
  | { kind: 'group'; key: string; group: NotificationGroup; open: boolean }
  | { kind: 'rest'; key: string; group: NotificationGroup; count: number }

/** rowsOf returns the rows of a list; those of groups that are open follow their groups. */
export function rowsOf(
  { items, groups }: Pick<InboxState, 'items' | 'groups'>,
  open: ReadonlyMap<string, readonly Notification[]>,
): Row[] {
  if (!groups) return items.map((n) => ({ kind: 'item', key: n.id, notification: n, nested: false }))
  return groups.flatMap((group): Row[] => {
    const key = groupKey(group)
    const members = open.get(key)
    const row: Row = { kind: 'group', key, group, open: members !== undefined }
    if (!members) return [row]
    const rest = group.total - members.length
    const latest = new Map(group.items.map((n) => [n.id, n]))
    return [
      row,
      ...members.map((n): Row => {
        return { kind: 'item', key: `${key} ${n.id}`, notification: latest.get(n.id) ?? n, nested: true }
      }),
      ...(rest > 0 ? [{ kind: 'rest' as const, key: `${key} rest`, group, count: rest }] : []),
    ]
  })
}

/** newer returns how many rows at the top are newer than a notification. */
export function newer(rows: readonly Row[], than: string): number {
  if (!than) return 0
  const at = rows.findIndex((row) => newestOf(row) <= than)
  return at < 0 ? rows.length : at
}

/** newestOf returns the id of the newest notification of a row. */
export function newestOf(row: Row | undefined): string {
  if (!row) return ''
  return row.kind === 'item' ? row.notification.id : (row.group.items[0]?.id ?? '')
}

/** step returns the index of the row a number of rows after a key; where the key is gone, after its place. */
export function step(rows: readonly Row[], key: string, place: number, by: number): number {
  if (rows.length === 0) return -1
  const at = rows.findIndex((row) => row.key === key)
  const to = at >= 0 ? at + by : place < 0 ? 0 : by > 0 ? place : place - 1
  return Math.max(0, Math.min(rows.length - 1, to))
}
