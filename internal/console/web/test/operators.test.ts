// Retention, taxonomy, doctor and the first steps.
import assert from 'node:assert/strict'
import { axe, browserTest, forEachLook, newWorld, screenshot, signIn, sql, stage } from './harness/index.ts'

const world = await newWorld({ bare: true })
const operator = stage.operator_scopes
const admin = ['activity:admin']

browserTest(
  'limits are checked at their field, confirmed where they remove, and given back',
  async ({ page, allow }) => {
    allow(/status of 422/)
    await signIn(page, world, 'ada', admin, 'retention')
    const own = (name: string) =>
      page.getByRole('radiogroup', { name: `${name}: limit` }).getByRole('radio', { name: 'Custom' })
    const save = page.getByRole('button', { name: 'Save', exact: true })
    await own('Maximum age of activities').check()
    const days = page.getByLabel('Maximum age of activities, in days')
    await days.fill('some')
    await save.click()
    await page.getByText('Enter a whole number; 0 is no limit.').waitFor()
    assert.ok(await days.evaluate((input) => input.matches(':focus')))
    await days.fill('3')
    await save.click()
    await page.getByText('Enter at least the minimum age (7), or 0.').waitFor()
    await days.fill('400')
    await save.click()
    const dialog = page.locator('ff-retention-form ff-dialog')
    await dialog.getByText('no limit → 400 days').waitFor()
    await axe(page)
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await save.click()
    await dialog.getByRole('button', { name: 'Save, and remove' }).click()
    await page.getByText('The limits are saved.').waitFor()
    await page.getByRole('link', { name: 'Limits changed' }).waitFor()

    await own('Always keep activities for').check()
    await page.getByText('At least 7 days, as the installation says.').waitFor()
    const minimum = page.getByLabel('Always keep activities for, in days')
    await minimum.fill('2')
    await save.click()
    await page.getByText('Enter at least the installation’s minimum age (7).').waitFor()
    await minimum.fill('30')
    await save.click()
    await page.getByText('Not saved yet.').waitFor({ state: 'detached' })
    await page.getByText('At least 7 days, as the installation says.').waitFor()

    for (const name of ['Maximum age of activities', 'Always keep activities for']) {
      await page
        .getByRole('radiogroup', { name: `${name}: limit` })
        .getByRole('radio', { name: 'Default' })
        .check()
    }
    await save.click()
    await dialog.getByText('30 days → the installation’s limit').waitFor()
    await dialog.getByRole('button', { name: 'Save, and remove' }).click()
    await page.getByText('no limit').first().waitFor()
  },
)

browserTest('legal holds are listed with their reasons as text', async ({ page }) => {
  await sql(
    `INSERT INTO fanfare.legal_holds (id, tenant_id, reason, created_by)
    VALUES (gen_random_uuid(), $1::uuid, $2, $3::uuid)`,
    world.tenant,
    `<img src=x onerror="globalThis.__owned=1"> case 17`,
    world.person('ada').id,
  )
  await signIn(page, world, 'ada', admin, 'retention')
  await page.getByRole('cell', { name: /<img src=x .*case 17/ }).waitFor()
  await page.getByText(/^fanfare retention hold release [0-9a-f-]{36} --tenant/).waitFor()
  await page.getByRole('cell', { name: /by Ada Okafor/ }).waitFor()
  assert.equal(await page.evaluate(() => '__owned' in globalThis), false)
  await forEachLook(page, async ({ name }) => {
    await screenshot(page, `retention-${name}`)
    await axe(page)
  })
})

browserTest('the checks of doctor run, and run again', async ({ page, requests }) => {
  await signIn(page, world, 'ada', operator, 'doctor')
  await page.getByRole('heading', { name: 'PostgreSQL' }).waitFor()
  await page.getByRole('heading', { name: 'Centrifugo' }).waitFor()
  await page.getByText(/\d+ passed\. Examined/).waitFor()
  await forEachLook(page, async ({ name }) => {
    await screenshot(page, `doctor-${name}`)
    await axe(page)
  })
  const runs = () => requests().filter((url) => url.endsWith('/installation/doctor')).length
  const before = runs()
  await page.getByRole('button', { name: 'Run again' }).click()
  await page.getByRole('button', { name: 'Run again' }).and(page.locator(':enabled')).waitFor()
  assert.ok(runs() > before)
})

browserTest('a failed check is first, with its remedy', async ({ page, allow }) => {
  allow(/status of 503/)
  let fails = true
  await page.route('**/v1/installation/doctor', (route) => {
    if (fails) {
      fails = false
      return route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify(unavailable) })
    }
    return route.fulfill({ json: report })
  })
  await signIn(page, world, 'ada', operator, 'doctor')
  await page.getByRole('heading', { name: 'The checks could not be run' }).waitFor()
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.getByRole('heading', { name: 'Something is broken' }).waitFor()
  const first = page.getByRole('listitem').filter({ hasText: 'Failed' }).first()
  assert.match(await first.innerText(), /^Socket[\s\S]*<b>closed<\/b>\s+What to do/)
  await first.getByText('open it', { exact: true }).waitFor()
})

