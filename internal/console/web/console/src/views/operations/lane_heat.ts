import { duration, plural, since } from '../../parts/format.ts'
import type { Lane } from './types.ts'

/** From 0, nothing waits, to 4, much waits or for long. */
export type Heat = 0 | 1 | 2 | 3 | 4

const counts = [10, 100, 1000]
const ages = [10, 60, 600]

/** heat returns the heat of a lane: the higher one of its number and its age. */
export function heat(lane: Lane, now: number): Heat {
  if (lane.pending === 0) return 0
  const age = lane.oldest_at ? since(lane.oldest_at, now) : 0
  const level = (value: number, limits: number[]): number => 1 + limits.filter((limit) => value >= limit).length
  return Math.max(level(lane.pending, counts), level(age, ages)) as Heat
}

export const heatNames: Record<Heat, string> = {
  0: 'empty',
  1: 'flows',
  2: 'busy',
  3: 'slow',
  4: 'stuck',
}

/** laneText describes a lane in a sentence. */
export function laneText(lane: Lane, now: number): string {
  const parts: string[] = []
  if (lane.pending > 0) {
    const age = lane.oldest_at ? `, the oldest for ${duration(since(lane.oldest_at, now))}` : ''
    parts.push(`${lane.pending.toLocaleString('en-US')} pending${age}`)
  } else parts.push('nothing pending')
  if (lane.parked > 0) parts.push(`${plural(lane.parked, 'parked', 'parked')} (${lane.failing} failed)`)
  if (lane.fan_out_jobs > 0) parts.push(plural(lane.fan_out_jobs, 'fan-out job'))
  if (lane.holder) parts.push(`held by ${lane.holder.application || `process ${lane.holder.pid}`}`)
  return `Lane ${lane.lane}: ${parts.join(', ')}`
}

/** lanesText describes all lanes in a sentence. */
export function lanesText(lanes: readonly Lane[], now: number): string {
  const used = lanes.filter((l) => l.pending > 0)
  if (used.length === 0) return 'Nothing is pending in any lane.'
  const slow = used.filter((l) => heat(l, now) >= 3).length
  const state = slow > 0 ? `${plural(slow, 'is', 'are')} slow or stuck` : 'none is slow'
  return `${plural(used.length, 'lane has', 'lanes have')} pending activities; ${state}.`
}

/** ranges returns numbers as ranges: 0–2, 5. */
export function ranges(numbers: readonly number[]): string {
  const sorted = [...numbers].sort((a, b) => a - b)
  const found: [number, number][] = []
  for (const n of sorted) {
    const last = found.at(-1)
    if (last && n === last[1] + 1) last[1] = n
    else found.push([n, n])
  }
  return found.map(([a, b]) => (a === b ? `${a}` : b === a + 1 ? `${a}, ${b}` : `${a}–${b}`)).join(', ')
}
