// Signing in, and what every page of the console keeps to.
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { axe, browserTest, forEachLook, newWorld, screenshot, signIn, sql, stage } from './harness/index.ts'

const world = await newWorld({ activities: 20 })

const refused = /status of 401/ // the console's error for an answer that the test expects

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
  `connect-src 'self' ${new URL(stage.websocket_url).origin}; manifest-src 'self'; base-uri 'none'; ` +
  "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

function signInHeading(page: Page) {
  return page.getByRole('heading', { name: 'Sign in' })
}

function navigation(page: Page) {
  return page.getByRole('link', { name: /^Inbox/ }).first()
}

async function enterToken(page: Page, token: string): Promise<void> {
  await page.goto('/console/')
  await page.getByLabel('Token').fill(token)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

// stored returns everything that the page keeps where other pages and visits can read it.
async function stored(page: Page): Promise<string> {
  return page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href]),
  )
}

browserTest('a one-time link signs in, once', async ({ page, newPage, allow }) => {
  const { code, url } = await world.code('grace')
  await page.goto(url)
  await navigation(page).waitFor()
  assert.equal(new URL(page.url()).hash, '', 'the code leaves the address')
  const cookies = await page.context().cookies()
  assert.deepEqual(
    cookies.map(({ name, httpOnly, sameSite }) => ({ name, httpOnly, sameSite })),
    [{ name: 'fanfare_session', httpOnly: true, sameSite: 'Strict' }],
  )
  const kept = await stored(page)
  assert.ok(!kept.includes(code) && !kept.includes(cookies[0]?.value ?? '?'), `the page keeps no credential: ${kept}`)
  await page.reload()
  await navigation(page).waitFor()

  allow(refused)
  const again = await newPage()
  await again.goto(url)
  await signInHeading(again).waitFor()
  await again.getByText('was used already or has expired').waitFor()
})

browserTest('a wrong code leads to the sign-in page', async ({ page, allow }) => {
  allow(refused)
  await page.goto('/console/#code=AAAAAAAAAAAAAAAAAAAAAAAAAA')
  await signInHeading(page).waitFor()
  await page.getByText('was used already or has expired').waitFor()
  assert.equal(new URL(page.url()).hash, '')
})

browserTest('a wrong token is refused, a right one is kept in memory alone', async ({ page, allow }) => {
  allow(refused)
  await enterToken(page, 'ff_wrong')
  await page.getByText('This token is not valid here, or has expired.').waitFor()

  const token = await world.serviceToken('grace')
  await page.getByLabel('Token').fill(token)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await navigation(page).waitFor()
  const kept = await stored(page)
  assert.ok(!kept.includes(token), kept)
  assert.deepEqual(await page.context().cookies(), [])
  await page.reload()
  await signInHeading(page).waitFor()
})

browserTest('an expired JWT is refused', async ({ page, allow }) => {
  allow(refused)
  await enterToken(page, await world.token('grace', { lifetimeSeconds: -60 }))
  await page.getByText('This token is not valid here, or has expired.').waitFor()
})

browserTest('a session that ends leads to the sign-in page', async ({ page, allow }) => {
  allow(refused)
  await signIn(page, world, 'grace')
  await navigation(page).waitFor()
  await sql(
    `UPDATE fanfare.service_tokens SET revoked_at = now() WHERE tenant_id = $1::uuid AND principal_id = $2::uuid`,
    world.tenant,
    world.person('grace').id,
  )
  await page.reload()
  await signInHeading(page).waitFor()
})

interface Visit {
  path: string
  /** Waits until the view shows what it is about. */
  ready: () => Promise<void>
  /** Prepares a change, and makes it when the session has ended. */
  prepare?: () => Promise<void>
  change: () => Promise<void>
  /** The address after it, of which the view is shown again. */
  then: RegExp
}

