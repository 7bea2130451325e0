// Following: the tree, its keys, levels, bulk changes, the list, and who else follows.
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import {
  axe,
  browserTest,
  cut,
  forEachLook,
  newWorld,
  restore,
  screenshot,
  showAgain,
  signIn,
  sql,
} from './harness/index.ts'

const world = await newWorld()
const hostile = '<img src=x onerror=alert(1)>\u202e gnp.exe'

// A folder of 2,000 documents, a chain of 40 folders, and a hostile name.
await sql(
  `INSERT INTO fanfare.resources (tenant_id, id, type, name, parent_id)
   SELECT $1::uuid, md5($1 || 'wide' || n)::uuid, 'document', 'Page ' || n, $2::uuid
   FROM generate_series(1, 2000) AS n`,
  world.tenant,
  world.resource('atlas-drafts').id,
)
await sql(
  `INSERT INTO fanfare.resources (tenant_id, id, type, name, parent_id)
   SELECT $1::uuid, md5($1 || 'deep' || n)::uuid, 'folder', 'Level ' || n,
     CASE n WHEN 1 THEN $2::uuid ELSE md5($1 || 'deep' || (n - 1))::uuid END FROM generate_series(1, 40) AS n`,
  world.tenant,
  world.resource('atlas-runbooks').id,
)
await sql(
  `INSERT INTO fanfare.resources (tenant_id, id, type, name, parent_id)
   VALUES ($1::uuid, gen_random_uuid(), 'document', $3, $2::uuid)`,
  world.tenant,
  world.resource('atlas-docs').id,
  hostile,
)

function row(page: Page, name: string | RegExp) {
  const title = typeof name === 'string' ? page.getByTitle(name, { exact: true }) : page.getByText(name)
  return page.getByRole('row').filter({ has: title })
}

async function open(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: `Open ${name}`, exact: true }).click()
  await page.getByRole('button', { name: `Close ${name}`, exact: true }).waitFor()
}

browserTest('the tree shows what is followed and changes it, with undo', async ({ page }) => {
  await signIn(page, world, 'grace', [], 'following')
  await page.getByRole('heading', { name: 'Following' }).waitFor()
  await open(page, 'Atlas arm')
  await open(page, 'Documents')
  await page.getByRole('button', { name: 'Through Atlas arm: Documents' }).waitFor()
  await page.getByRole('button', { name: 'Level of Drafts: Nothing' }).waitFor()
  await page.getByRole('button', { name: /Level of atlas-firmware: Chosen: 2 patterns/ }).waitFor()
  await open(page, 'atlas-firmware')
  await page.getByRole('button', { name: 'Level of nightly: Chosen: 2 patterns from atlas-firmware' }).click()
  await page.getByRole('menuitemradio', { name: /Same as atlas-firmware/ }).waitFor()
  await page.getByRole('menuitemradio', { name: /Nothing/ }).click()
  await page.getByRole('button', { name: 'Level of nightly: Nothing' }).waitFor()
  await page.getByText('Level of nightly: Nothing.').waitFor()
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByRole('button', { name: /Level of nightly: Chosen: 2 patterns from/ }).waitFor()

  await page.getByRole('button', { name: 'Through Atlas arm: Documents' }).click()
  const subscribed = page.waitForResponse((r) => r.request().method() === 'POST' && r.url().endsWith('/subscriptions'))
  await page.getByRole('menuitemradio', { name: /Follow this/ }).click()
  await page.getByRole('button', { name: 'Following: Documents' }).waitFor()
  await (await subscribed).finished()
  const { items } = await world.api<{ items: { resource_id: string }[] }>('grace', 'GET', '/subscriptions')
  assert.ok(items.some((s) => s.resource_id === world.resource('atlas-docs').id))
  await page.getByText(hostile).first().waitFor()
})

