import type { Notification, NotificationGroup } from './types.ts'

/** Rows of a page at most, and pages that readNewest reads at most. */
export const mostOfPage = 200
const mostPages = 20

interface Page {
  items: Notification[]
  groups: NotificationGroup[] | null
  next_cursor: string | null
}

/**
 * readNewest reads the newest rows: `limit` of them, and further pages until they reach the newest one that is shown,
 * so that the list has no gap. Groups are one page.
 */
export async function readNewest(
  fetch: (cursor: string | undefined, limit: number) => Promise<Page>,
  limit: number,
  shown: Notification | undefined,
): Promise<Page> {
  let page = await fetch(undefined, limit)
  const items = [...page.items]
  for (let pages = 1; !page.groups && page.next_cursor && pages < mostPages && !reaches(items, shown); pages++) {
    page = await fetch(page.next_cursor, mostOfPage)
    items.push(...page.items)
  }
  return { ...page, items }
}

/** reaches reports whether the newest rows reach the newest one that is shown. */
export function reaches(newest: readonly Notification[], shown: Notification | undefined): boolean {
  const last = newest.at(-1)
  return last !== undefined && shown !== undefined && shown.id >= last.id
}
