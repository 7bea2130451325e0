// The activity view: the query line, facets, the timeline, its states, and what each caller sees.
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { axe, browserTest, forEachLook, newWorld, screenshot, showAgain, signIn, sql, stage } from './harness/index.ts'

const world = await newWorld({ activities: 400, hostile: true })
const reader = ['activity:read']
const line = (page: Page) => page.getByRole('combobox', { name: 'Filter activities' })
const option = (page: Page, name: string | RegExp) => page.getByRole('option', { name })
const rows = (page: Page) => page.locator('ff-activity-timeline .row')
const chip = (page: Page, name: string | RegExp) => page.getByRole('button', { name })
const today = (page: Page) => page.getByRole('heading', { name: 'Today' })

async function search(page: Page): Promise<Record<string, string>> {
  return Object.fromEntries(new URL(page.url()).searchParams)
}

browserTest('the query line completes fields, actions, people, resources, choices and ages', async ({ page }) => {
  await signIn(page, world, 'ada', reader, 'activity')
  await today(page).waitFor()
  await page.keyboard.press('/')
  await line(page).pressSequentially('sev')
  await option(page, /^severity:/).waitFor()
  await option(page, /^action:/).waitFor({ state: 'hidden' }) // the list of all fields has gone
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  assert.equal(await line(page).inputValue(), 'severity:')
  await option(page, 'severity:warning').click()
  await page.waitForURL(/severity=warning/)
  await chip(page, 'Remove Severity: warning').waitFor()

  await line(page).fill('actor:lin')
  await option(page, /actor:Linus Brandt/).click()
  await page.waitForURL(new RegExp(`actor=${world.person('linus').id}`))
  await chip(page, 'Remove Actor: Linus Brandt').waitFor()

  await line(page).fill('resource:grip')
  await option(page, /Reduce grip latency/)
    .first()
    .click()
  await page.waitForURL(new RegExp(`resource=${world.resource('atlas-grip').id}`))

  await line(page).fill('since:24')
  await option(page, /since:24h/).click()
  await page.waitForURL(/since=24h/)

  await line(page).fill('action:comm')
  await option(page, /action:comment\.\*/).waitFor()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.waitForURL(/action=comment/)
  assert.equal(Object.keys(await search(page)).length, 5)
  await page.getByRole('button', { name: 'Clear the filter' }).click()
  await page.waitForURL(/activity$/)
})

browserTest('every kind of filter selects what the API selects', async ({ page }) => {
  await signIn(page, world, 'ada', reader, 'activity')
  const [id = ''] = await world.deliver({
    action: 'job.failed',
    actor: 'ci',
    resource: 'atlas-nightly',
    targets: ['grace'],
    payload: { job_id: 'j', error: 'broken' },
    fields: { message: 'the belt is torn', severity: 'error', status: 'failure', request_id: 'req-81' },
  })
  const a = await world.api<Record<string, string>>('ada', 'GET', `/activities/${id}`, undefined, reader)
  const lines = [
    'action:job.failed',
    `actor:${world.person('ci').id}`,
    `resource:${world.resource('atlas-nightly').id}`,
    'resource_type:job',
    `target:${world.person('grace').id}`,
    'severity:error',
    'status:failure',
    `category:${a['category']}`,
    'since:1h',
    `correlation_id:${a['correlation_id']}`,
    'request_id:req-81',
    'belt is torn',
  ]
  const row = rows(page).filter({ has: page.locator(`a[href*="${id}"]`) })
  for (const text of lines) {
    await line(page).fill(text)
    await page.keyboard.press('Escape')
    await line(page).press('Enter')
    await page.waitForURL(/\?/)
    await row.waitFor()
    await page.getByRole('button', { name: 'Clear the filter' }).click()
    await page.waitForURL(/activity$/)
  }
  await line(page).fill('until:12w')
  await line(page).press('Enter')
  await page.getByText('No activity matches').waitFor()
})

browserTest('faults are shown under the line, which stays as it was typed', async ({ page }) => {
  await signIn(page, world, 'ada', reader, 'activity')
  await today(page).waitFor()
  await line(page).fill('colour:red severity:loud actor:Grace')
  await line(page).press('Enter')
  await page.getByText('There is no field colour.').waitFor()
  await page.getByText('severity is one of info, warning, error, critical.').waitFor()
  await page.getByText(/actor is an id/).waitFor()
  assert.equal(await line(page).getAttribute('aria-invalid'), 'true')
  assert.equal(await line(page).inputValue(), 'colour:red severity:loud actor:Grace')
  await axe(page)
})

