// The widgets on a page of an application, which is another page than the console.
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import {
  application,
  type ApplicationOptions,
  axe,
  browserTest,
  forEachLook,
  newWorld,
  openApplication,
  screenshot,
} from './harness/index.ts'

const world = await newWorld({ activities: 120 })
const project = world.resource('atlas-grip').id

const host = (page: Page, person: string, body: string, options: ApplicationOptions = {}): Promise<void> =>
  openApplication(page, world, person, body, options)

const bell = (page: Page, n = 0) =>
  page
    .locator('fanfare-inbox')
    .nth(n)
    .getByRole('button', { name: /^Notifications/ })

// look checks a page in each theme and at each width.
async function look(page: Page, name: string): Promise<void> {
  await forEachLook(page, async (current) => {
    await screenshot(page, `widget-${name}-${current.name}`)
    await axe(page)
    const overflow = await page.locator('html').evaluate((root) => root.scrollWidth - innerWidth)
    assert.ok(overflow <= 0, `the page is ${overflow} px too wide`)
  })
}

browserTest('two inboxes share one connection, and show what arrives', async ({ page, requests }) => {
  await host(
    page,
    'grace',
    '<header><fanfare-inbox></fanfare-inbox><fanfare-inbox badge="unseen"></fanfare-inbox></header>',
  )
  await bell(page)
    .and(page.getByRole('button', { name: /unread/ }))
    .waitFor()
  const unread = Number((await bell(page).getAttribute('aria-label'))?.match(/\d+/)?.[0])
  await bell(page).click()
  await page.getByRole('article').first().waitFor()
  await world.record({ action: 'comment.created', actor: 'linus', resource: 'atlas-grip', targets: ['grace'] })
  await page.getByRole('article', { name: /Linus/ }).first().waitFor()
  for (const n of [0, 1]) {
    const label = n === 0 ? `Notifications, ${unread + 1} unread` : /^Notifications/
    await page.locator('fanfare-inbox').nth(n).getByRole('button', { name: label }).waitFor()
  }
  const sockets = new Set(requests().filter((url) => url.startsWith('ws')))
  assert.equal(sockets.size, 1, [...sockets].join('\n'))
  assert.equal(requests().filter((url) => url.endsWith('/realtime/bootstrap')).length, 1)
})

browserTest('a row is opened by the page, becomes read, and can be archived and restored', async ({ page }) => {
  await host(page, 'grace', '<header><fanfare-inbox></fanfare-inbox></header>')
  await bell(page).click()
  const row = page.getByRole('article').first()
  const name = await row.getAttribute('aria-label')
  await row.getByRole('button', { name: 'Archive' }).click()
  await page.getByRole('status').getByText('Archived.').waitFor()
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByRole('status').getByText('Undone.').waitFor()
  assert.equal(await page.getByRole('article').first().getAttribute('aria-label'), name)
  await page.locator('ff-notification-row').first().locator('.title').click()
  assert.equal((await application(page)).opened.length, 1)
})

browserTest('a row explains itself, and what it is about is stopped in place', async ({ page }) => {
  await host(page, 'grace', '<header><fanfare-inbox></fanfare-inbox></header>')
  await bell(page).click()
  const row = page.getByRole('article').first()
  await row.getByRole('button', { name: /Why am I notified/ }).click()
  await page.getByText('Stop this', { exact: true }).waitFor()
  await page
    .getByRole('button', { name: /^Mute / })
    .first()
    .click()
  await page.getByRole('button', { name: 'Undo' }).last().click()
  await page
    .getByRole('button', { name: /^Mute / })
    .first()
    .waitFor()
  await look(page, 'why')
})

browserTest('the inbox is accessible', async ({ page }) => {
  await host(page, 'grace', '<header><fanfare-inbox></fanfare-inbox></header>')
  await bell(page).click()
  await page.getByRole('article').first().waitFor()
  await look(page, 'inbox')
})

browserTest('the activity of a resource arrives live, and that of a principal is listed', async ({ page }) => {
  const body = (attribute: string) => `<section><fanfare-activity limit="5" ${attribute}></fanfare-activity></section>`
  await host(page, 'ada', body(`resource="${project}"`) + body(`principal="${world.person('linus').id}"`))
  const list = page.locator('fanfare-activity').first()
  await list.getByRole('article').or(list.getByText('No activity yet')).first().waitFor()
  await page.waitForFunction(() =>
    performance.getEntriesByType('resource').some((e) => e.name.endsWith('/realtime/token')),
  )
  await world.record({ action: 'comment.created', actor: 'linus', resource: 'atlas-grip' })
  await list.getByRole('article', { name: /Linus/ }).first().waitFor()
  await page.locator('fanfare-activity').nth(1).getByRole('article').first().waitFor()
  await look(page, 'activity')
})