browserTest('the keys of the tree', async ({ page }) => {
  await signIn(page, world, 'linus', [], 'following')
  const atlas = row(page, 'Atlas arm')
  await atlas.focus()
  await page.keyboard.press('Home')
  await atlas.focus()
  await page.keyboard.press('ArrowRight')
  await row(page, 'Documents').waitFor()
  assert.equal(await atlas.getAttribute('aria-expanded'), 'true')
  await page.keyboard.press('ArrowDown')
  assert.equal(await page.evaluate(focusedRow), 'atlas-firmware')
  await page.keyboard.press('ArrowLeft')
  assert.equal(await page.evaluate(focusedRow), 'Atlas arm')
  await page.keyboard.press('ArrowLeft')
  await row(page, 'Documents').waitFor({ state: 'detached' })
  await page.keyboard.press('f')
  await page.getByRole('menuitemradio', { name: /Follow everything under it/ }).waitFor()
  await page.keyboard.press('Escape')
  await page.locator('ff-follow button.button:focus').waitFor()
  await page.keyboard.press('Escape')
  await page.keyboard.press(' ')
  await page.getByText('1 selected').waitFor()
  await atlas.focus()
  await page.keyboard.press('Enter')
  await page.getByRole('complementary', { name: 'Atlas arm' }).waitFor()
  await page.getByRole('list', { name: 'Who follows it' }).getByText('Grace Lindqvist').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('complementary', { name: 'Atlas arm' }).waitFor({ state: 'detached' })
})

// focusedRow returns the name of the focused row.
function focusedRow(): string {
  let at: Element | null = document.activeElement
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement
  return at?.querySelector('.title')?.textContent ?? ''
}

browserTest('wide and deep trees are read by pages', async ({ page }) => {
  await signIn(page, world, 'grace', [], 'following')
  for (const name of ['Atlas arm', 'Documents', 'Drafts']) await open(page, name)
  const treegrid = page.getByRole('treegrid')
  const rows = async () => Number(await treegrid.getAttribute('aria-rowcount'))
  await treegrid.and(page.locator('[aria-rowcount^="2"]')).waitFor() // a page of 200 children
  const before = await rows()
  await row(page, 'Drafts').focus()
  await page.keyboard.press('End')
  await page.keyboard.press('Home')
  assert.ok(before > 200 && before < 240, `${before} rows`)
  assert.ok((await page.getByRole('row').count()) < 80, 'only what is visible is rendered')
  await page.getByRole('button', { name: 'Close Drafts' }).click()
  await open(page, 'Runbooks')
  for (let n = 1; n < 40; n++) {
    await row(page, `Level ${n}`).focus()
    await page.keyboard.press('ArrowRight')
    await row(page, `Level ${n + 1}`).waitFor()
  }
  assert.equal(await row(page, 'Level 40').getAttribute('aria-level'), '43')
})

browserTest('several are changed at once, and what fails is named', async ({ page }) => {
  await signIn(page, world, 'priya', [], 'following')
  await open(page, 'Atlas arm')
  for (const name of ['Documents', 'Sprint 42', 'atlas-firmware']) {
    await page.getByRole('checkbox', { name: `Select ${name}` }).check()
  }
  await page.getByRole('checkbox', { name: 'Select Mercury console' }).check()
  await world.revoke('priya', 'mercury')
  await sql(
    'DELETE FROM fanfare.memberships WHERE tenant_id = $1::uuid AND principal_id = $2::uuid',
    world.tenant,
    world.person('priya').id,
  )
  await page.getByRole('button', { name: 'Follow', exact: true }).click()
  await page.getByRole('menuitem', { name: /And everything under them/ }).click()
  await page.getByText('1 could not be changed').waitFor()
  await page.getByText('Mercury console: It was removed').waitFor()
  await page.getByText('3 changed.').waitFor()
  await page.getByRole('button', { name: 'Following all: Documents' }).waitFor()
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByRole('button', { name: 'Follow: Documents' }).waitFor()
})

