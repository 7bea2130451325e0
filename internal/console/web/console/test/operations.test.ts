import { ProblemError } from '@fanfare/client'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compact, duration, plural, rate } from '../src/parts/format.ts'
import { quoted, shellLine } from '../src/parts/shell_line.ts'
import { Bulk, step } from '../src/views/operations/bulk.ts'
import { commandOf, filterOf, selectionOf } from '../src/views/operations/dead_filter.ts'
import { tiles, verdict } from '../src/views/operations/health.ts'
import { heat, lanesText, ranges } from '../src/views/operations/lane_heat.ts'
import { charts, condensed, dataOf, lonely, summary } from '../src/views/operations/series.ts'
import type { Changed, DeadFilter, History, HistoryPoint, Lane, Worker } from '../src/views/operations/types.ts'

const now = Date.parse('2026-03-01T12:00:00Z')
const ago = (seconds: number): string => new Date(now - seconds * 1000).toISOString()

test('durations, rates and numbers are short', () => {
  const durations: [number, string][] = [
    [0, '0 s'],
    [0.00042, '0.42 ms'],
    [0.131, '131 ms'],
    [0.9999, '1 s'],
    [1.26, '1.3 s'],
    [59.4, '59 s'],
    [59.9, '1 min'],
    [90, '1 min 30 s'],
    [150, '2 min 30 s'],
    [3600, '1 h'],
    [7500, '2 h 5 min'],
    [90_000, '1 d 1 h'],
  ]
  for (const [seconds, want] of durations) assert.equal(duration(seconds), want)
  assert.deepEqual([0, 0.123, 12.34, 4321.9].map(rate), ['0', '0.12', '12', '4,322'])
  assert.deepEqual([7, 999, 12_345, 3_456_789].map(compact), ['7', '999', '12k', '3M'])
  assert.deepEqual([plural(1, 'lane'), plural(1200, 'lane')], ['1 lane', '1,200 lanes'])
})

test('a command is quoted for a shell', () => {
  assert.equal(quoted('order.created'), 'order.created')
  assert.equal(quoted(`it's $(rm -rf) <script>`), String.raw`'it'\''s $(rm -rf) <script>'`)
  assert.equal(
    shellLine('fanfare x', { all: true, error: '', by: undefined, action: 'a.*' }),
    `fanfare x --all --action 'a.*'`,
  )
})

test('a selection is a filter, and a command', () => {
  const s = selectionOf(new URLSearchParams('error=time out&action=job.*&age=24h&kind=&other=1'))
  assert.deepEqual(filterOf(s, now), { error: 'time out', action: 'job.*', since: '2026-02-28T12:00:00.000Z' })
  assert.equal(
    commandOf('replay', s, '', 'T', 'P'),
    `fanfare outbox replay --error 'time out' --action 'job.*' --since 24h --tenant T --by P`,
  )
  const all = selectionOf(new URLSearchParams('age=forever'))
  assert.deepEqual(filterOf(all, now), {})
  assert.equal(commandOf('discard', all, '', 'T', 'P'), 'fanfare outbox discard --all --tenant T --by P')
  assert.equal(commandOf('discard', s, 'ID', 'T', 'P').split(' --')[0], 'fanfare outbox discard ID')
})

const well = { pending: 0, oldest_at: null, parked: 0, failing: 0, broadcasts: 0, dead_letters: 0 }
const worker: Worker = {
  worker_id: 'w',
  name: 'a:1',
  version: '',
  started_at: ago(100),
  seen_at: ago(1),
  live: true,
  lanes: [0],
  settled_per_second: 1,
  publications_per_second: 1,
}

test('the verdict is in words', () => {
  assert.equal(verdict(well, [worker], now).heading, 'All is well')
  assert.equal(verdict(well, undefined, now).tone, 'ok')
  assert.equal(verdict({ ...well, parked: 2 }, [worker], now).tone, 'warning')
  assert.equal(verdict({ ...well, pending: 5, oldest_at: ago(60) }, [worker], now).tone, 'warning')
  assert.match(verdict({ ...well, pending: 5, oldest_at: ago(600) }, [worker], now).text, /waits for 10 min/)
  assert.match(verdict({ ...well, dead_letters: 1 }, [worker], now).text, /^1 activity could not be delivered/)
  assert.equal(verdict({ ...well, dead_letters: 2 }, [worker], now).heading, '2 dead letters')
  assert.match(verdict(well, [{ ...worker, live: false }], now).text, /No worker reports/)
  assert.equal(tiles(well, undefined, now).length, 5)
  assert.equal(tiles(well, undefined, now)[0]?.note, 'Everything is delivered')
  assert.equal(tiles({ ...well, dead_letters: 1 }, undefined, now)[0]?.note, 'None on their way')
  assert.equal(tiles(well, [worker, { ...worker, live: false }], now).at(-1)?.note, '1 other stopped reporting')
})

