/** A list that is loaded page by page. */
export interface Page<T> {
  items: T[]
  next_cursor: string | null
}

/** The most rows that a list keeps while it is refreshed. */
export const most = 1000

/** joined returns the pages of a list as one, without repetitions. */
export function joined<T>(a: Page<T> | undefined, b: Page<T>, keyOf: (item: T) => string): Page<T> {
  const seen = new Set(a?.items.map(keyOf))
  return { items: [...(a?.items ?? []), ...b.items.filter((i) => !seen.has(keyOf(i)))], next_cursor: b.next_cursor }
}