browserTest('the address holds the filter and the open activity; back and forward follow', async ({ page }) => {
  await signIn(page, world, 'ada', reader, 'activity?action=comment.*')
  await chip(page, 'Remove Action: comment.*').waitFor()
  await page.getByRole('button', { name: 'success', exact: false }).first().click()
  await page.waitForURL(/status=success/)
  await rows(page).first().getByRole('link').click()
  await page.getByRole('complementary').getByRole('tab', { name: 'Details' }).waitFor()
  const open = page.url()
  assert.match(open, /activity\/[0-9a-f-]{36}\?action=comment\.\*&status=success/)
  await page.goBack()
  await page.waitForURL(/activity\?action=comment\.\*&status=success/)
  await page.goBack()
  await chip(page, 'Remove Status: success').waitFor({ state: 'detached' })
  await page.goForward()
  await page.goForward()
  assert.equal(page.url(), open)
  await page.getByRole('tab', { name: 'Details' }).waitFor()
  await page.reload()
  await page.getByRole('tab', { name: 'Details' }).waitFor()
  await chip(page, 'Remove Status: success').waitFor()
  await page.keyboard.press('Escape')
  await page.waitForURL(/activity\?action/)
})

browserTest('facets count the log, and are collapsed on a small screen', async ({ page }) => {
  await signIn(page, world, 'ada', reader, 'activity')
  const warning = page.getByRole('list', { name: 'Severity' }).getByRole('button', { name: /^warning/ })
  await warning.waitFor()
  const counted = Number((await warning.innerText()).replace(/\D+/g, ''))
  const { count } = await world.api<{ count: number }>('ada', 'GET', '/audit/count?severity=warning', undefined, reader)
  assert.equal(counted, count)
  await page.setViewportSize({ width: 390, height: 844 })
  await warning.waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Filters' }).click()
  await warning.click()
  await page.waitForURL(/severity=warning/)
  await warning.waitFor({ state: 'detached' })
  await rows(page).first().waitFor()
})

browserTest(
  'j and k move through the rows, the timeline loads further pages, and the focus returns',
  async ({ page }) => {
    await signIn(page, world, 'ada', reader, 'activity')
    await today(page).waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.waitForURL(/activity\/./)
    const first = page.url()
    await page.getByRole('heading', { level: 2 }).first().waitFor()
    await page.keyboard.press('j')
    await page.waitForURL((url) => url.href !== first)
    await page.keyboard.press('Escape')
    await page.waitForURL(/activity$/)
    await page.waitForFunction(() => {
      let at: Element | null | undefined = document.activeElement
      while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement
      return at?.tagName === 'A' && at.closest('.row') !== null
    })
    const list = page.locator('ff-activity-timeline')
    const end = page.getByText('The first activity is reached.')
    for (let n = 0; n < 40 && !(await end.isVisible()); n++) {
      await list.evaluate((e) => e.scrollTo(0, e.scrollHeight))
      await page.waitForFunction(
        () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))),
      )
    }
    await end.waitFor()
    assert.ok((await rows(page).count()) < 80, 'only what is visible is rendered')
  },
)

browserTest(
  'a member without activity:read sees what it may see, and its facets say so',
  async ({ page, requests }) => {
    await signIn(page, world, 'noor', [], 'activity')
    await page.getByText('visible to you').waitFor()
    await page.getByText(/Counted in what is loaded: \d+ activities/).waitFor()
    assert.equal(await page.getByRole('button', { name: 'Export' }).count(), 0)
    assert.ok(!requests().some((url) => url.includes('/v1/audit')))
    const { items } = await world.api<{ items: { event_id: string }[] }>('noor', 'GET', '/activities?limit=1')
    await page.locator(`a[href*="${items[0]?.event_id}"]`).waitFor()
  },
)

