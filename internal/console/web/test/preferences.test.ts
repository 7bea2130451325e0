// Preferences: modes, patterns with their test, muted people, inheritance, defaults of the tenant.
import assert from 'node:assert/strict'
import { axe, browserTest, forEachLook, newWorld, screenshot, signIn, stage } from './harness/index.ts'

const world = await newWorld({ activities: 120 })

interface Preferences {
  filter_mode: string
  custom_actions: string[]
  muted: boolean
  muted_actions: string[]
  muted_actors: string[]
  inherited: Record<string, string>
}

const preferencesOf = (who: string) => world.api<Preferences>(who, 'GET', '/notifications/preferences')

browserTest('a mode is saved at once, undone and reset', async ({ page }) => {
  await signIn(page, world, 'linus', [], 'preferences')
  await page.getByText('Default').first().waitFor()
  await page.getByRole('radio', { name: /Everything/ }).check()
  await page.getByText('“Everything” is in force.').waitFor()
  assert.equal((await preferencesOf('linus')).filter_mode, 'all')
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByText('Undone.').waitFor()
  assert.equal((await preferencesOf('linus')).inherited['filter_mode'], 'installation')
  await page.getByRole('radio', { name: /Everything/ }).check()
  await page.getByRole('button', { name: 'Reset the mode' }).click()
  await page.getByText('Reset: the mode.').waitFor()
  assert.equal((await preferencesOf('linus')).inherited['filter_mode'], 'installation')
})

browserTest('patterns are tested while they are written', async ({ page, allow }) => {
  allow(/status of 422/)
  await signIn(page, world, 'omar', [], 'preferences')
  await page.getByRole('radio', { name: /Chosen actions/ }).check()
  await page.getByText(/Add a pattern to switch/).waitFor()
  const field = page.getByLabel('Add a pattern').first()
  await field.fill('comment.*')
  await page.getByText(/actions? match(es)?; .*last 7 days/).waitFor()
  await page.getByRole('list', { name: 'Actions that match' }).getByText('comment.created').waitFor()
  await page.getByRole('link', { name: /Inbox/ }).first().click()
  await page.getByRole('heading', { name: 'Leave without saving?' }).waitFor()
  await page.getByRole('button', { name: 'Stay here' }).click()
  await field.fill('coment.created')
  await page.getByRole('button', { name: 'Use comment.created' }).click()
  await page.getByText(/1 action matches/).waitFor()
  await field.fill('x'.repeat(201))
  await page.getByText(/is longer than 200 bytes/).waitFor()
  await field.fill('comment.*')
  await field.press('Enter')
  await page.getByText('The patterns are saved.').waitFor()
  const now = await preferencesOf('omar')
  assert.deepEqual([now.filter_mode, now.custom_actions], ['custom', ['comment.*']])
  await field.fill('comment.*')
  await field.press('Enter')
  await page.getByText('comment.* is in the list already.').waitFor()
  await field.fill('')
  await page.getByRole('button', { name: 'Remove comment.*' }).click()
  await page.getByText('Without a pattern, no action notifies you.').waitFor()
})

browserTest('people and actions are muted, and notifications paused', async ({ page, allow }) => {
  allow(/status of 403/)
  await signIn(page, world, 'grace', [], 'preferences')
  await page.getByText('courier-bot', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Unmute courier-bot' }).click()
  await page.getByText('You have muted no one.').waitFor()
  const search = page.getByLabel('Find a person, agent or service')
  await search.fill('linus')
  await page.getByText('those who have notified you lately').waitFor()
  await page.getByRole('button', { name: 'Mute Linus Brandt' }).click()
  await page.getByRole('button', { name: 'Unmute Linus Brandt' }).waitFor()
  const actions = page.getByLabel('Add a pattern').last()
  await actions.fill('job.*')
  await actions.press('Enter')
  await page.getByText('The muted actions are saved.').waitFor()
  await page.getByRole('switch', { name: 'Pause notifications' }).click()
  await page.getByText('Notifications are paused.').waitFor()
  const now = await preferencesOf('grace')
  assert.deepEqual(now.muted_actors, [world.person('linus').id])
  assert.deepEqual([now.muted, now.muted_actions], [true, ['job.*']])
})

browserTest('operators set the defaults, which others inherit', async ({ page, newPage }) => {
  await signIn(page, world, 'ada', stage.operator_scopes, 'preferences')
  await page.getByRole('radio', { name: /Everything/ }).waitFor()
  let answer = () => {}
  const answered = new Promise<void>((resolve) => (answer = resolve))
  await page.route('**/v1/tenant/preferences', (route) => answered.then(() => route.continue()), { times: 1 })
  await page.getByRole('tab', { name: 'Defaults for everyone' }).click()
  await page.getByText('Loading the preferences').waitFor()
  assert.equal(await page.getByRole('radio').count(), 0, "the person's own are no defaults")
  answer()
  await page.getByRole('radio', { name: /Everything/ }).check()
  await page.getByText('“Everything” is in force.').waitFor()
  await forEachLook(page, async ({ name }) => {
    await screenshot(page, `preferences-defaults-${name}`)
    await axe(page)
  })
  const other = await newPage()
  await signIn(other, world, 'noor', [], 'preferences')
  await other.getByText('From your organization').first().waitFor()
  assert.ok(await other.getByRole('radio', { name: /Everything/ }).isChecked())
  await other.goto('/console/preferences/defaults')
  await other.getByText('You may not change the defaults').waitFor()
  await page.getByRole('button', { name: 'Reset the mode' }).click()
  await page.getByText('Reset: the mode.').waitFor()
})

browserTest('all looks', async ({ page }) => {
  await signIn(page, world, 'mei', [], 'preferences')
  await page
    .getByText(/actions match/)
    .first()
    .waitFor()
  await forEachLook(page, async ({ name }) => {
    await screenshot(page, `preferences-${name}`)
    await axe(page)
  })
})
