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
