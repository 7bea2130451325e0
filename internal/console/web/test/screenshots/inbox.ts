// The states of the inbox, as pictures.
import type { Page } from 'playwright-core'
import { forEachLook, screenshot, signIn, type World } from '../harness/index.ts'

/** Saves pictures of the inbox of Grace, in a world with a history. */
export async function inboxScreenshots(page: Page, world: World): Promise<void> {
  await signIn(page, world, 'grace', [], 'inbox')
  const row = page.getByRole('article').nth(2)
  await forEachLook(page, async ({ name }) => {
    await page.goto('/console/inbox')
    await row.waitFor()
    await screenshot(page, `inbox-list-${name}`)
    await page
      .getByRole('article')
      .nth(1)
      .getByRole('button', { name: /Why am I notified/ })
      .click()
    await page.getByText('Stop this').first().waitFor()
    await screenshot(page, `inbox-why-${name}`)
    await page.keyboard.press('Escape')
    await row.getByRole('link').first().click()
    await page.getByRole('heading', { name: 'Payload' }).waitFor()
    await page.getByText('Stop this').first().waitFor()
    await screenshot(page, `inbox-detail-${name}`)
    await page.goto('/console/inbox?group_by=resource')
    await page.getByRole('article').first().getByRole('button').first().click()
    await page.getByRole('article').nth(2).waitFor()
    await screenshot(page, `inbox-groups-${name}`)
    await page.goto('/console/inbox?reason=target&severity=info')
    await row.waitFor()
    await page.getByRole('checkbox', { name: 'Select all that are shown' }).check()
    await screenshot(page, `inbox-selection-${name}`)
    await page.goto('/console/inbox?q=nothing-like-this')
    await page.getByText('No notification matches').waitFor()
    await screenshot(page, `inbox-empty-${name}`)
  })
}
