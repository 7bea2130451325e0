// The states of the activity view, as pictures.
import type { Page } from 'playwright-core'
import { forEachLook, screenshot, signIn, stage, type World } from '../harness/index.ts'

/** Saves pictures of the activity view of Ada, in a world with a history. */
export async function activityScreenshots(page: Page, world: World): Promise<void> {
  await signIn(page, world, 'ada', stage.operator_scopes, 'activity')
  const row = page.locator('ff-activity-timeline .row').first()
  const [id] = await world.deliver({
    action: 'comment.created',
    actor: 'linus',
    resource: 'atlas-grip',
    targets: ['grace'],
    payload: {
      comment_id: 'c-81',
      body: 'I measured it again: 7.6 ms.',
      attachments: [{ name: 'trace.csv', bytes: 48213 }],
    },
  })
  await forEachLook(page, async ({ name }) => {
    await page.goto('/console/activity')
    await row.waitFor()
    await screenshot(page, `activity-list-${name}`)
    await page.getByRole('combobox', { name: 'Filter activities' }).fill('action:job')
    await page.getByRole('option').first().waitFor()
    await screenshot(page, `activity-completion-${name}`)
    for (const tab of ['details', 'audience', 'history']) {
      await page.goto(`/console/activity/${id}?tab=${tab}`)
      await page.locator('ff-drawer .part').locator('ff-payload, li').first().waitFor()
      await screenshot(page, `activity-${tab}-${name}`)
    }
    await page.goto('/console/activity?q=nothing-like-this')
    await page.getByText('No activity matches').waitFor()
    await screenshot(page, `activity-no-match-${name}`)
    await page.goto('/console/activity?severity=error')
    await row.waitFor()
    await page.getByRole('button', { name: 'Export' }).first().click()
    await page.getByText(/activities that match/).waitFor()
    await screenshot(page, `activity-export-${name}`)
  })
}
