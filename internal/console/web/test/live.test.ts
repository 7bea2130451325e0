// What the shell shows of the live connection.
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { browserTest, cut, newWorld, restore, signIn, sql } from './harness/index.ts'

const one = { action: 'comment.created', resource: 'atlas-grip', targets: ['grace'] }

function unread(page: Page, count: number) {
  return page.getByRole('link', { name: new RegExp(`^Inbox.*\\b${count} unread`) })
}

function live(page: Page) {
  return page.getByText('Live', { exact: true }).first()
}

browserTest('unread counts arrive in two tabs', async ({ page, newTab }) => {
  const world = await newWorld()
  await signIn(page, world, 'grace')
  const other = await newTab(page)
  await other.goto('/console/')
  await live(page).waitFor()
  await live(other).waitFor()
  await world.record(one)
  await unread(page, 1).waitFor()
  await unread(other, 1).waitFor()
})

browserTest(
  'after a cut, the count includes what happened meanwhile, also without a history',
  async ({ page, allow }) => {
    allow(/ERR_INTERNET_DISCONNECTED/)
    const world = await newWorld()
    await signIn(page, world, 'grace')
    await live(page).waitFor()
    await cut(page, { offline: true })
    await page.getByText('Offline').first().waitFor()
    await world.deliver(one, one)
    await restore(page)
    await live(page).waitFor()
    await unread(page, 2).waitFor()

    await cut(page)
    await page.getByText('Connecting…').first().waitFor()
    await world.deliver(one)
    await world.purge('grace')
    await restore(page)
    await live(page).waitFor()
    await unread(page, 3).waitFor()
  },
  { cuttable: true },
)

browserTest(
  'a session that ends while the page is open leads to the sign-in page',
  async ({ page, allow }) => {
    allow(/status of 401/)
    const world = await newWorld()
    await signIn(page, world, 'grace', [], 'following')
    await live(page).waitFor()
    await cut(page)
    await sql(`UPDATE fanfare.service_tokens SET revoked_at = now() WHERE tenant_id = $1::uuid`, world.tenant)
    await world.purge('grace')
    await world.deliver(one)
    await restore(page)
    await page.getByText('Your session has ended.').waitFor()
    assert.match(page.url(), /following$/)
  },
  { cuttable: true },
)