browserTest(
  'several lists of one resource receive what arrives, also when one of them is removed',
  async ({ page }) => {
    const one = `<section><fanfare-activity resource="${project}"></fanfare-activity></section>`
    await host(page, 'ada', one + one)
    const list = (n: number) => page.locator('fanfare-activity').nth(n)
    const arrived = (n: number, message: string) => list(n).getByRole('article').getByText(message).waitFor()
    const record = (message: string) =>
      world.record({ action: 'comment.created', actor: 'linus', resource: 'atlas-grip', fields: { message } })
    await list(0).getByRole('article').or(list(0).getByText('No activity yet')).first().waitFor()
    await record('To both lists')
    for (const n of [0, 1]) await arrived(n, 'To both lists')
    await page
      .locator('section')
      .first()
      .evaluate((section) => section.remove())
    await record('To the other list')
    await arrived(0, 'To the other list')
  },
)

browserTest('a resource is followed, ignored and no longer followed', async ({ page }) => {
  await host(page, 'linus', `<fanfare-follow resource="${project}"></fanfare-follow>`)
  const button = page.locator('fanfare-follow').getByRole('button').first()
  for (const [item, label] of [
    ['All activity', 'All activity'],
    ['Ignore', 'Ignore'],
    ['Follow', 'Following'],
  ] as const) {
    await button.click()
    await page.getByRole('menuitemcheckbox', { name: new RegExp(`^${item}`) }).click()
    await page.locator('fanfare-follow ff-button').filter({ hasText: label }).waitFor()
  }
  await button.click()
  await look(page, 'follow')
})

browserTest('preferences are changed and kept', async ({ page }) => {
  await host(page, 'linus', '<fanfare-preferences></fanfare-preferences>')
  await page.getByRole('radio', { name: 'Everything' }).check()
  await page.getByText('Saved.').waitFor()
  await page.getByLabel('An action or a pattern, such as comment.*').fill('comment.*')
  await page.getByRole('button', { name: 'Add' }).click()
  await page.getByRole('button', { name: 'Remove comment.*' }).waitFor()
  await page.getByText('Saved.').waitFor()
  await page.reload()
  await page.getByRole('button', { name: 'Remove comment.*' }).waitFor()
  assert.ok(await page.getByRole('radio', { name: 'Everything' }).isChecked())
  await look(page, 'preferences')
})

browserTest('texts are replaced, from right to left, and the theme follows custom properties', async ({ page }) => {
  const failed = { action: 'job.failed', resource: 'atlas-nightly', targets: ['grace'] }
  await world.deliver({ ...failed, fields: { severity: 'error' } })
  await host(page, 'grace', '<header><fanfare-inbox></fanfare-inbox></header>', {
    attributes: 'lang="ar" dir="rtl"',
    css: `fanfare-inbox {
        --fanfare-accent: light-dark(#7a1fa2, #d9a7f2);
        --fanfare-on-accent: light-dark(#fff, #1b0724);
      }
      fanfare-inbox::part(bell) { color: #7a1fa2; }`,
    script: `document.querySelector('fanfare-inbox').texts = {
      inbox: {
        label: 'الإشعارات',
        bell: (n) => 'الإشعارات ' + n,
        tabs: { inbox: 'الوارد', unread: 'غير مقروءة', archived: 'الأرشيف' },
      },
      severity: { error: 'خطأ' },
    }`,
  })
  await page.getByRole('button', { name: /^الإشعارات/ }).click()
  await page.getByRole('tab', { name: /غير مقروءة/ }).waitFor()
  await page.getByRole('article').first().getByText('خطأ').waitFor()
  assert.equal(await page.locator('button.bell').evaluate((e) => getComputedStyle(e).color), 'rgb(122, 31, 162)')
  await look(page, 'rtl')
})

browserTest('an inbox without notifications says so', async ({ page }) => {
  await host(page, 'zoe', '<header><fanfare-inbox></fanfare-inbox></header>')
  await bell(page).click()
  await page.getByText('You are up to date').waitFor()
  await look(page, 'empty')
})
