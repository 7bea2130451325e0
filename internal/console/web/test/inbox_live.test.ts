// What arrives in the inbox while it is open, and what it holds.
import assert from 'node:assert/strict'
import type { Locator, Page } from 'playwright-core'
import { browserTest, cut, newWorld, restore, signIn, sql } from './harness/index.ts'

function titled(page: Page, text: string): Locator {
  return page.getByRole('article').filter({ has: page.getByRole('link', { name: text }) })
}

function unread(page: Page, count: number): Locator {
  return page.getByRole('tab', { name: `Unread ${count}`, exact: true })
}

function said(message: string, ...more: string[]) {
  return [message, ...more].map((text) => ({
    action: 'comment.created',
    targets: ['grace'],
    fields: { message: text },
  }))
}

const live = (page: Page): Promise<void> => page.getByText('Live', { exact: true }).first().waitFor()

browserTest('a row arrives in two tabs, and what one changes, the other shows', async ({ page, newTab }) => {
  const world = await newWorld()
  await signIn(page, world, 'grace', [], 'inbox')
  const other = await newTab(page)
  await other.goto('/console/inbox')
  await live(page)
  await live(other)
  await world.record(...said('Hello tabs'))
  for (const each of [page, other]) {
    await titled(each, 'Hello tabs').waitFor()
    await unread(each, 1).waitFor()
    await each.waitForFunction(() => document.title.startsWith('(1) '))
  }
  await titled(page, 'Hello tabs').getByRole('button', { name: 'Archive' }).click()
  await titled(other, 'Hello tabs').waitFor({ state: 'detached' })
  await other.waitForFunction(() => !document.title.startsWith('('))
})

browserTest('new rows do not move what one reads', async ({ page }) => {
  const world = await newWorld({ activities: 200 })
  await signIn(page, world, 'grace', [], 'inbox')
  await live(page)
  await page.getByRole('article').nth(5).waitFor()
  await page.mouse.move(700, 500)
  await page.mouse.wheel(0, 900)
  const top = () =>
    page.evaluate(() => {
      const at = document.elementsFromPoint(700, 500)[0]
      let within: Element | null = at ?? null
      while (within?.shadowRoot) {
        const inner: Element | undefined = within.shadowRoot.elementsFromPoint(700, 500)[0]
        if (!inner || inner === within) break
        within = inner
      }
      const link = (within?.getRootNode() as ShadowRoot).querySelector('.title')
      return [link?.textContent?.trim(), Math.round(link?.getBoundingClientRect().top ?? 0)] as const
    })
  await page.waitForFunction(() => {
    const find = (root: Document | ShadowRoot): Element | null => {
      const found = root.querySelector('ff-virtual-list')
      if (found) return found
      for (const e of root.querySelectorAll('*')) {
        const inner = e.shadowRoot && find(e.shadowRoot)
        if (inner) return inner
      }
      return null
    }
    return (find(document)?.scrollTop ?? 0) >= 900
  })
  const before = await top()
  await world.record(...said('New one', 'New two', 'New three'))
  const pill = page.getByRole('button', { name: '3 new' })
  await pill.waitFor()
  assert.deepEqual(await top(), before)
  await pill.click()
  await titled(page, 'New three').waitFor()
  await pill.waitFor({ state: 'detached' })
  await titled(page, 'New three').locator('a:focus').waitFor()
})

browserTest('rows of different heights follow each other, wherever one scrolls', async ({ page }) => {
  const world = await newWorld()
  await world.deliver(
    ...said('Row', ...Array.from({ length: 60 }, (_, i) => `Row ${i} ${'with more of it '.repeat(i % 7)}`)),
  )
  await page.setViewportSize({ width: 390, height: 844 })
  await signIn(page, world, 'grace', [], 'inbox')
  const list = page.locator('ff-virtual-list')
  await list.getByRole('article').first().waitFor()
  /** Scrolls, lets the page show that, and returns how far a row has moved and whether rows have gaps. */
  const scroll = (by: number) =>
    list.evaluate(async (el, by) => {
      const rows = (): HTMLElement[] =>
        [...el.querySelectorAll<HTMLElement>('[data-index]')].sort(
          (a, b) => Number(a.dataset['index']) - Number(b.dataset['index']),
        )
      const frames = async (count: number): Promise<void> => {
        for (let i = 0; i < count; i++) await new Promise((done) => requestAnimationFrame(done))
      }
      const first = rows().find((row) => row.getBoundingClientRect().top >= el.getBoundingClientRect().top)
      const before = first?.getBoundingClientRect().top ?? 0
      el.scrollTop += by
      await frames(4)
      const moved = before - (first?.isConnected ? first.getBoundingClientRect().top : Infinity)
      const boxes = rows().map((row) => row.getBoundingClientRect())
      const gaps = boxes.slice(1).map((box, i) => Math.round(box.top - (boxes[i]?.bottom ?? 0)))
      return { moved: Math.round(moved), gaps: gaps.filter((gap) => gap !== 0) }
    }, by)
  await scroll(2000) // over rows that were never measured
  for (const by of [...Array<number>(10).fill(-150), 100, 200, -100]) {
    assert.deepEqual(await scroll(by), { moved: by, gaps: [] })
  }
  for (let i = 0; i < 12; i++) await page.keyboard.press('j')
  const focused = list.locator('[data-index]:focus-within')
  await focused.waitFor()
  const within = await focused.evaluate((row) => {
    const [a, b] = [row, row.closest('ff-virtual-list') ?? row].map((e) => e.getBoundingClientRect())
    return a && b && a.top >= b.top - 1 && a.bottom <= b.bottom + 1
  })
  assert(within, 'the row of the cursor is not visible')
})

