// Operations: what it shows to whom, the charts, the lanes, and what it does with dead letters.
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { axe, browserTest, forEachLook, newWorld, screenshot, signIn, sql, stage } from './harness/index.ts'

const world = await newWorld({ activities: 40, trouble: true, crowd: 40 })
const operator = stage.operator_scopes
const admin = ['activity:admin']

/** Adds dead letters of activities that are not in the log. */
async function addDead(tenant: string, n: number, error: string): Promise<void> {
  await sql(
    `INSERT INTO fanfare.dead_letters
      (activity_id, lane, seq, tenant_id, resource_id, recorded_at, died_at, attempts, error)
    SELECT gen_random_uuid(), 0, n, $1::uuid, gen_random_uuid(),
      now() - interval '2 days', now() - interval '1 day', 10, $3
    FROM generate_series(1, $2::int) AS n`,
    tenant,
    String(n),
    error,
  )
}

function tab(page: Page, name: RegExp) {
  return page.getByRole('tab', { name })
}

browserTest('an operator sees in words, charts and tables how delivery goes', async ({ page }) => {
  await signIn(page, world, 'ada', operator, 'operations')
  await page.getByRole('heading', { name: '12 dead letters', exact: true }).waitFor()
  await page.getByText(/12 activities could not be delivered/).waitFor()
  await page.getByRole('link', { name: /Workers 1 All live/ }).waitFor()

  const chart = page.getByRole('img', { name: /^Throughput. Delivered: now/ })
  await chart.locator('svg path[stroke]').first().waitFor({ state: 'attached' })
  assert.match((await chart.locator('svg path[stroke]').first().getAttribute('d')) ?? '', /^M[\d.]+ [\d.]+/)
  await chart.focus()
  await page.keyboard.press('ArrowLeft')
  await page.getByText(/^\d\d:\d\d:\d\d: Delivered [\d.,]+\/s, Publications [\d.,]+\/s$/).waitFor({ state: 'attached' })
  assert.equal(await page.locator('ff-chart .cursor').count(), 4, 'all charts show the same time')

  const lanes = page.getByRole('group', { name: 'Lanes' }).getByRole('button')
  assert.equal(await lanes.count(), 64)
  await lanes.first().focus()
  await page.keyboard.press('ArrowRight')
  await page.getByText(/^Lane 1: /).waitFor()
  await page.getByRole('table').getByText('live', { exact: true }).waitFor()

  await page.getByRole('radio', { name: 'Table' }).check()
  await page.getByRole('columnheader', { name: 'Publications/s' }).first().waitFor()
  await page.getByRole('radio', { name: '15 min' }).check()
  await page.waitForURL(/\?as=table&span=15$/)
  await page.reload()
  await page.getByRole('columnheader', { name: 'Oldest' }).first().waitFor()
})

browserTest('the numbers follow what happens, and stand while they are paused', async ({ page }) => {
  const own = await newWorld({ bare: true })
  await signIn(page, own, 'ada', admin, 'operations')
  await page.getByRole('heading', { name: 'All is well' }).waitFor()
  await page.keyboard.press('p')
  await page.getByText('Paused').first().waitFor()
  await addDead(own.tenant, 1, 'broken')
  await page.keyboard.press('p')
  await page.getByRole('heading', { name: '1 dead letter', exact: true }).waitFor()
})

browserTest(
  'who may not read the installation sees the tenant, and no request is refused',
  async ({ page, requests }) => {
    await signIn(page, world, 'ada', admin, 'operations')
    await page.getByText('They need the scope installation:read').waitFor()
    await page.getByRole('heading', { name: 'Lanes, your tenant' }).waitFor()
    assert.equal(await page.getByRole('img', { name: /Throughput/ }).count(), 0)
    assert.deepEqual(
      requests().filter((url) => url.includes('/v1/installation/')),
      [],
    )
    await axe(page)
  },
)