browserTest('the list has what is no longer visible', async ({ page, allow }) => {
  allow(/status of 404/)
  const id = world.resource('fleet').id
  await sql(
    'DELETE FROM fanfare.subscriptions WHERE tenant_id = $1::uuid AND principal_id = $2::uuid',
    world.tenant,
    world.person('zoe').id,
  )
  await sql(
    `INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id, scope)
     VALUES ($1::uuid, $2::uuid, $3::uuid, 'resource')`,
    world.tenant,
    world.person('zoe').id,
    id,
  )
  await sql(
    `INSERT INTO fanfare.watch_levels (tenant_id, principal_id, resource_id, level)
     VALUES ($1::uuid, $2::uuid, $3::uuid, 'all')`,
    world.tenant,
    world.person('zoe').id,
    id,
  )
  await signIn(page, world, 'zoe', [], 'following')
  await page.getByText('There is nothing to follow yet').waitFor()
  await page.getByRole('radio', { name: 'What I follow' }).check()
  await page.getByRole('heading', { name: 'No longer visible to you' }).waitFor()
  await page.getByRole('button', { name: `Unfollow ${id}` }).click()
  await page.getByText('You follow nothing yet').waitFor()
  await page.getByText('You no longer follow it.').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Undo' }).count(), 0, 'neither could be set again')
  for (const list of ['/subscriptions', '/watch-levels']) {
    assert.deepEqual((await world.api<{ items: unknown[] }>('zoe', 'GET', list)).items, [], list)
  }
})

browserTest('what a group follows is listed, and why it cannot be changed', async ({ page, allow }) => {
  allow(/status of 404/) // of who follows it
  await signIn(page, world, 'linus', [], 'following')
  await page.getByRole('radio', { name: 'What I follow' }).check()
  const runbooks = page.getByRole('button', { name: 'Through the group Platform team: Runbooks' })
  await runbooks.click()
  await page.getByText(/^Through the group Platform team\. The owner and the delegators of the resource/).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Level of Runbooks: My preferences' }).click()
  await page.getByRole('menuitemradio', { name: /Nothing/ }).click()
  await page.getByRole('button', { name: 'Level of Runbooks: Nothing' }).waitFor()
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByRole('button', { name: 'Level of Runbooks: My preferences' }).waitFor()

  await page.getByRole('checkbox', { name: 'Select Runbooks' }).check()
  await page.getByRole('button', { name: 'Unfollow', exact: true }).click()
  await page.getByText(/Runbooks: The owner and the delegators/).waitFor()
  await page.getByRole('button', { name: 'Who else follows Runbooks' }).click()
  await page.getByText(/The group Platform team follows it, and you are a member/).waitFor()
  await forEachLook(
    page,
    async ({ name }) => {
      await screenshot(page, `following-${name}-group`)
      await axe(page)
    },
    { themes: ['light'] },
  )
})

browserTest('search, forbidden followers, and all looks', async ({ page, allow }) => {
  allow(/status of 404/)
  await signIn(page, world, 'grace', [], 'following')
  await page.getByLabel('Search by name').fill('grip latency')
  await row(page, 'Reduce grip latency below 8 ms').waitFor()
  await axe(page)
  assert.match(page.url(), /q=grip/)
  await page.getByLabel('Search by name').fill('')
  await open(page, 'Atlas arm')
  await page.getByRole('button', { name: 'Who else follows Atlas arm' }).click()
  await page.getByText('Only the owner and the delegators').waitFor()
  await forEachLook(
    page,
    async ({ name }) => {
      await screenshot(page, `following-${name}-detail`)
      await axe(page)
    },
    { themes: ['light'] },
  )
  await page.keyboard.press('Escape')
  await forEachLook(page, async ({ name }) => {
    await screenshot(page, `following-${name}`)
    await axe(page)
  })
  await page.getByRole('radio', { name: 'What I follow' }).check()
  await row(page, 'Rotterdam').waitFor()
  await forEachLook(page, async ({ name }) => {
    await screenshot(page, `following-${name}-list`)
    await axe(page)
  })
})

