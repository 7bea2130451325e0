import { count, duration, plural, since } from '../../parts/format.ts'
import type { OutboxStatus, Worker } from './types.ts'

export type Tone = 'ok' | 'warning' | 'error'

/** A headline number. Its note says in words whether it is well. */
export interface Tile {
  id: string
  label: string
  value: string
  note: string
  tone: Tone
  /** The tab that has more. */
  tab?: string
}

/** Ages of the oldest activity in the outbox, in seconds, from which delivery is slow or stands still. */
const slowAge = 30
const stuckAge = 300

/** tiles returns the headline numbers: those of the tenant, and the workers if they may be seen. */
export function tiles(outbox: OutboxStatus, workers: readonly Worker[] | undefined, now: number): Tile[] {
  const age = outbox.oldest_at ? since(outbox.oldest_at, now) : 0
  const list: Tile[] = [
    {
      id: 'pending',
      label: 'Pending',
      value: count(outbox.pending),
      note:
        outbox.pending > 0
          ? 'On their way'
          : outbox.dead_letters + outbox.parked > 0
            ? 'None on their way'
            : 'Everything is delivered',
      tone: 'ok',
    },
    {
      id: 'age',
      label: 'Oldest pending',
      value: outbox.oldest_at ? duration(age) : '–',
      note:
        age >= stuckAge
          ? 'Delivery stands still'
          : age >= slowAge
            ? 'Delivery is slow'
            : outbox.oldest_at
              ? 'In time'
              : 'Nothing waits',
      tone: age >= stuckAge ? 'error' : age >= slowAge ? 'warning' : 'ok',
    },
    {
      id: 'dead',
      label: 'Dead letters',
      value: count(outbox.dead_letters),
      note: outbox.dead_letters === 0 ? 'None' : 'Could not be delivered',
      tone: outbox.dead_letters === 0 ? 'ok' : 'warning',
      tab: 'dead',
    },
    {
      id: 'parked',
      label: 'Parked',
      value: count(outbox.parked),
      note:
        outbox.parked === 0
          ? 'None'
          : `${count(outbox.failing)} failed, ${count(outbox.parked - outbox.failing)} blocked`,
      tone: outbox.parked === 0 ? 'ok' : 'warning',
      tab: 'parked',
    },
    {
      id: 'jobs',
      label: 'Fan-out jobs',
      value: count(outbox.broadcasts),
      note: outbox.broadcasts === 0 ? 'None' : 'In progress',
      tone: 'ok',
      tab: 'jobs',
    },
  ]
  if (workers) list.push(workerTile(workers))
  return list
}

function workerTile(workers: readonly Worker[]): Tile {
  const live = workers.filter((w) => w.live).length
  const lost = workers.length - live
  return {
    id: 'workers',
    label: 'Workers',
    value: count(live),
    note: live === 0 ? 'Nothing is delivered' : lost > 0 ? `${plural(lost, 'other')} stopped reporting` : 'All live',
    tone: live === 0 ? 'error' : lost > 0 ? 'warning' : 'ok',
    tab: 'overview',
  }
}

/** verdict says in words whether all is well, and what is not. */
export function verdict(
  outbox: OutboxStatus,
  workers: readonly Worker[] | undefined,
  now: number,
): {
  tone: Tone
  heading: string
  text: string
} {
  const age = outbox.oldest_at ? since(outbox.oldest_at, now) : 0
  const live = workers?.filter((w) => w.live).length
  const bad: string[] = []
  const odd: string[] = []
  if (live === 0) bad.push('No worker reports, so nothing is delivered. Start fanfare worker.')
  if (age >= stuckAge) bad.push(`The oldest pending activity waits for ${duration(age)}. Run the checks of Doctor.`)
  else if (age >= slowAge) odd.push(`The oldest pending activity waits for ${duration(age)}.`)
  if (outbox.dead_letters > 0) {
    const dead = plural(outbox.dead_letters, 'activity', 'activities')
    odd.push(`${dead} could not be delivered. Remove the cause, then replay them.`)
  }
  if (outbox.parked > 0) {
    odd.push(`${plural(outbox.parked, 'activity is', 'activities are')} parked and will be tried again.`)
  }
  const lost = workers ? workers.length - (live ?? 0) : 0
  if (lost > 0 && live !== 0) odd.push(`${plural(lost, 'worker')} stopped reporting; the others serve the lanes.`)
  if (bad.length > 0) return { tone: 'error', heading: 'Delivery stands still', text: [...bad, ...odd].join(' ') }
  const { dead_letters: dead } = outbox
  const heading = dead > 0 ? plural(dead, 'dead letter') : 'Delivery goes on, with delays'
  if (odd.length > 0) return { tone: 'warning', heading, text: odd.join(' ') }
  const waiting =
    outbox.pending === 0 ? 'Nothing waits' : `${plural(outbox.pending, 'activity', 'activities')} in delivery`
  return { tone: 'ok', heading: 'All is well', text: `${waiting}, and nothing has failed.` }
}