const unavailable = {
  type: '/problems/unavailable',
  title: 'Unavailable',
  status: 503,
  detail: 'Busy.',
  request_id: 'r',
}
const report = {
  ok: false,
  examined_at: '2026-03-01T12:00:00Z',
  checks: [
    { name: 'postgres-reachable', status: 'ok', detail: 'It answers.', remedy: '' },
    { name: 'centrifugo-api', status: 'ok', detail: 'It answers.', remedy: '' },
    { name: 'centrifugo-socket', status: 'fail', detail: '<b>closed</b>', remedy: 'open it' },
  ],
}

browserTest('first steps: a notification arrives live, and the lines have the ids of the caller', async ({ page }) => {
  await signIn(page, world, 'ada', operator, 'start')
  await page.getByText('Live', { exact: true }).first().waitFor()
  await page.getByRole('button', { name: 'Send me one' }).click()
  await page.getByText(/Arrived live after [\d.]+ (ms|s)\./).waitFor()
  await page.locator('ff-notification-row').getByRole('link').first().waitFor()
  for (const language of ['curl', 'Go', 'Python', 'SQL']) {
    await page.getByRole('tab', { name: language }).click()
    const text = await page.getByRole('group', { name: `the lines in ${language}` }).innerText()
    assert.ok(text.includes(world.person('ada').id), language)
    assert.ok(text.includes(world.resource('halden').id), language)
    assert.doesNotMatch(text, /ff_|eyJ/)
  }
  await page.getByText(/\d+ passed/).waitFor()
  await forEachLook(page, async ({ name }) => {
    await screenshot(page, `start-${name}`)
    await axe(page)
  })
})

browserTest('the lines of SQL record an activity', async ({ page }) => {
  await signIn(page, world, 'ada', [], 'start')
  const lines = page.getByRole('group', { name: 'the lines in SQL' })
  await lines.getByText(world.resource('halden').id).waitFor()
  const [, statement] = /(SELECT[\s\S]*);\s*COMMIT/.exec(await lines.innerText()) ?? []
  await sql(statement ?? '')
  await page.goto('/console/activity?action=hello.sent')
  await page.getByText('The first activity').first().waitFor()
})

browserTest('first steps are in the menu of the account, and need no scope', async ({ page, requests }) => {
  await signIn(page, world, 'ada', [], 'preferences')
  await page.getByRole('button', { name: /Ada Okafor/ }).click()
  await page.getByRole('menuitem', { name: 'First steps' }).click()
  await page.getByRole('heading', { name: 'See a notification arrive' }).waitFor()
  assert.equal(await page.getByRole('heading', { name: 'Check the installation' }).count(), 0)
  assert.deepEqual(
    requests().filter((url) => url.includes('/installation/')),
    [],
  )
})

browserTest('the taxonomy is searched, and an action opens by its address', async ({ page }) => {
  await signIn(page, world, 'ada', admin, 'taxonomy')
  await page.getByLabel('Search actions').fill('password reset')
  await page.keyboard.press('Enter')
  await page.getByLabel('Search actions').blur()
  await page.getByRole('link', { name: /auth.password.reset / }).click()
  await page.getByRole('heading', { name: 'auth.password.reset' }).waitFor()
  assert.match(page.url(), /taxonomy\/auth.password.reset\?q=password\+reset$/)
  await forEachLook(page, async ({ name }) => {
    await screenshot(page, `taxonomy-${name}`)
    await axe(page)
  })
  await page.goBack()
  await page.getByRole('heading', { name: 'auth.password.reset' }).waitFor({ state: 'hidden' })
  await page.goto('/console/taxonomy?q=nothing-like-this')
  await page.getByRole('button', { name: 'Clear the search' }).click()
  await page.getByRole('link', { name: /auth.password.reset / }).waitFor()
})

browserTest('a member, and an administrator without the scope, are refused', async ({ page, newPage, requests }) => {
  const member = await newPage()
  await signIn(member, world, 'ada', [], 'retention')
  await member.getByRole('heading', { name: 'You may not see Retention' }).waitFor()
  await member.goto('/console/taxonomy')
  await member.getByRole('heading', { name: 'You may not see Taxonomy' }).waitFor()
  await signIn(page, world, 'ada', admin, 'doctor')
  await page.getByRole('heading', { name: 'You may not see Doctor' }).waitFor()
  assert.deepEqual(
    requests().filter((url) => /\/v1\/(retention|taxonomy$|installation)/.test(url)),
    [],
  )
})