browserTest(
  'two tabs show the same, and offline nothing is lost',
  async ({ page, newTab, allow }) => {
    allow(/ERR_INTERNET_DISCONNECTED/)
    await signIn(page, world, 'omar', [], 'following')
    await row(page, 'Atlas arm').waitFor()
    const other = await newTab(page)
    await other.goto('/console/following?show=list')
    await row(other, 'Atlas arm').waitFor()
    await page.getByRole('button', { name: 'Level of Billing: My preferences' }).click()
    await page.getByRole('menuitemradio', { name: /Everything/ }).click()
    await page.getByText('Level of Billing: Everything.').waitFor()
    await page.getByRole('button', { name: 'Follow: Fleet operations' }).click()
    await page.getByRole('menuitemradio', { name: /Follow this/ }).click()
    await page.getByText('You follow Fleet operations.').waitFor()
    await showAgain(other)
    await other.getByRole('button', { name: 'Level of Billing: Everything' }).waitFor()
    await other.getByRole('button', { name: 'Following: Fleet operations' }).waitFor()
    await other.getByRole('button', { name: 'Following: Fleet operations' }).click()
    await other.getByRole('menuitemradio', { name: /Do not follow/ }).click()
    await other.getByText('You no longer follow Fleet operations.').waitFor()
    await showAgain(page)
    await page.getByRole('button', { name: 'Follow: Fleet operations' }).waitFor()
    await other.close()

    await cut(page, { offline: true })
    await page.getByRole('button', { name: 'Level of Billing: Everything' }).click()
    await page.getByRole('menuitemradio', { name: /Nothing/ }).click()
    await page.getByText('Billing could not be changed').waitFor()
    await page.getByRole('button', { name: 'Level of Billing: Everything' }).waitFor()
    await page.getByRole('button', { name: 'Open Atlas arm', exact: true }).click()
    await page.getByText('What is under Atlas arm could not be loaded.').waitFor()
    await axe(page)
    await restore(page)
    await row(page, 'Documents').waitFor()
    await page.getByLabel('Search by name').fill('grip')
    await row(page, 'Reduce grip latency below 8 ms').waitFor()

    await page
      .getByRole('link', { name: /^Inbox/ })
      .first()
      .click()
    await page.getByRole('heading', { name: 'Inbox', exact: true }).waitFor()
    await cut(page, { offline: true })
    await page.getByRole('link', { name: 'Following' }).first().click()
    await page.getByText('What you follow could not be loaded').waitFor()
    await axe(page)
    await restore(page)
    await row(page, 'Billing').waitFor()
  },
  { cuttable: true },
)

browserTest(
  'more of each list is shown when it is asked for, and what fails is tried again',
  async ({ page, allow }) => {
    allow(/ERR_INTERNET_DISCONNECTED/)
    const wide = `SELECT $1::uuid, $2::uuid, md5($1 || 'wide' || n)::uuid`
    const zoe = world.person('zoe').id
    await sql(
      `INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name)
       ${wide}, 'viewer' FROM generate_series(1, 410) AS n`,
      world.tenant,
      zoe,
    )
    await sql(
      `INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id, scope)
       ${wide}, 'resource' FROM generate_series(1, 150) AS n`,
      world.tenant,
      zoe,
    )
    await signIn(page, world, 'zoe', [], 'following')
    const rows = (count: number) => page.locator(`[role=treegrid][aria-rowcount="${count}"]`).waitFor()
    const more = page.getByRole('button', { name: /^Show .*more$/ })
    await rows(200)
    await cut(page, { offline: true })
    await more.click()
    await page.getByText('More could not be loaded').waitFor()
    await rows(200) // what is shown stays
    await axe(page)
    await restore(page)
    await rows(400)
    await more.click()
    await rows(410)
    await more.waitFor({ state: 'detached' })
    await axe(page)

    await page.getByLabel('Search by name').fill('page')
    await rows(200)
    await more.click()
    await rows(400)
    await axe(page)

    await page.getByRole('radio', { name: 'What I follow' }).check()
    await rows(100)
    await more.click()
    await rows(150)
    await more.waitFor({ state: 'detached' })
    await axe(page)
  },
  { cuttable: true },
)
