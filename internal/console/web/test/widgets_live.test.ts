// The widgets while the connection, the token or another tab changes.
import assert from 'node:assert/strict'
import type { Locator, Page } from 'playwright-core'
import {
  application,
  axe,
  browserTest,
  cut,
  newWorld,
  openApplication,
  restore,
  setToken,
  showAgain,
  sql,
} from './harness/index.ts'

const world = await newWorld({ activities: 120 })
const project = world.resource('atlas-grip')

const all = `<header><fanfare-inbox></fanfare-inbox></header>
  <fanfare-follow resource="${project.id}"></fanfare-follow>
  <section><fanfare-activity limit="5" resource="${project.id}"></fanfare-activity></section>
  <section><fanfare-activity limit="5" principal="${world.person('linus').id}"></fanfare-activity></section>
  <section><fanfare-preferences></fanfare-preferences></section>`

const inboxOf = (page: Page): Locator => page.locator('fanfare-inbox').first()
const bell = (page: Page): Locator =>
  inboxOf(page)
    .getByRole('button', { name: /^Notifications/ })
    .first()
const list = (page: Page, n: number): Locator => page.locator('fanfare-activity').nth(n)
const follow = (page: Page, label: string): Locator =>
  page.locator('fanfare-follow').getByRole('button', { name: `${label}. Notifications about this` })
const mode = (page: Page, name: string): Locator => page.getByRole('radio', { name, exact: true })

/** shows waits until the bell shows a number of unread notifications. */
async function shows(page: Page, unread: number): Promise<void> {
  const name = unread === 0 ? 'Notifications' : `Notifications, ${unread} unread`
  await inboxOf(page).getByRole('button', { name, exact: true }).waitFor()
}

async function counts(person: string): Promise<{ unread: number; unseen: number }> {
  return world.api(person, 'GET', '/notifications/counts')
}

/** prefer sets the mode of the preferences, as from another browser. */
async function prefer(filter_mode: string): Promise<void> {
  await world.api('grace', 'PUT', '/notifications/preferences', { filter_mode })
}

/** ready waits until all widgets show what they read. */
async function ready(page: Page, person: string): Promise<void> {
  const { unread } = await counts(person)
  await shows(page, unread)
  for (const n of [0, 1]) await list(page, n).getByRole('article').first().waitFor()
  await page.locator('fanfare-follow ff-button:not([disabled])').waitFor()
  await mode(page, 'Everything').waitFor()
}

function comment(text: string, resource = 'atlas-grip') {
  return { action: 'comment.created', actor: 'linus', resource, targets: ['grace'], fields: { message: text } }
}

const titled = (within: Locator, text: string): Locator => within.getByRole('article').filter({ hasText: text })

browserTest(
  'offline, the widgets say so and change nothing; back, they show what happened meanwhile',
  async ({ page, allow }) => {
    allow(/ERR_INTERNET_DISCONNECTED/)
    await prefer('all')
    await openApplication(page, world, 'grace', all)
    await ready(page, 'grace')
    const { unread } = await counts('grace')
    await world.record(comment('Before the cut'))
    await titled(list(page, 0), 'Before the cut').waitFor() // the channel of the resource is joined
    await shows(page, unread + 1)
    await bell(page).click()
    await titled(page.locator('fanfare-inbox'), 'Before the cut').waitFor()

    await cut(page, { offline: true })
    await page.getByText('Offline. The list may be out of date.').waitFor()
    const inbox = page.locator('fanfare-inbox')
    await titled(inbox, 'Before the cut').getByRole('button', { name: 'Archive' }).click()
    await inbox.getByText('This could not be changed. It is as before.').waitFor()
    await titled(inbox, 'Before the cut').waitFor()
    await page.keyboard.press('Escape')
    await mode(page, 'Changes').click()
    await page.locator('fanfare-preferences').getByText('This could not be saved').waitFor()
    await mode(page, 'Everything').and(page.locator(':checked')).waitFor()
    await page.locator('fanfare-follow').getByRole('button').first().click()
    await page.getByRole('menuitemcheckbox', { name: /^Ignore/ }).click()
    await page.locator('fanfare-follow').getByText('This could not be changed. Try again.').waitFor()
    await axe(page)

    // Meanwhile, in the browser of another machine.
    await world.deliver(comment('While away 1'), comment('While away 2'))
    await world.purge('grace')
    await world.purge('grace', 'atlas-grip')
    const level = { level: 'all', scope: 'resource' }
    await world.api('grace', 'PUT', `/watch-levels/${project.id}`, level)
    await prefer('mutations')

    await restore(page)
    await shows(page, unread + 3)
    for (const n of [0, 1]) await titled(list(page, n), 'While away 2').waitFor()
    await follow(page, 'All activity').waitFor()
    await mode(page, 'Changes').and(page.locator(':checked')).waitFor()
    await bell(page).click()
    await titled(inbox, 'While away 1').waitFor()
    assert.equal(await page.getByText('Offline. The list may be out of date.').count(), 0)
    assert.equal(await page.locator('fanfare-follow').getByText('could not').count(), 0)
  },
  { cuttable: true },
)

