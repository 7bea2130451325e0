import { inState, type InboxState, newestFirst, recount } from './inbox_state.ts'
import type { Notification, NotificationGroup } from './types.ts'

/**
 * changed returns what a state shows after notifications have changed: in or out of the list, in the groups and in the
 * counts. kept are the rows of a list of unread ones that stay until the list is loaded again; changed adds to them.
 */
export function changed(
  { query, items, groups, counts }: InboxState,
  is: readonly Notification[],
  was: readonly Notification[],
  kept: Set<string>,
): Pick<InboxState, 'items' | 'groups' | 'counts'> {
  const byId = new Map(is.map((n) => [n.id, n]))
  const stays = query.state === 'unread' || query.state === 'unseen'
  const state = stays ? 'inbox' : query.state
  if (stays) for (const n of is) kept.add(n.id)
  const stay = is.filter((n) => inState(n, state))
  const others = stay.length < is.length ? items.filter((n) => !byId.has(n.id)) : items
  return {
    items: groups ? items : newestFirst(others, stay),
    counts: recount(counts, was, is),
    groups:
      groups?.map((g) => ({
        ...g,
        items: g.items.map((n) => byId.get(n.id) ?? n),
        unread: g.unread + unreadOf(is, g.items) - unreadOf(was, g.items),
      })) ?? null,
  }
}

/** allOf returns the notifications of a state, the newest first: those of its groups, or of its list. */
export function allOf({
  items,
  groups,
}: {
  items: readonly Notification[]
  groups: readonly NotificationGroup[] | null
}) {
  return groups
    ? newestFirst(
        [],
        groups.flatMap((g) => g.items),
      )
    : items
}

function unreadOf(list: readonly Notification[], among: readonly Notification[]): number {
  return list.filter((n) => n.read_at === null && among.some((m) => m.id === n.id)).length
}
