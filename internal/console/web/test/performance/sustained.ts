// A view with many rows, while activities arrive.
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { type Activity, frames, memory, sql, type World } from '../harness/index.ts'
import { profile } from './profile.ts'
import type { Visitor } from './visitor.ts'

/** A list with rows, which the page contains once. */
export interface List {
  /** The element with the property `rows`. */
  element: string
  /** The element that scrolls. */
  scroller: string
}

export interface Minute {
  minute: number
  /** `following` is at the top, where rows arrive; `scrolling` moves through the loaded rows. */
  phase: 'following' | 'scrolling'
  frames: number
  /** Milliseconds between frames. */
  p50: number
  p95: number
  p99: number
  max: number
  /** Tasks of more than 50 ms. */
  longTasks: number
  /** The share of one core that the page's process uses. */
  cpu: number
  /** MB of the JavaScript heap, after a garbage collection. */
  heap: number
  nodes: number
  /** Rows that the page holds. */
  rows: number
  /** Activities that are recorded, a second. */
  rate: number
}

export interface SustainedOptions {
  rate: number
  minutes: number
  profiles: string | undefined
  name: string
}

/** What happens in a company, all of which Ada is notified of. */
export const happenings: Activity[] = [
  ['linus', 'comment.created', 'atlas-grip'],
  ['mei', 'resource.updated', 'mercury-copy'],
  ['grace', 'file.uploaded', 'atlas-spec'],
  ['linus', 'resource.shared', 'atlas-estop'],
  ['scout', 'comment.created', 'atlas-calibrate'],
  ['mei', 'comment.updated', 'mercury-dark'],
  ['ci', 'job.completed', 'atlas-nightly'],
].map(([actor = '', action = '', resource = '']) => ({ action, actor, resource, payload: payloadOf(action) }))

function payloadOf(action: string): object {
  if (action.startsWith('comment.')) {
    return { comment_id: crypto.randomUUID(), body: 'I measured it again: 7.6 ms at the 99th percentile.' }
  }
  if (action === 'file.uploaded') {
    return { file_id: crypto.randomUUID(), bytes: 48_231_004, media_type: 'application/pdf' }
  }
  if (action === 'job.completed') return { job_id: crypto.randomUUID(), duration_ms: 41_000 }
  if (action === 'resource.shared') return { role: 'viewer' }
  return { changed: ['title', 'description'] }
}

/** Measures minute by minute: first the one half of them at the top, then the other one while the list scrolls. */
export async function sustain(world: World, visitor: Visitor, list: List, o: SustainedOptions): Promise<Minute[]> {
  const minutes: Minute[] = []
  const stopLoad = await world.load(o.rate, ...happenings)
  const began = performance.now()
  let recorded = 0
  for (let minute = 1; minute <= o.minutes; minute++) {
    const phase = minute <= Math.ceil(o.minutes / 2) ? 'following' : 'scrolling'
    await move(visitor.page, list, phase === 'following' ? 'top' : 'sweep')
    const before = { at: performance.now(), cpu: await visitor.cpu(), recorded: await newest(world) }
    const stopProfile = o.profiles ? await profile(visitor.session) : undefined
    const stopFrames = await frames(visitor.page)
    await pause(began + minute * 60_000 - performance.now())
    const measured = await stopFrames()
    const slow = await stopProfile?.(o.profiles ?? '', `${o.name}-${minute}`)
    const seconds = (performance.now() - before.at) / 1000
    const cpu = (await visitor.cpu()) - before.cpu
    recorded = await newest(world)
    const { heap, nodes } = await memory(visitor.page)
    const rows = await rowsOf(visitor.page, list)
    const rate = (recorded - before.recorded) / seconds
    minutes.push({
      minute,
      phase,
      ...rounded(measured),
      cpu: share(cpu, seconds),
      heap: Math.round(heap / 1e5) / 10,
      nodes,
      rows,
      rate: Math.round(rate),
    })
    console.error(JSON.stringify(minutes.at(-1)))
    if (slow) console.error(slow.join('\n'))
  }
  await move(visitor.page, list, 'top')
  const total = await stopLoad()
  const reached = total / ((performance.now() - began) / 1000)
  assert.ok(reached > o.rate * 0.95, `${reached.toFixed(0)} activities a second were recorded, not ${o.rate}`)
  return minutes
}

function rounded<T extends object>(values: T): T {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, Math.round((value as number) * 10) / 10]),
  ) as T
}

function share(milliseconds: number, seconds: number): number {
  return Math.round(milliseconds / seconds / 10) / 100
}

// newest returns the number of the activities that are recorded.
async function newest(world: World): Promise<number> {
  const [row] = await sql<{ n: number }>(
    'SELECT count(*)::int AS n FROM fanfare.activities WHERE tenant_id = $1::uuid',
    world.tenant,
  )
  return row?.n ?? 0
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** The number of rows that a list holds. */
export function rowsOf(page: Page, list: List): Promise<number> {
  return page.locator(list.element).evaluate((element) => (element as unknown as { rows: unknown[] }).rows.length)
}

/** The ids of the newest rows that a list holds. */
export function newestRows(page: Page, list: List, limit: number): Promise<string[]> {
  return page.locator(list.element).evaluate((element, n) => {
    const { rows } = element as unknown as { rows: { id?: string; key?: string }[] }
    return rows.slice(0, n).map((row) => row.id ?? row.key ?? '')
  }, limit)
}

/**
 * Moves a list before each frame: to its top and no further, to its end, or through its rows at 3,000 px a second,
 * from the middle.
 */
export async function move(page: Page, list: List, to: 'top' | 'end' | 'sweep'): Promise<void> {
  await page.locator(list.scroller).evaluate((scroller, way) => {
    const shared = globalThis as unknown as { __mover: number }
    cancelAnimationFrame(shared.__mover)
    if (way === 'top') {
      scroller.scrollTop = 0
      return
    }
    if (way === 'sweep') scroller.scrollTop = scroller.scrollHeight / 2
    let step = 50
    shared.__mover = requestAnimationFrame(function tick() {
      if (way === 'end') scroller.scrollTop = scroller.scrollHeight
      else {
        if (scroller.scrollTop < 2000) step = 50
        if (scroller.scrollTop > scroller.scrollHeight - 4000) step = -50
        scroller.scrollTop += step
      }
      shared.__mover = requestAnimationFrame(tick)
    })
  }, to)
}

/** Scrolls to the end until the list has a number of rows. It returns the seconds that this takes. */
export async function loadRows(page: Page, list: List, rows: number): Promise<number> {
  const started = performance.now()
  await move(page, list, 'end')
  const element = await page.locator(list.element).elementHandle()
  await page.waitForFunction(
    ([of, want]) => (of as unknown as { rows: unknown[] }).rows.length >= (want as number),
    [element, rows] as const,
    { timeout: 900_000, polling: 250 },
  )
  await move(page, list, 'top')
  return (performance.now() - started) / 1000
}