browserTest('a member may not see it', async ({ page, requests }) => {
  await signIn(page, world, 'grace', [], 'operations/dead')
  await page.getByRole('heading', { name: 'You may not see Operations' }).waitFor()
  assert.deepEqual(
    requests().filter((url) => url.includes('/v1/outbox')),
    [],
  )
})

browserTest('dead letters are filtered by the address, and show hostile errors as text', async ({ page }) => {
  await signIn(page, world, 'ada', operator, 'operations/dead')
  await page.getByText(`render the summary: <script>globalThis.__owned='error'</script> is no field`).first().waitFor()
  await page.getByRole('heading', { name: '12 dead letters, by error' }).waitFor()
  await page.getByLabel('Error contains').fill('statement timeout')
  await page.keyboard.press('Enter')
  await page.getByLabel('Error contains').blur()
  await page.getByRole('heading', { name: '4 dead letters match, by error' }).waitFor()
  assert.match(page.url(), /dead\?error=statement\+timeout$/)
  await page.getByRole('link', { name: /resolve the audience/ }).click()
  await page.getByText('error is').waitFor()
  await page.goBack()
  await page.getByText('error is').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Clear the filter' }).click()
  await page.getByRole('heading', { name: '12 dead letters, by error' }).waitFor()
  await page.goto('/console/operations/dead?action=nothing.*')
  await page.getByRole('heading', { name: 'No dead letter matches' }).waitFor()
  assert.equal(await page.evaluate(() => '__owned' in globalThis), false)
})

browserTest('parked activities and fan-out jobs say what they wait for', async ({ page }) => {
  await signIn(page, world, 'ada', operator, 'operations/parked')
  await page.getByText('publish to resource:…: Centrifugo: 100: internal server error').waitFor()
  await page.getByText('waits for an earlier activity of the resource').first().waitFor()
  await page.getByRole('switch', { name: 'Only those that failed' }).click()
  await page.getByText('waits for an earlier activity').first().waitFor({ state: 'detached' })
  assert.match(page.url(), /failing=true/)
  await tab(page, /Fan-out jobs/).click()
  await page.getByRole('progressbar', { name: /Waits for its next attempt/ }).waitFor()
  await page.getByText(/\d+ notified, about \d+ % of \d+ examined/).waitFor()
})

