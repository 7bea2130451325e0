// The API reference at /v1/docs.
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { axe, browserTest, forEachLook, newWorld, screenshot, signIn, stage } from './harness/index.ts'

interface Operation {
  operationId: string
  summary: string
  tags: [string, ...string[]]
}

interface Description {
  paths: Record<string, Record<string, Operation>>
}

const world = await newWorld({ activities: 20 })

async function open(page: Page, hash = ''): Promise<void> {
  await page.goto(`/v1/docs${hash}`)
  await page.getByRole('heading', { level: 1, name: 'Fanfare API' }).waitFor({ timeout: 45_000 })
}

const document = (await (await fetch(`${stage.url}/v1/openapi.json`)).json()) as Description
const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods))
const groups = [...new Set(operations.map(({ tags }) => tags[0]))]

browserTest('every operation is listed once, in its group', async ({ page }) => {
  await open(page)
  assert.deepEqual(await page.getByRole('main').getByRole('heading', { level: 2 }).allTextContents(), [
    ...groups,
    'Problem types',
  ])
  const summaries = await page.locator('main h3 > button .title').allTextContents()
  assert.deepEqual(summaries.toSorted(), operations.map(({ summary }) => summary).toSorted())
  const links = await page.locator('nav li a > span:last-child').allTextContents()
  assert.deepEqual(links.toSorted(), summaries.toSorted())
})

/** The document with the operations of a group alone, whose page renders at once. */
function only(group: string): Description {
  const paths = Object.entries(document.paths).map(([path, methods]) => {
    const own = Object.entries(methods).filter(([, { tags }]) => tags[0] === group)
    return [path, Object.fromEntries(own)] as const
  })
  return { ...document, paths: Object.fromEntries(paths.filter(([, own]) => Object.keys(own).length > 0)) }
}

for (const group of groups) {
  browserTest(`each operation of ${group} opens`, async ({ page }) => {
    await page.route('**/v1/openapi.json', (route) => route.fulfill({ json: only(group) }))
    await open(page)
    const ids = operations.filter(({ tags }) => tags[0] === group).map(({ operationId }) => operationId)
    for (const id of ids) await page.locator(`#operation-${id}`).evaluate((button) => (button as HTMLElement).click())
    const successes = page.locator('.opblock.is-open tr.response[data-code^="2"]')
    await successes.nth(ids.length - 1).waitFor({ timeout: 45_000 })
    const text = await page.getByRole('main').innerText()
    assert.doesNotMatch(text, /could not render|unknown type|\$ref|undefined/i)
  })
}

browserTest('a link opens an operation, the filter finds it, and the keyboard suffices', async ({ page }) => {
  await open(page, '#/Notifications/list-notifications')
  await page.locator('#operation-list-notifications[aria-expanded="true"]').waitFor()
  await page.getByRole('searchbox', { name: 'Filter operations' }).fill('dry-run')
  await page.getByRole('status').getByText('1 found').waitFor()
  await page.locator('nav li a').focus()
  await page.keyboard.press('Enter')
  const button = page.locator('#operation-dry-run-activity')
  await page.locator('#operation-dry-run-activity[aria-expanded="true"]:focus').waitFor()
  assert.match(page.url(), /#\/Activities\/dry-run-activity$/)
  await button.press('Enter')
  await page.locator('#operation-dry-run-activity[aria-expanded="false"]').waitFor()
})

browserTest('"Try it out" sends the session, or a token', async ({ page, newPage, allow }) => {
  await signIn(page, world, 'grace')
  await open(page, '#/Session/get-me')
  await request(page)
  await page.locator('.live-responses-table').getByText('Grace').first().waitFor()

  const other = await newPage()
  allow(/status of 401/)
  await open(other)
  await other.locator('#operation-get-me').click()
  await request(other)
  await other.locator('.live-responses-table .response-col_status').getByText('401').waitFor()
  await other.getByRole('button', { name: 'Authorize' }).click()
  const dialog = other.locator('.modal-ux')
  await dialog.locator('input').fill(await world.token('linus'))
  await dialog.getByRole('button', { name: 'Authorize' }).click()
  await dialog.getByRole('button', { name: 'Logout' }).waitFor()
  await dialog.getByRole('button', { name: 'Close' }).last().click()
  await other.getByRole('button', { name: 'Execute' }).click()
  await other.locator('.live-responses-table').getByText('Linus').first().waitFor()
  assert.equal(await other.evaluate(() => Object.keys(localStorage).length + Object.keys(sessionStorage).length), 0)
})

async function request(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Try it out' }).click()
  await page.getByRole('button', { name: 'Execute' }).click()
}

// look checks a page in each theme and at each width.
async function look(page: Page, name: string): Promise<void> {
  await forEachLook(page, async (current) => {
    await screenshot(page, `reference-${name}-${current.name}`)
    await axe(page)
    const overflow = await page.locator('html').evaluate((root) => root.scrollWidth - innerWidth)
    assert.ok(overflow <= 0, `the page is ${overflow} px too wide`)
  })
}

browserTest('the list is accessible, in each theme and at each width', async ({ page }) => {
  await open(page)
  await look(page, 'list')
})

browserTest('a response is accessible', async ({ page, allow }) => {
  allow(/status of 401/)
  await open(page, '#/Session/get-me')
  await request(page)
  await page.locator('.live-responses-table').waitFor()
  await look(page, 'response')
})

browserTest('a body is accessible', async ({ page }) => {
  await open(page, '#/Activities/record-activities')
  await page.getByRole('button', { name: 'Try it out' }).click()
  await page.locator('textarea').waitFor()
  await look(page, 'body')
})

browserTest('the dialog of the credentials is accessible', async ({ page }) => {
  await open(page)
  await page.getByRole('button', { name: 'Authorize' }).click()
  await page.locator('.modal-ux').waitFor()
  await look(page, 'credentials')
})
