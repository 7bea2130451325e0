// The inbox: its rows, what one does with them, and what arrives.
import assert from 'node:assert/strict'
import type { Locator, Page } from 'playwright-core'
import { axe, browserTest, forEachLook, newWorld, screenshot, signIn, widths } from './harness/index.ts'

const world = await newWorld({ activities: 250, hostile: true })

function rows(page: Page): Locator {
  return page.getByRole('article')
}

/** titled returns the rows with a text in their title. */
function titled(page: Page, text: string | RegExp): Locator {
  return rows(page).filter({ has: page.getByRole('link', { name: text }) })
}

function tab(page: Page, name: string, count?: number): Locator {
  return page.getByRole('tab', { name: count === undefined ? new RegExp(`^${name}`) : `${name} ${count}`, exact: true })
}

function button(within: Page | Locator, name: string | RegExp): Locator {
  return within.getByRole('button', { name, exact: typeof name === 'string' })
}

async function fresh(page: Page, message: string, path = 'inbox', fields: Record<string, unknown> = {}): Promise<void> {
  await world.deliver({ action: 'comment.created', targets: ['grace'], fields: { message, ...fields } })
  await signIn(page, world, 'grace', [], path)
  await titled(page, message).waitFor()
}

for (const width of widths) {
  browserTest(`both themes pass axe-core at a width of ${width}`, async ({ page }) => {
    await world.deliver({ action: 'job.failed', resource: 'atlas-nightly', targets: ['grace'] })
    await signIn(page, world, 'grace', [], 'inbox?reason=target&action=job.failed')
    await forEachLook(page, (look) => checkLook(page, look.name), { widths: [width] })
  })
}

async function checkLook(page: Page, name: string): Promise<void> {
  await button(rows(page).first(), /Why am I notified/).click()
  await page.getByText('The 13 rules in order').click()
  await screenshot(page, `test-inbox-why-${name}`)
  await axe(page)
  await page.keyboard.press('Escape')
  await rows(page).first().getByRole('link').click()
  await page.getByText('The 13 rules in order').click()
  await page.getByText('Stop this').click()
  await axe(page)
  await page.keyboard.press('Escape')
  await page.getByRole('heading', { name: 'Payload' }).waitFor({ state: 'detached' })
}

browserTest('groups, and a list without rows, pass axe-core', async ({ page }) => {
  await signIn(page, world, 'grace', [], 'inbox?group_by=resource&severity=error')
  await rows(page).first().waitFor()
  await axe(page)
  await page.goto('/console/inbox?q=nothing-like-this')
  await page.getByText('No notification matches').waitFor()
  await axe(page)
})

browserTest('a row is archived, and undone by its toast and by z', async ({ page }) => {
  await fresh(page, 'Archive me')
  const row = titled(page, 'Archive me')
  await button(row, 'Archive').click()
  await row.waitFor({ state: 'detached' })
  await button(page, 'Undo').click()
  await row.waitFor()
  await button(row, 'Archive').click()
  await row.waitFor({ state: 'detached' })
  await page.keyboard.press('z')
  await row.waitFor()
  await button(row, 'Mark as read').click()
  await button(row, 'Mark as unread').waitFor()
})

browserTest('keys move, open, read, select, archive, snooze, search and undo', async ({ page }) => {
  await fresh(page, 'Second of the keys', 'inbox?q=of the keys')
  await fresh(page, 'First of the keys', 'inbox?q=of the keys')
  const first = titled(page, 'First of the keys')
  const second = titled(page, 'Second of the keys')
  await second.waitFor()
  const focused = (row: Locator) => row.locator('a:focus').waitFor()
  await page.keyboard.press('j')
  await focused(first)
  await page.keyboard.press('j')
  await focused(second)
  await page.keyboard.press('k')
  await focused(first)
  await page.keyboard.press('u')
  await button(first, 'Mark as unread').waitFor()
  await page.keyboard.press('u')
  await button(first, 'Mark as read').waitFor()

  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'First of the keys' }).waitFor()
  assert.match(page.url(), /inbox\/[\da-f-]+\?q=/)
  await button(first, 'Mark as unread').waitFor()
  await page.keyboard.press('j')
  await page.getByRole('heading', { name: 'Second of the keys' }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('heading', { name: 'Second of the keys' }).waitFor({ state: 'detached' })
  await focused(second)

  await page.keyboard.press('x')
  await page.getByText('1 selected').waitFor()
  await page.keyboard.press('k')
  await page.keyboard.press('Shift+X')
  await page.getByText('2 selected').waitFor()
  await page.keyboard.press('e')
  await page.getByText('2 notifications archived.').waitFor()
  await page.getByText('No notification matches').waitFor()
  await page.keyboard.press('z')
  await second.waitFor()

  await page.keyboard.press('j')
  await page.keyboard.press('s')
  await page.getByRole('menuitem', { name: /Tomorrow/ }).press('Enter')
  await page.getByText('1 notification snoozed.').waitFor()
  await page.keyboard.press('z')
  await first.waitFor()
  await page.keyboard.press('/')
  await page.getByRole('searchbox').pressSequentially('!')
  await page.waitForURL(/of\+the\+keys%21/)
  await page.getByText('No notification matches').waitFor()
  await page.goBack()
  await first.waitFor()
})

browserTest('filters are chips, in the address, and back returns', async ({ page }) => {
  await signIn(page, world, 'grace', [], 'inbox')
  await button(page, 'Filters').click()
  await page.getByRole('combobox', { name: 'Reason' }).selectOption('owner')
  await page.waitForURL(/reason=owner/)
  await page.getByRole('combobox', { name: 'Severity' }).selectOption('info')
  await page.waitForURL(/severity=info/)
  await page.keyboard.press('Escape')
  await button(page, 'Remove the filter severity').click()
  await page.waitForURL((url) => !url.search.includes('severity'))
  await page.goBack()
  await button(page, 'Remove the filter severity').waitFor()
  await tab(page, 'Archived').click()
  await page.waitForURL(/state=archived/)
})

