// The components of @fanfare/react and @fanfare/vue: properties, events, refs, and the end of the connection.
import assert from 'node:assert/strict'
import type { Page, WebSocket } from 'playwright-core'
import { axe, browserTest, newWorld, openApplication } from './harness/index.ts'
import { bundle } from './harness/bundle.ts'
import type { Page as Shows, Shown } from './wrappers/shown.ts'

const world = await newWorld({ activities: 60 })
await world.deliver(
  ...Array.from({ length: 6 }, (_, n) => ({
    action: 'comment.created',
    resource: 'atlas',
    fields: { message: `${n}` },
  })),
)
const first: Shown = {
  widgets: ['inbox', 'activity', 'follow', 'preferences'],
  resource: world.resource('atlas').id,
  handler: 'first',
}

async function show(page: Page, shown: Shown | undefined): Promise<void> {
  await page.evaluate((shown) => (globalThis as unknown as Shows).show(shown), shown)
}

function events(page: Page): Promise<string[]> {
  return page.evaluate(() => (globalThis as unknown as Shows).events)
}

for (const name of ['react.tsx', 'vue.ts']) {
  browserTest(`${name}: properties, events and refs are those of the elements`, async ({ page }) => {
    const sockets: WebSocket[] = []
    page.on('websocket', (socket) => sockets.push(socket))
    await world.api('grace', 'PUT', '/notifications/preferences', { filter_mode: 'all' })
    await world.api('grace', 'DELETE', `/watch-levels/${first.resource}`)
    await openApplication(page, world, 'grace', '<div id="app"></div>', {
      module: `import { getToken } from './application.js'
        globalThis.getToken = getToken
        ${await bundle(`wrappers/${name}`)}`,
    })
    await show(page, { ...first, limit: 2 })
    const inbox = page.locator('fanfare-inbox')
    const bell = inbox.getByRole('button', { name: /^Notifications, \d+ unread/ })
    const rows = page.locator('fanfare-activity').getByRole('article')
    await bell.waitFor()
    await rows.nth(1).waitFor()
    assert.equal(await rows.count(), 2)
    assert.deepEqual(await inbox.evaluate((e) => [e.id, e.className, e.hasAttribute('theme')]), ['bell', 'mine', false])
    assert.ok(await page.evaluate(() => (globalThis as unknown as Shows).refers()))

    // Other properties, and one that is no longer given.
    await show(page, { ...first, limit: 3, theme: 'dark', label: 'News' })
    await rows.nth(2).waitFor()
    assert.equal(await rows.count(), 3)
    assert.equal(await inbox.getAttribute('theme'), 'dark')
    await show(page, { ...first, handler: 'second', label: 'News' })
    await rows.nth(5).waitFor()
    await page.locator('fanfare-inbox:not([theme])').waitFor()

    // Each event calls the newest handler, once.
    await bell.click()
    await page.getByRole('heading', { name: 'News' }).waitFor()
    await axe(page)
    await inbox.locator('ff-notification-row').first().locator('.title').click()
    await page.locator('fanfare-follow').getByRole('button').first().click()
    await page.getByRole('menuitemcheckbox', { name: /^Participating/ }).click()
    await page.getByRole('button', { name: /^Participating/ }).waitFor()
    await page.getByRole('radio', { name: 'Changes' }).check()
    await page.getByText('Saved.').waitFor()
    const [opened, ...others] = await events(page)
    assert.match(opened ?? '', /^second fanfare-open \w+\.\w+/)
    assert.deepEqual(others, [
      'second fanfare-followed participating',
      'second fanfare-saved {"filter_mode":"mutations"}',
    ])

    // The last widget that is removed ends the connection; the next one makes another.
    assert.equal(sockets.length, 1)
    await show(page, { ...first, widgets: ['inbox'] })
    await page.locator('fanfare-activity').waitFor({ state: 'detached' })
    assert.equal(sockets[0]?.isClosed(), false)
    const closed = sockets[0]?.waitForEvent('close')
    await show(page, undefined)
    await closed
    assert.equal(await page.locator('fanfare-inbox').count(), 0)
    const again = page.waitForEvent('websocket')
    await show(page, first)
    await again
    await bell.waitFor()
    await world.record({
      action: 'comment.created',
      actor: 'linus',
      resource: 'atlas',
      fields: { message: `To ${name}` },
    })
    await rows.filter({ hasText: `To ${name}` }).waitFor()
  })
}