const lane = (n: number, pending: number, age: number, more: Partial<Lane> = {}): Lane => ({
  lane: n,
  pending,
  oldest_at: pending ? ago(age) : null,
  parked: 0,
  failing: 0,
  fan_out_jobs: 0,
  ...more,
})

test('the heat of a lane grows with its number and its age', () => {
  const cases: [number, number, number][] = [
    [0, 0, 0],
    [1, 1, 1],
    [50, 1, 2],
    [1, 30, 2],
    [1, 61, 3],
    [5000, 1, 4],
    [1, 700, 4],
  ]
  for (const [pending, age, want] of cases) assert.equal(heat(lane(0, pending, age), now), want, `${pending}, ${age} s`)
  assert.equal(
    lanesText([lane(0, 0, 0), lane(1, 2, 700), lane(2, 2, 1)], now),
    '2 lanes have pending activities; 1 is slow or stuck.',
  )
  assert.equal(ranges([9, 0, 1, 2, 5, 6]), '0–2, 5, 6, 9')
})

const point = (at: number, more: Partial<HistoryPoint> = {}): HistoryPoint => ({
  at: ago(at),
  settled_per_second: 2,
  publications_per_second: 4,
  latency_p50_seconds: null,
  latency_p99_seconds: null,
  pending: 1,
  oldest_age_seconds: 0,
  parked: 0,
  dead_letters: 0,
  ...more,
})

test('a chart has data, and words', () => {
  const history: History = {
    step_seconds: 10,
    points: [point(30, { settled_per_second: 9 }), point(20, { latency_p50_seconds: 0.02 }), point(10)],
  }
  const [throughput, latency] = charts
  assert.ok(throughput && latency)
  assert.deepEqual(dataOf(throughput, history).slice(1), [
    [9, 2, 2],
    [4, 4, 4],
  ])
  assert.equal(
    summary(throughput, history),
    'Throughput. Delivered: now 2/s, at most 9/s. Publications: now 4/s, at most 4/s.',
  )
  assert.equal(summary(latency, history), 'Time to delivery. Median: now 20 ms, at most 20 ms. p99: no data.')
  assert.deepEqual(lonely([1, null, 2, 2, null, 3]), [0, 5])
  assert.equal(condensed({ step_seconds: 1, points: Array.from({ length: 300 }, (_, i) => point(i)) }, 60).length, 60)
})

const answers = (
  ...list: (Changed | Error)[]
): { asked: DeadFilter[]; request: (f: DeadFilter, n: number) => Promise<Changed> } => {
  const asked: DeadFilter[] = []
  return {
    asked,
    request: async (filter, limit) => {
      assert.equal(limit, step)
      asked.push(filter)
      const next = list.shift()
      if (!next) throw new Error('asked too often')
      if (next instanceof Error) throw next
      return next
    },
  }
}
const until = '2026-03-01T12:00:00Z'
const problem = (status: number, after?: number): ProblemError =>
  new ProblemError({ type: '/problems/x', title: 'No', status, request_id: 'r', detail: '' }, after)

test('all that match are changed in steps, until none is left', async () => {
  const { asked, request } = answers({ count: 500, remaining: 300, until }, { count: 300, remaining: 0, until })
  const shown: number[] = []
  const bulk = new Bulk({ action: 'a.*' }, 800, request, (p) => shown.push(p.changed))
  const end = await bulk.run()
  assert.deepEqual({ ...end }, { phase: 'done', changed: 800, remaining: 0 })
  assert.deepEqual(shown, [0, 500, 800])
  assert.deepEqual(asked, [{ action: 'a.*' }, { action: 'a.*', until }])
})

test('a change that is stopped ends after its request, and goes on later', async () => {
  const { request } = answers({ count: 500, remaining: 300, until }, { count: 300, remaining: 0, until })
  const bulk: Bulk = new Bulk({}, 800, request, (p) => p.changed === 0 && bulk?.cancel())
  const running = bulk.run()
  bulk.cancel()
  assert.deepEqual({ ...(await running) }, { phase: 'cancelled', changed: 500, remaining: 300 })
})

test('a failure keeps what was changed; a server without time is asked again', async () => {
  const broken = problem(500)
  const { request } = answers({ count: 500, remaining: 300, until }, broken, { count: 300, remaining: 0, until })
  const bulk = new Bulk({}, 800, request, () => {})
  assert.deepEqual({ ...(await bulk.run()) }, { phase: 'failed', changed: 500, remaining: 300, error: broken })
  assert.equal((await bulk.run()).changed, 800)

  const busy = answers(problem(429, 2), problem(503, 1), { count: 1, remaining: 0, until })
  const waits: number[] = []
  const patient = new Bulk(
    {},
    1,
    busy.request,
    () => {},
    async (s) => void waits.push(s),
  )
  assert.equal((await patient.run()).phase, 'done')
  assert.deepEqual(waits, [2, 1])
})

test('what changes nothing ends', async () => {
  const { request } = answers({ count: 0, remaining: 7, until })
  assert.equal((await new Bulk({}, 7, request, () => {}).run()).phase, 'done')
})
