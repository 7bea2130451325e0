import type { Day } from './rows.ts'

/** The heights of what a timeline consists of. */
export interface Heights {
  row: number
  heading: number
}

/** A day that is visible, with its visible rows. */
export interface VisibleDay extends Day {
  top: number
  height: number
  /** The indexes of the rows to render, of which `to` is not one. */
  from: number
  to: number
  /** As many rows are rendered at most: the element of one that leaves is that of the one that comes. */
  slots: number
}

/** heightOf returns the height of all days. */
export function heightOf(days: readonly Day[], h: Heights): number {
  return days.reduce((sum, day) => sum + h.heading + day.count * h.row, 0)
}

/** visibleDays returns what to render between two places, with some rows around, and the row to keep. */
export function visibleDays(
  days: readonly Day[],
  h: Heights,
  top: number,
  bottom: number,
  keep = -1,
  around = 8,
): VisibleDay[] {
  const visible: VisibleDay[] = []
  const slots = Math.ceil((bottom - top) / h.row) + 2 * around + 1
  let at = 0
  for (const day of days) {
    const height = h.heading + day.count * h.row
    const kept = keep >= day.first && keep < day.first + day.count
    if (at + height > top - around * h.row && at < bottom + around * h.row) {
      const rows = at + h.heading
      const start = Math.floor((top - rows) / h.row) - around
      const from = day.first + clamp(start, 0, day.count)
      const to = day.first + clamp(start + slots, 0, day.count)
      visible.push({ ...day, top: at, height, from, to, slots })
    } else if (kept) visible.push({ ...day, top: at, height, from: keep, to: keep + 1, slots })
    at += height
  }
  return visible
}

/** placeOf returns the place of a row. */
export function placeOf(days: readonly Day[], h: Heights, index: number): number {
  let at = 0
  for (const day of days) {
    if (index < day.first + day.count) return at + h.heading + (index - day.first) * h.row
    at += h.heading + day.count * h.row
  }
  return at
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(value, high))
}