browserTest('one dead letter is replayed, and a group is discarded after its count is confirmed', async ({ page }) => {
  const own = await newWorld({ trouble: true })
  await signIn(page, own, 'ada', operator, 'operations/dead')
  await page.getByRole('button', { name: 'Replay resource.updated of Webhook to the warehouse' }).first().click()
  await page.getByText('resource.updated is in the outbox again.').waitFor()
  await page.getByRole('heading', { name: '11 dead letters, by error' }).waitFor()

  await page.getByRole('button', { name: 'Discard these 6' }).click()
  const dialog = page.locator('ff-bulk-dialog')
  await dialog.getByRole('heading', { name: 'Discard 6 dead letters?' }).waitFor()
  await dialog
    .getByText(/^fanfare outbox discard --error-kind 'publish to user:.*' --action job.failed --tenant/)
    .waitFor()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  await page.getByRole('button', { name: 'Discard these 6' }).click()
  await dialog.getByRole('button', { name: 'Discard 6', exact: true }).click()
  await dialog.getByRole('heading', { name: 'Discarded 6 dead letters' }).waitFor()
  await dialog.getByRole('button', { name: 'Close' }).last().click()
  await page.getByRole('heading', { name: '5 dead letters, by error' }).waitFor()

  await page.getByRole('button', { name: 'Replay all…' }).click()
  await dialog.getByRole('button', { name: 'Replay 5' }).click()
  await dialog.getByRole('heading', { name: 'Replayed 5 dead letters' }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('heading', { name: 'No dead letters' }).waitFor()
  await own.settle()
  const [row] = await sql<{ n: string }>(
    `SELECT string_agg(action, ' ' ORDER BY action) AS n FROM fanfare.activities
    WHERE tenant_id = $1::uuid AND action LIKE 'outbox.%' AND actor_principal_id = $2::uuid`,
    own.tenant,
    own.person('ada').id,
  )
  assert.match(row?.n ?? '', /^outbox.discarded( outbox.replayed)+$/)
})

browserTest('a change of many is stopped half way, fails in part, and goes on', async ({ page, allow }) => {
  allow(/status of 500/)
  const own = await newWorld({ bare: true })
  await addDead(own.tenant, 1700, 'too large')
  const left = async (): Promise<number> => {
    const [row] = await sql<{ n: number }>(
      `SELECT count(*)::int AS n FROM fanfare.dead_letters WHERE tenant_id = $1::uuid`,
      own.tenant,
    )
    return row?.n ?? -1
  }
  await signIn(page, own, 'ada', admin, 'operations/dead')
  let release = (): void => {}
  const held = new Promise<void>((done) => (release = done))
  let n = 0
  await page.route('**/v1/outbox/dead/discard', async (route) => {
    n++
    if (n === 2) await held
    if (n === 3) {
      await route.fulfill({ status: 500, contentType: 'application/problem+json', body: JSON.stringify(broken) })
    } else await route.continue()
  })
  await page.getByRole('button', { name: 'Discard all…' }).click()
  const dialog = page.locator('ff-bulk-dialog')
  await dialog.getByRole('heading', { name: 'Discard 1,700 dead letters?' }).waitFor()
  await dialog.getByRole('button', { name: 'Discard 1,700' }).click()
  await dialog.getByText('500 of 1,700').waitFor()
  await dialog.getByRole('button', { name: 'Stop' }).click()
  release()
  await dialog.getByText('Discarded 1,000; 700 are left as they were.').waitFor()
  assert.equal(await left(), 700)
  await axe(page)
  await dialog.getByRole('button', { name: 'Go on' }).click()
  await dialog.getByText(/Discarded 1,000 before the error; 700 are left as\s+they were\. .*the-request/).waitFor()
  assert.equal(await left(), 700)
  await dialog.getByRole('button', { name: 'Go on' }).click()
  await dialog.getByRole('heading', { name: 'Discarded 1,700 dead letters' }).waitFor()
  assert.equal(await left(), 0)
})

const broken = {
  type: '/problems/internal',
  title: 'Internal error',
  status: 500,
  detail: 'It failed.',
  request_id: 'the-request',
}

browserTest('a part that fails leaves the others, and is tried again', async ({ page, allow }) => {
  allow(/status of 500/)
  await page.route('**/v1/installation/history*', (route) =>
    route.fulfill({ status: 500, contentType: 'application/problem+json', body: JSON.stringify(broken) }),
  )
  await signIn(page, world, 'ada', operator, 'operations')
  await page.getByRole('heading', { name: 'The history could not be loaded' }).waitFor()
  await page.getByText('the-request').waitFor()
  await page.getByRole('group', { name: 'Lanes' }).waitFor()
  await page.unroute('**/v1/installation/history*')
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.getByRole('img', { name: /Throughput/ }).waitFor()
})

browserTest('every tab passes axe', async ({ page }) => {
  await signIn(page, world, 'ada', operator, 'operations')
  for (const [name, ready] of [
    ['overview', 'Workers'],
    ['dead', '12 dead letters, by error'],
    ['parked', ''],
    ['jobs', ''],
  ] as const) {
    if (name !== 'overview') await page.goto(`/console/operations/${name}`)
    if (ready) await page.getByRole('heading', { name: ready }).waitFor()
    else await page.locator('.panel li').first().waitFor()
    const looks = name === 'overview' ? {} : { widths: [390] }
    await forEachLook(
      page,
      async (look) => {
        await screenshot(page, `operations-${name}-${look.name}`)
        await axe(page)
      },
      looks,
    )
  }
})