browserTest('a role that is lost takes its activities away, also from what is shown', async ({ page, allow }) => {
  allow(/status of 404/)
  const lost = await newWorld()
  const update = { action: 'resource.updated', actor: 'ada', resource: 'fleet-eu-1', payload: { changes: ['a'] } }
  const [id = '', other = ''] = await lost.deliver(update, update)
  const shown = (one: string) => page.locator(`a[href*="/activity/${one}"]`)
  await signIn(page, lost, 'noor', [], 'activity?live=off')
  await shown(id).waitFor()
  await shown(other).waitFor()
  await sql(
    `DELETE FROM fanfare.role_bindings WHERE tenant_id = $1::uuid AND principal_id = $2::uuid`,
    lost.tenant,
    lost.person('noor').id,
  )
  await sql(
    `UPDATE fanfare.resources SET owner_principal_id = NULL
      WHERE tenant_id = $1::uuid AND owner_principal_id = $2::uuid`,
    lost.tenant,
    lost.person('noor').id,
  )
  await shown(id).click()
  await page.getByRole('complementary').getByText('This does not exist').waitFor()
  for (const one of [id, other]) await shown(one).waitFor({ state: 'detached' })
  await shown('').first().waitFor() // that the session was created
  await page.goto('/console/activity')

  // Another role, which ends while nothing is opened.
  await sql(
    `INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name)
     VALUES ($1::uuid, $2::uuid, $3::uuid, 'viewer')`,
    lost.tenant,
    lost.person('noor').id,
    lost.resource('billing').id,
  )
  const [invoice] = await lost.deliver({ ...update, resource: 'invoices', targets: ['noor'] })
  await shown(invoice ?? '').waitFor()
  const [seen] = await lost.deliver({ ...update, resource: 'billing' })
  await showAgain(page)
  await shown(seen ?? '').waitFor()
  await lost.revoke('noor')
  await showAgain(page)
  await shown(seen ?? '').waitFor({ state: 'detached' })
})

browserTest(
  'without activities, without matches, offline and after an error the view shows what to do',
  async ({ page, newPage, allow }) => {
    allow(/ERR_INTERNET_DISCONNECTED|status of 422|status of 401/)
    const bare = await newWorld({ bare: true })
    const empty = await newPage()
    await empty.goto('/console/activity')
    await empty.getByLabel('Token').fill(await bare.token('ada'))
    await empty.getByRole('button', { name: 'Sign in' }).click()
    await empty.getByText('No activities yet').waitFor()
    await axe(empty)

    await signIn(page, world, 'ada', reader, 'activity?action=comment.*&q=zebra')
    await page.getByText('No activity matches').waitFor()
    await screenshot(page, 'activity-no-match')
    await page.getByRole('button', { name: 'Without Text' }).click()
    await rows(page).first().waitFor()

    await page.goto('/console/activity?actor=unknown')
    await page.getByText('The activities could not be loaded').waitFor()
    await page.getByRole('button', { name: 'Clear the filter' }).last().click()
    await rows(page).first().waitFor()

    await page.context().setOffline(true)
    await page.getByRole('button', { name: /^comment\.created/ }).click()
    await page.getByText('The activities could not be loaded').waitFor()
    await page.context().setOffline(false)
    await rows(page).first().waitFor()
  },
)

browserTest('hostile texts are text', async ({ page }) => {
  await signIn(page, world, 'ada', reader, `activity?resource=${world.resource('atlas-grip').id}`)
  await page.getByText(`<img src=x onerror="globalThis.__owned='img'">`).first().waitFor()
  const { items } = await world.api<{ items: { event_id: string; action: string; payload: object }[] }>(
    'ada',
    'GET',
    `/audit?action=resource.updated&resource=${world.resource('atlas-grip').id}&limit=200`,
    undefined,
    reader,
  )
  const id = items.find((item) => 'wei' in item.payload)?.event_id
  await page.goto(`/console/activity/${id}`)
  await page.getByText('115792089237316195423570985008687907853269984665640564039457584007913129639935').waitFor()
  await page.getByText('9007199254740993', { exact: true }).waitFor()
  await page.getByText('0.1000000000000000055511151231257827021181583404541015625').waitFor()
  assert.equal(await page.evaluate(() => (globalThis as { __owned?: string }).__owned), undefined)
  assert.equal(await page.evaluate(() => (({}) as { polluted?: boolean }).polluted), undefined)
})

browserTest('no violation of accessibility, light and dark, in three widths', async ({ page }) => {
  await signIn(page, world, 'ada', stage.operator_scopes, 'activity')
  await today(page).waitFor()
  await forEachLook(page, async ({ name }) => {
    await rows(page).first().waitFor()
    await screenshot(page, `activity-${name}`)
    await axe(page)
  })
})
