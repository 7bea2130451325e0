// The example pages, of another origin than the API, with tokens of the application.
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { axe, browserTest, forEachLook, newWorld, screenshot, stage, type Scene } from './harness/index.ts'

const world = await newWorld({ activities: 120 })
const names = ['html', 'react', 'vue', 'german', 'arabic']

interface Visit {
  lifetimeSeconds?: number
}

/** Opens an example as Grace, whose colleague is Linus. */
async function open(scene: Scene, page: Page, name: string, visit: Visit = {}): Promise<void> {
  scene.allowOrigin(stage.examples_url)
  const project = world.resource('atlas')
  const session = {
    tenant_id: world.tenant,
    user: world.person('grace'),
    colleague: world.person('linus'),
    project: { id: project.id, name: project.name },
    lifetime_seconds: visit.lifetimeSeconds ?? 0,
  }
  const value = Buffer.from(JSON.stringify(session)).toString('base64url')
  await page.context().addCookies([{ name: 'session', value, url: stage.examples_url }])
  const response = await page.goto(`${stage.examples_url}/${name}/`)
  const policy = response?.headers()['content-security-policy'] ?? ''
  assert.match(policy, /default-src 'none'/)
  assert.doesNotMatch(policy, /unsafe/)
}

const bell = (page: Page) => page.locator('fanfare-inbox').getByRole('button', { name: /\d/ })

async function unread(page: Page): Promise<number> {
  const label = await bell(page).getAttribute('aria-label')
  return Number(/\d+/.exec(label ?? '')?.[0])
}

/** Waits until the bell shows a count. */
async function shows(page: Page, count: number): Promise<void> {
  await page
    .locator('fanfare-inbox')
    .getByRole('button', { name: new RegExp(`\\b${count}\\b`) })
    .waitFor()
}

/** Sends a comment of the colleague with the page's form. */
async function comment(page: Page, text: string): Promise<void> {
  await page.locator('textarea').fill(text)
  await page.locator('form .primary').click()
}

for (const name of names) {
  browserTest(`${name}: what a colleague does arrives in the bell and in the activity`, async (scene) => {
    const { page } = scene
    const sockets: string[] = []
    page.on('websocket', (socket) => sockets.push(socket.url()))
    await open(scene, page, name)
    await bell(page).waitFor()
    const rows = page.locator('fanfare-activity').getByRole('article')
    await rows.first().waitFor()
    const before = await unread(page)
    await comment(page, `Hello ${name} <b>now</b>`)
    await shows(page, before + 1)
    await rows
      .filter({ hasText: `Hello ${name} <b>now</b>` })
      .or(rows.filter({ hasText: 'Linus' }))
      .first()
      .waitFor()
    assert.equal(sockets.length, 1, `connections: ${sockets.join(', ')}`)

    await bell(page).click()
    const first = page.locator('fanfare-inbox').getByRole('article').first()
    await first.waitFor()
    await screenshot(page, `example-${name}-inbox`)
    await first.getByRole('button').first().click()
    await page.locator('.opened').filter({ hasText: /./ }).waitFor()
    await shows(page, before)

    await page.locator('nav a').last().click()
    await page.locator('fanfare-preferences').getByRole('switch').first().waitFor()
    await screenshot(page, `example-${name}-settings`)
  })
}

browserTest('a token that expires is replaced, and the request repeated', async (scene) => {
  const { page } = scene
  scene.allow(/status of 401/)
  const answered = page.waitForResponse((response) => response.url().endsWith('/token'))
  await open(scene, page, 'html', { lifetimeSeconds: 3 })
  const { token } = (await (await answered).json()) as { token: string }
  const { exp } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { exp: number }
  await bell(page).waitFor()
  const skew = 1500 // the stage accepts a token for a second more
  await page.waitForFunction((at) => Date.now() > at, exp * 1000 + skew)
  const refused = page.waitForResponse((response) => response.status() === 401)
  await bell(page).click()
  await refused
  await page.locator('fanfare-inbox').getByRole('article').first().waitFor()
  assert.equal(await page.locator('fanfare-inbox').getByRole('alert').count(), 0)
})

browserTest('the pages pass in both themes', async (scene) => {
  const { page } = scene
  for (const name of names) {
    await open(scene, page, name)
    await page.locator('fanfare-activity').getByRole('article').first().waitFor()
    await page.locator('fanfare-follow').getByRole('button').first().waitFor()
    const look = async (view: string) =>
      forEachLook(
        page,
        async (current) => {
          await screenshot(page, `example-${name}-${view}-${current.name}`)
          await axe(page)
          const overflow = await page.locator('html').evaluate((root) => root.scrollWidth - innerWidth)
          assert.ok(overflow <= 0, `${name}: the page is ${overflow} px too wide`)
        },
        { widths: name === 'html' ? [1440, 390] : [390] },
      )
    await look('project')
  }
  await page.goto(`${stage.examples_url}/html/#settings`)
  await page.locator('fanfare-preferences').getByRole('switch').first().waitFor()
  await axe(page)
  await page.goto(`${stage.examples_url}/`)
  await forEachLook(page, async () => axe(page), { widths: [390] })
})
