// What arrives while the activity view is open.
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { axe, browserTest, cut, newWorld, restore, signIn, sql } from './harness/index.ts'

const world = await newWorld({ activities: 120 })
const reader = ['activity:read']
const one = {
  action: 'file.uploaded',
  actor: 'ci',
  resource: 'atlas-nightly',
  payload: { file_id: 'f', name: 'log.txt', bytes: 1 },
}
const timeline = (page: Page) => page.locator('ff-activity-timeline')
const row = (page: Page, id = '') => page.locator(`a[href*="/activity/${id}"]`)
const newer = (page: Page, count: number) => page.getByRole('button', { name: `${count} new` })

async function live(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Live updates: Live', exact: true }).waitFor()
}

browserTest('activities arrive in two tabs, and only those of the filter', async ({ page, newTab }) => {
  await signIn(page, world, 'ada', reader, 'activity')
  const other = await newTab(page)
  await other.goto('/console/activity?action=job.*')
  await Promise.all([live(page), live(other)])
  const [upload, job] = await world.deliver(one, { ...one, action: 'job.completed', payload: { job_id: 'j' } })
  await row(page, upload).waitFor()
  await row(page, job).waitFor()
  await row(other, job).waitFor()
  assert.equal(await row(other, upload).count(), 0)
})

browserTest(
  'the timeline pauses while it is scrolled or an activity is open, and while it is off',
  async ({ page }) => {
    await signIn(page, world, 'ada', reader, 'activity')
    await live(page)
    await row(page).first().waitFor()
    await timeline(page).evaluate((e) => e.scrollTo(0, 400))
    const [first] = await world.deliver(one, one)
    await newer(page, 2).waitFor()
    assert.equal(await timeline(page).evaluate((e) => e.scrollTop), 400, 'nothing moves')
    await newer(page, 2).click()
    await row(page, first).waitFor()
    await newer(page, 2).waitFor({ state: 'detached' })

    await row(page).nth(3).click()
    await page.getByRole('tab', { name: 'Details' }).waitFor()
    const [second] = await world.deliver(one)
    await newer(page, 1).waitFor()
    await page.getByRole('button', { name: 'Close the details' }).click()
    await row(page, second).waitFor()

    await page.getByRole('button', { name: /^Live updates/ }).click()
    await page.waitForURL(/live=off/)
    await page.getByText('Live is off').waitFor()
    const [third] = await world.deliver(one)
    await page.getByRole('button', { name: /^Live updates/ }).click()
    await live(page)
    await row(page, third).waitFor()
  },
)

browserTest('what the event does not say, the server is asked for', async ({ page }) => {
  await signIn(page, world, 'ada', reader, 'activity?status=failure&action=job.*')
  await live(page)
  await row(page).first().waitFor()
  const [good, bad] = await world.deliver(
    { ...one, action: 'job.completed', payload: { job_id: 'j' } },
    { ...one, action: 'job.failed', payload: { job_id: 'j', error: 'e' }, fields: { status: 'failure' } },
  )
  await row(page, bad).waitFor()
  assert.equal(await row(page, good).count(), 0)
})

browserTest('a member without activity:read gets what concerns it', async ({ page }) => {
  await signIn(page, world, 'grace', [], 'activity')
  await live(page)
  await row(page).first().waitFor()
  const [id] = await world.deliver({
    action: 'comment.created',
    actor: 'linus',
    resource: 'atlas-grip',
    targets: ['grace'],
    payload: { comment_id: 'c', body: 'b' },
  })
  await row(page, id).waitFor()
})

browserTest(
  'after an interruption, what happened meanwhile is there',
  async ({ page, allow }) => {
    allow(/ERR_INTERNET_DISCONNECTED|ERR_NETWORK|ERR_INCOMPLETE/)
    await signIn(page, world, 'ada', reader, 'activity')
    await live(page)
    await cut(page, { offline: true })
    await world.deliver(one)
    await restore(page)
    const [id] = await world.deliver(one)
    await row(page, id).waitFor()
  },
  { cuttable: true },
)

browserTest(
  'a reader who loses activity:read sees what it may see, with a notice',
  async ({ page, allow }) => {
    allow(/status of 403|ERR_INTERNET_DISCONNECTED|ERR_NETWORK|ERR_INCOMPLETE/)
    await signIn(page, world, 'priya', reader, 'activity')
    await live(page)
    const [hidden, visible] = await world.deliver(
      { action: 'resource.updated', actor: 'ledger', resource: 'invoices', payload: { changes: ['a'] } },
      { action: 'resource.updated', actor: 'linus', resource: 'atlas-board', payload: { changes: ['a'] } },
    )
    await row(page, hidden).waitFor()
    await row(page, visible).waitFor()
    await page.getByRole('button', { name: 'Export' }).waitFor()
    await sql(
      `UPDATE fanfare.service_tokens SET scopes = '{}' WHERE tenant_id = $1::uuid AND principal_id = $2::uuid`,
      world.tenant,
      world.person('priya').id,
    )
    await cut(page, { offline: true }) // the stream is opened again, which is refused
    await restore(page)
    await page.getByText('Your permissions have changed. You see what you may see now.').waitFor()
    await page.getByText('visible to you').waitFor()
    await row(page, visible).waitFor()
    assert.equal(await row(page, hidden).count(), 0)
    assert.equal(await page.getByRole('button', { name: 'Export' }).count(), 0)
    await live(page)
    await axe(page)
    await page
      .getByRole('link', { name: /^Inbox/ })
      .first()
      .click()
    await page.getByRole('heading', { name: 'Inbox', exact: true }).waitFor()
    await page.goBack()
    await row(page, visible).waitFor()
  },
  { cuttable: true },
)

browserTest('200 activities a second keep the page responsive', async ({ page }) => {
  await signIn(page, world, 'ada', reader, 'activity')
  await live(page)
  const stop = await world.load(200, one)
  await page.waitForFunction(() => {
    const view = document
      .querySelector('fanfare-console')
      ?.shadowRoot?.querySelector('ff-shell')
      ?.shadowRoot?.querySelector('ff-activity-view')
    const list = view?.shadowRoot?.querySelector('ff-activity-timeline') as { rows?: unknown[] } | null | undefined
    return (list?.rows?.length ?? 0) > 500
  })
  await timeline(page).evaluate((e) => e.scrollTo(0, 600))
  await page.getByRole('button', { name: /^\d+ new$/ }).waitFor()
  await stop()
  assert.ok((await page.locator('ff-activity-timeline .row').count()) < 80)
})