browserTest('groups open, are read as one, and undone', async ({ page }) => {
  const message = 'Of a group'
  for (let i = 0; i < 3; i++) {
    await world.deliver({
      action: 'comment.created',
      resource: 'mercury-brand',
      actor: 'mei',
      targets: ['grace'],
      fields: { message },
    })
  }
  await signIn(page, world, 'grace', [], `inbox?group_by=resource&q=${message}`)
  const group = rows(page).filter({ has: button(page, /Brand guide/) })
  await button(group, /Brand guide/).click()
  await titled(page, message).nth(2).waitFor()
  await button(group, 'Mark all of them as read').click()
  await page.getByText('3 notifications marked as read.').waitFor()
  await button(titled(page, message).nth(2), 'Mark as unread').waitFor()
  await button(page, 'Undo').click()
  await button(titled(page, message).nth(2), 'Mark as read').waitFor()
  await button(titled(page, message).nth(0), 'Archive').click()
  await titled(page, message).nth(2).waitFor({ state: 'detached' })
})

browserTest('"Stop this" changes what it says, shows its effect, and is undone', async ({ page, allow }) => {
  allow(/status of 404/) // there is no level yet
  const other = await newWorld()
  await other.deliver({ action: 'comment.created', actor: 'linus', resource: 'atlas-spec' })
  await signIn(page, other, 'grace', [], 'inbox')
  await button(rows(page).first(), /Why am I notified/).click()
  const dialog = page.locator('ff-why')
  await page.getByRole('dialog', { name: 'Why am I notified?' }).waitFor()
  await dialog.getByText('You are notified.').waitFor()
  await dialog.getByText('You follow Atlas arm and everything under it').waitFor()
  for (const [choice, decided] of [
    ['Ignore Motion planner specification', 'ignore for the resource'],
    ['Ignore everything under Atlas arm', 'ignore for a resource above'],
    ['Mute comment.created', 'action is muted'],
    ['Mute Linus Brandt', 'You have muted the actor'],
  ] as const) {
    await button(dialog, new RegExp(`^${choice}`)).click()
    await dialog.getByText('You would no longer be notified.').waitFor()
    await dialog.locator('p', { hasText: decided }).waitFor()
    await button(dialog, 'Undo').click()
    await dialog.getByText('You are notified.').waitFor()
  }
  await button(dialog, /^Mute comment.created/).click()
  await dialog.getByText('comment.created no longer notifies you.').waitFor()
  const preferences = await other.api<{ muted_actions: string[] }>('grace', 'GET', '/notifications/preferences')
  assert.deepEqual(preferences.muted_actions, ['comment.created'])
})

browserTest('hostile texts are texts, and the numbers of a payload have all their digits', async ({ page }) => {
  await page.setViewportSize({ width: 1440, height: 2000 }) // all rows are rendered
  await signIn(page, world, 'grace', [], 'inbox?reason=target&actor=' + world.person('linus').id)
  await titled(page, '<script>globalThis.__owned').waitFor()
  const [first] = await rows(page).getByRole('link').all()
  await first?.click()
  const heading = page.getByRole('heading', { level: 3 }).first()
  for (let i = 0; i < 20; i++) {
    await heading.waitFor()
    const url = page.url()
    await page.keyboard.press('j')
    if (url === page.url()) break
  }
  await page.goto('/console/inbox?action=resource.updated&reason=target')
  await rows(page).getByRole('link').first().click()
  for (const digits of [
    '9007199254740993',
    '-9223372036854775808',
    '0.1000000000000000055511151231257827021181583404541015625',
    '115792089237316195423570985008687907853269984665640564039457584007913129639935',
  ]) {
    await page.getByText(digits, { exact: true }).waitFor()
  }
  assert.equal(await page.evaluate(() => '__owned' in globalThis || 'polluted' in {}), false)
})

browserTest(
  'on a phone the notification covers the list, and buttons do all',
  async ({ page }) => {
    await fresh(page, 'On a phone')
    const row = titled(page, 'On a phone')
    await row.getByRole('link').click()
    await page.getByRole('heading', { name: 'On a phone' }).waitFor()
    await row.waitFor({ state: 'hidden' })
    await button(page, 'Snooze').click()
    await page.getByRole('menuitem', { name: 'Another time…' }).click()
    await button(page.locator('ff-dialog'), 'Snooze').click()
    await page.getByText('1 notification snoozed.').waitFor()
    await button(page, 'Undo').click()
    await page.getByText('Undone.', { exact: true }).waitFor()
  },
  { width: 390 },
)

browserTest('a list that cannot be loaded shows why, and is retried', async ({ page, allow }) => {
  allow(/status of 503/)
  let down = true
  await page.route(/\/v1\/notifications\?/, (route) =>
    down ? route.fulfill({ status: 503, json: problem, contentType: 'application/problem+json' }) : route.continue(),
  )
  await signIn(page, world, 'grace', [], 'inbox')
  await page.getByText('The inbox could not be loaded').waitFor()
  await page.getByText('the-request').waitFor()
  await axe(page)
  down = false
  await button(page, 'Try again').click()
  await rows(page).first().waitFor()
})

const problem = {
  type: '/problems/unavailable',
  title: 'Service unavailable',
  status: 503,
  detail: 'Try again later.',
  request_id: 'the-request',
}