browserTest('two tabs of one person have equal counts, and show what the other one changes', async (scene) => {
  const { page, newTab } = scene
  await prefer('mutations')
  const other = await newTab(page)
  const body = all.replace('</header>', '<fanfare-inbox badge="unseen"></fanfare-inbox></header>')
  await openApplication(page, world, 'grace', body)
  await openApplication(other, world, 'grace', body)
  await ready(page, 'grace')
  await ready(other, 'grace')
  await world.deliver(comment('In both tabs'))
  const { unread } = await counts('grace')
  await shows(page, unread)
  await shows(other, unread)

  await bell(page).click()
  const inbox = inboxOf(page)
  await titled(inbox, 'In both tabs').getByRole('button', { name: 'Archive' }).click()
  await inbox.getByText('Archived.').waitFor()
  await shows(other, unread - 1)
  await inbox.getByRole('button', { name: 'Mark all as read' }).click()
  await inbox.getByText('All are marked as read.').waitFor()
  for (const each of [page, other]) await shows(each, 0)
  await inbox.getByRole('button', { name: 'Undo' }).click()
  for (const each of [page, other]) await shows(each, unread - 1)
  await page.keyboard.press('Escape')

  await page.locator('fanfare-follow').getByRole('button').first().click()
  await page.getByRole('menuitemcheckbox', { name: /^Participating/ }).click()
  await follow(page, 'Participating').waitFor()
  await mode(page, 'Everything').check()
  await page.getByText('Saved.').waitFor()
  await showAgain(other)
  await follow(other, 'Participating').waitFor()
  await mode(other, 'Everything').and(other.locator(':checked')).waitFor()
  const now = await counts('grace')
  assert.equal(now.unread, unread - 1)
})

/** requested counts the requests to the API. */
const requested = (requests: () => string[]): number => requests().filter((url) => url.includes('/v1/')).length

browserTest('a token that is no longer valid is renewed, and the page shows no problem', async ({ page, allow }) => {
  allow(/status of 401/)
  await prefer('all')
  await openApplication(page, world, 'grace', all, { token: await world.serviceToken('grace') })
  await ready(page, 'grace')
  await setToken(page, await world.token('grace'), { fresh: true })
  await sql(`UPDATE fanfare.service_tokens SET revoked_at = now() WHERE tenant_id = $1::uuid`, world.tenant)
  await bell(page).click()
  const inbox = page.locator('fanfare-inbox')
  await inbox.getByRole('article').first().waitFor()
  await world.record(comment('After the renewal'))
  await titled(inbox, 'After the renewal').waitFor()
  await page.keyboard.press('Escape')
  await mode(page, 'Changes').check()
  await page.getByText('Saved.').waitFor()
  const saved = page.waitForResponse((r) => r.request().method() === 'PUT' && r.ok())
  await mode(page, 'Everything').check()
  await saved
  assert.equal(await page.getByRole('alert').count(), 0)
  const { asked } = await application(page)
  assert.ok(asked.includes('expired'))
})

browserTest(
  'a token that is refused is said by each widget, asked for no further, and replaced later',
  async (scene) => {
    const { page, requests, allow } = scene
    allow(/status of 401/)
    await page.clock.install()
    await openApplication(page, world, 'grace', all, { token: 'refused' })
    await bell(page).click()
    const alerts = page.getByRole('alert').filter({ hasText: 'You are not signed in' })
    await alerts.nth(3).waitFor()
    assert.equal(await alerts.count(), 4, 'the inbox, two lists of activities, and the preferences')
    await page.locator('fanfare-follow').getByText('You are not signed in').waitFor()
    await axe(page)
    const before = requested(requests)
    await page.clock.runFor('10:00')
    assert.equal(requested(requests), before, 'nothing is asked again')

    // The application has no token any more.
    await setToken(page, '')
    await page.locator('fanfare-inbox').getByRole('button', { name: 'Try again' }).click()
    await alerts.nth(3).waitFor()
    assert.equal(requested(requests), before)

    // The person has signed in again, in another tab.
    await setToken(page, await world.token('grace'))
    await showAgain(page)
    await ready(page, 'grace')
    await page.locator('fanfare-inbox').getByRole('article').first().waitFor()
    await world.record(comment('Signed in again'))
    await titled(page.locator('fanfare-inbox'), 'Signed in again').waitFor()
    await titled(list(page, 0), 'Signed in again').waitFor()
  },
)