browserTest('a session that ends in a view leads back to the view, and repeats no change', async ({ page, allow }) => {
  allow(refused)
  const [id = ''] = await world.deliver({
    action: 'comment.created',
    targets: ['ada'],
    fields: { message: 'Keep this row' },
  })
  await sql(
    `INSERT INTO fanfare.dead_letters
      (activity_id, lane, seq, tenant_id, resource_id, recorded_at, died_at, attempts, error)
     VALUES (gen_random_uuid(), 0, 1, $1::uuid, gen_random_uuid(), now(), now(), 10, 'too large')`,
    world.tenant,
  )
  const article = page.getByRole('article', { name: /Keep this row/ })
  const dead = page.getByRole('heading', { name: '1 dead letter matches, by error' })
  const visits: Visit[] = [
    {
      path: 'inbox?q=Keep+this',
      ready: () => article.waitFor(),
      change: () => article.getByRole('button', { name: 'Archive' }).click(),
      then: /inbox\?q=Keep\+this$/,
    },
    {
      path: `activity/${id}?action=comment.*&live=off`,
      ready: () => page.getByRole('complementary').getByText('Keep this row').first().waitFor(),
      change: async () => {
        await page.getByRole('combobox', { name: 'Filter activities' }).fill('severity:info')
        await page.keyboard.press('Enter')
      },
      then: /activity\/?[^?]*\?(?=.*action=comment\.\*)(?=.*severity=info)/,
    },
    {
      path: 'operations/dead?error=large',
      ready: () => dead.waitFor(),
      prepare: async () => {
        await page.getByRole('button', { name: 'Pause the refresh' }).click() // which would end the session too
        await page.getByRole('button', { name: 'Discard all that match…' }).click()
        await page.getByRole('button', { name: 'Discard 1', exact: true }).waitFor()
      },
      change: () => page.getByRole('button', { name: 'Discard 1', exact: true }).click(),
      then: /operations\/dead\?error=large$/,
    },
  ]
  const changes: string[] = []
  page.on('request', (request) => {
    const change = request.url().includes('/outbox/') || request.postData()?.includes('archived')
    if (request.method() !== 'GET' && change) changes.push(`${request.method()} ${new URL(request.url()).pathname}`)
  })
  for (const { path, ready, prepare, change, then } of visits) {
    await signIn(page, world, 'ada', stage.operator_scopes, path)
    await ready()
    await page.waitForLoadState('networkidle') // a request that is under way would end the session, too
    await prepare?.()
    await sql(
      `UPDATE fanfare.service_tokens SET revoked_at = now() WHERE tenant_id = $1::uuid AND principal_id = $2::uuid`,
      world.tenant,
      world.person('ada').id,
    )
    await change()
    await page.getByText('Your session has ended. Sign in to go on where you were.').waitFor()
    assert.match(page.url(), then)
    const address = page.url()
    await page.getByLabel('Token').fill(await world.serviceToken('ada', { scopes: stage.operator_scopes }))
    await page.getByRole('button', { name: 'Sign in' }).click()
    if (path.startsWith('activity')) await page.locator(`a[href*="/activity/${id}"]`).first().waitFor()
    else await ready()
    assert.equal(page.url(), address)
  }
  assert.deepEqual(
    changes.map((c) => c.replace(id, 'id')),
    ['PATCH /v1/notifications/id', 'POST /v1/outbox/dead/discard'],
    'each is sent once',
  )
})

browserTest('every page has the exact policy', async ({ page }) => {
  for (const path of ['', 'inbox', 'activity/x/y']) {
    const response = await page.request.get(`/console/${path}`)
    assert.equal(response.status(), 200, path)
    const headers = response.headers()
    assert.equal(headers['content-security-policy'], policy, path)
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['referrer-policy'], 'no-referrer')
  }
  assert.equal((await page.request.get('/console/assets/missing.js')).status(), 404)
})

browserTest('hostile activities are text in every view, and no other host is asked', async ({ page, requests }) => {
  const hostile = await newWorld({ activities: 30, hostile: true, trouble: true, crowd: 30 })
  page.on('dialog', (dialog) => assert.fail(`a dialog opens: ${dialog.message()}`))
  await signIn(page, hostile, 'grace', stage.operator_scopes)
  for (const link of await page.getByRole('navigation').getByRole('link').all()) {
    await link.click()
    await page.getByRole('heading', { level: 1 }).first().waitFor()
    assert.equal(await page.evaluate(() => (globalThis as { __owned?: string }).__owned), undefined)
    assert.equal(await page.evaluate(() => ({}) as { polluted?: boolean }).then((o) => o.polluted), undefined)
  }
  const origins = new Set(requests().map((url) => new URL(url).origin))
  origins.delete(new URL(stage.websocket_url).origin)
  assert.deepEqual([...origins], [stage.url])
})

browserTest('the sign-in page is accessible in both themes at three widths', async ({ page, allow }) => {
  allow(refused)
  await page.goto('/console/')
  await signInHeading(page).waitFor()
  await forEachLook(page, async ({ name }) => {
    await screenshot(page, `sign-in-${name}`)
    await axe(page)
  })
})