browserTest(
  'after a cut the rows are there, with and without recovery',
  async ({ page, allow }) => {
    allow(/ERR_INTERNET_DISCONNECTED/)
    const world = await newWorld()
    await signIn(page, world, 'grace', [], 'inbox')
    await live(page)
    await cut(page, { offline: true })
    await page.getByText('Offline').first().waitFor()
    await world.deliver(...said('Recovered'))
    await restore(page)
    await titled(page, 'Recovered').waitFor()
    await unread(page, 1).waitFor()
    await cut(page)
    await page.getByText('Connecting…').first().waitFor()
    await world.deliver(...said('Not recovered'))
    await world.purge('grace')
    await restore(page)
    await titled(page, 'Not recovered').waitFor()
    await unread(page, 2).waitFor()
  },
  { cuttable: true },
)

browserTest('a snoozed row returns, and what a lost role hides disappears', async ({ page, allow }) => {
  allow(/status of 404/)
  const world = await newWorld()
  const [id] = await world.deliver(...said('Snoozed'))
  await world.deliver({ action: 'comment.created', resource: 'mercury-brand', fields: { message: 'Hidden soon' } })
  await signIn(page, world, 'grace', [], 'inbox')
  await live(page)
  await titled(page, 'Snoozed').getByRole('button', { name: 'Snooze' }).click()
  await page.getByRole('menuitem', { name: 'In 3 hours' }).click()
  await titled(page, 'Snoozed').waitFor({ state: 'detached' })
  await page.getByText('1 notification snoozed.').waitFor()
  await page.getByRole('tab', { name: 'Snoozed 1' }).waitFor()
  await sql('UPDATE fanfare.notifications SET snoozed_until = now() WHERE activity_id = $1::uuid', id)
  await titled(page, 'Snoozed').waitFor()

  await titled(page, 'Hidden soon').getByRole('link').click()
  await page.getByRole('heading', { name: 'Hidden soon' }).waitFor()
  await world.revoke('grace', 'mercury')
  await world.record(...said('After it'))
  await titled(page, 'After it').waitFor()
  await titled(page, 'Hidden soon').waitFor({ state: 'detached' })
  await page.getByText('This does not exist').waitFor()
})

browserTest('more than 10,000 unread rows are counted, scrolled and marked', async ({ page }) => {
  const world = await newWorld()
  const [id] = await world.deliver(...said('One of many'))
  await sql(
    `WITH made AS (
       INSERT INTO fanfare.activities
       SELECT (json_populate_record(a, json_build_object('id',
           lpad(to_hex((extract(epoch FROM a.recorded_at) * 1000)::bigint - n), 12, '0')::text
           || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15)))).*
       FROM fanfare.activities a, generate_series(1, 10500) n WHERE a.id = $1::uuid RETURNING id)
     INSERT INTO fanfare.notifications
       (tenant_id, principal_id, activity_id, created_at, reasons, resource_id, visibility, party)
     SELECT t.tenant_id, t.principal_id, made.id, t.created_at, t.reasons, t.resource_id, t.visibility, t.party
     FROM made, fanfare.notifications t WHERE t.activity_id = $1::uuid AND t.principal_id = $2::uuid`,
    id,
    world.person('grace').id,
  )
  await signIn(page, world, 'grace', [], 'inbox')
  await page.getByRole('tab', { name: 'Unread 9999+' }).waitFor()
  await page.waitForFunction(() => document.title.startsWith('(99+) '))
  await page.getByRole('button', { name: 'Mark all as read' }).click()
  await page.getByRole('dialog', { name: 'Mark all as read?' }).waitFor()
  await page.getByText('10,000 or more notifications are unread.').waitFor()
  await page.locator('ff-dialog').getByRole('button', { name: 'Mark all as read' }).click()
  await page.getByText('10,501 notifications marked as read.').waitFor()
  await page.getByRole('tab', { name: 'Unread', exact: true }).waitFor()
})
