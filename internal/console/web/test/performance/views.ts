// The views that are measured.
import assert from 'node:assert/strict'
import { signIn, stage, type World } from '../harness/index.ts'
import { newestActivities, newestNotifications } from './history.ts'
import type { Options } from './options.ts'
import { type List, loadRows, type Minute, move, newestRows, rowsOf, sustain } from './sustained.ts'
import { newVisitor, type Visitor } from './visitor.ts'

export interface Sustained {
  view: string
  /** Seconds in which the rows are loaded, by scrolling. */
  loaded: number
  minutes: Minute[]
  /** What was found right at the end. */
  checked: string[]
}

/** Rows at the top that are compared with the database at the end. */
const compared = 1000

const timeline: List = { element: 'ff-activity-timeline', scroller: 'ff-activity-timeline' }
const inbox: List = { element: 'ff-inbox-list', scroller: 'ff-inbox-list ff-virtual-list' }

export async function activity(world: World, o: Options): Promise<Sustained> {
  const visitor = await newVisitor()
  const { page } = visitor
  await signIn(page, world, 'ada', stage.operator_scopes, 'activity')
  await page.locator('ff-activity-timeline li').first().waitFor()
  const loaded = await loadRows(page, timeline, o.rows)
  const minutes = await sustain(world, visitor, timeline, {
    rate: o.rate,
    minutes: o.minutes,
    profiles: o.profiles,
    name: 'activity',
  })
  await world.settle()
  const want = await newestActivities(world, compared)
  await awaitRows(visitor, timeline, want)
  const rows = await rowsOf(page, timeline)
  assert.ok(rows <= o.rows, `${rows} rows are kept`)
  await visitor.leave()
  return {
    view: 'activity',
    loaded,
    minutes,
    checked: [`the newest ${compared} rows are those of the database`, `${rows} rows are kept`],
  }
}

export async function notifications(world: World, o: Options): Promise<Sustained> {
  const visitor = await newVisitor()
  const { page } = visitor
  await signIn(page, world, 'ada', stage.operator_scopes, 'inbox')
  await page.locator('ff-notification-row').first().waitFor()
  const loaded = await loadRows(page, inbox, o.rows)
  const minutes = await sustain(world, visitor, inbox, {
    rate: o.rate,
    minutes: o.inboxMinutes,
    profiles: o.profiles,
    name: 'inbox',
  })
  await world.settle()
  await awaitRows(visitor, inbox, await newestNotifications(world, 'ada', compared))
  const rows = await rowsOf(page, inbox)
  await page.getByRole('button', { name: 'Mark all as read' }).first().click()
  await page.locator('ff-dialog').getByRole('button', { name: 'Mark all as read' }).click()
  await tab(visitor, 'Unread', 0)
  await world.deliver(...Array.from({ length: 37 }, () => ({ action: 'comment.created', actor: 'linus' })))
  await tab(visitor, 'Unread', 37)
  await awaitRows(visitor, inbox, await newestNotifications(world, 'ada', compared))
  await visitor.leave()
  return {
    view: 'inbox',
    loaded,
    minutes,
    checked: [
      `the newest ${compared} rows are those of the database`,
      `${rows} rows are kept`,
      'after "Mark all as read", 0 are unread, and 37 when 37 have arrived',
    ],
  }
}

// tab waits until a tab shows a number.
async function tab({ page }: Visitor, name: string, count: number): Promise<void> {
  const text = count === 0 ? name : new RegExp(`^${name}\\s*${count}\\b`)
  await page.getByRole('tab', { name: text, exact: true }).waitFor({ timeout: 120_000 })
}

// awaitRows waits until the first rows of a list are these.
async function awaitRows({ page }: Visitor, list: List, want: string[]): Promise<void> {
  await move(page, list, 'top')
  const element = await page.locator(list.element).elementHandle()
  try {
    await page.waitForFunction(
      ([of, ids]) => {
        const { rows } = of as unknown as { rows: { id?: string; key?: string }[] }
        const count = Math.min(rows.length, ids.length)
        // A list that missed too much has begun again with a page.
        return count >= 50 && ids.slice(0, count).every((id, i) => (rows[i]?.id ?? rows[i]?.key) === id)
      },
      [element, want] as const,
      { timeout: 60_000, polling: 250 },
    )
  } catch (error) {
    const got = await newestRows(page, list, want.length)
    const at = want.findIndex((id, i) => id !== got[i])
    throw new Error(`row ${at} is ${got[at]}, and should be ${want[at]}; there are ${got.length}`, { cause: error })
  }
}
