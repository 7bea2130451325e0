// The details of an activity: its parts, what is copied, its audience; and exports.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { axe, browserTest, forEachLook, newWorld, openLine, screenshot, signIn, stage } from './harness/index.ts'

const world = await newWorld({ activities: 120, crowd: 60 })
const reader = ['activity:read']
const correlation = '01a22613-2fe0-7ae5-84db-633f5644b62f'
const started = {
  action: 'job.started',
  actor: 'ci',
  resource: 'atlas-nightly',
  payload: { job_id: 'j1' },
  fields: { correlation_id: correlation },
}
const failed = {
  ...started,
  action: 'job.failed',
  payload: { job_id: 'j1', error: 'no space' },
  fields: { correlation_id: correlation, status: 'failure' },
}
await world.deliver(started)
await world.deliver(failed)
const [id = ''] = await world.deliver({
  action: 'comment.created',
  actor: 'linus',
  resource: 'atlas-grip',
  targets: ['grace'],
  payloadJSON: `{"comment_id": "c", "body": "${'long text '.repeat(80)}", "amount": 9007199254740993,
    "nested": {"list": [1, {"deep": true}]}}`,
  fields: { message: 'See https://example.com/a. '.repeat(30), correlation_id: correlation, request_id: 'req-9' },
})
const drawer = (page: Page) => page.getByRole('complementary')
const tab = (page: Page, name: string) => page.getByRole('tab', { name })

async function open(page: Page, person = 'ada', scopes = stage.operator_scopes, part = ''): Promise<void> {
  await signIn(page, world, person, scopes, `activity/${id}${part && `?tab=${part}`}`)
  await tab(page, 'Details').waitFor()
}

/** noPicker removes the file picker, which only a person can answer. */
async function noPicker(page: Page): Promise<void> {
  await page.addInitScript(() => Reflect.deleteProperty(window, 'showSaveFilePicker'))
}

browserTest('the details have all fields, the payload to the digit, and long texts open', async ({ page }) => {
  await open(page)
  const d = drawer(page)
  await d.getByText('9007199254740993').waitFor()
  for (const text of ['req-9', correlation, id, world.person('linus').id, world.resource('atlas-grip').id]) {
    await d.getByText(text, { exact: true }).first().waitFor()
  }
  await d
    .getByRole('button', { name: /^Show all .* characters/ })
    .first()
    .click()
  await d.getByRole('button', { name: 'Show less' }).waitFor()
  await d.locator('.said').getByText('long text '.repeat(80).trim()).waitFor()
  const link = d.getByRole('link', { name: 'https://example.com/a' }).first()
  assert.equal(await link.getAttribute('rel'), 'noopener noreferrer nofollow')
  await d.getByRole('link', { name: world.resource('atlas-board').name, exact: true }).waitFor()
  await page.waitForFunction(() => /^(\(.*\) )?[^·]+ · Activity · Fanfare$/.test(document.title))
  await d.getByText('{ 1 }').or(d.getByText('[ 2 ]')).first().click()
  await forEachLook(
    page,
    async ({ name }) => {
      await tab(page, 'Details').waitFor()
      await screenshot(page, `activity-detail-${name}`)
      await axe(page)
    },
    { widths: [1440, 390] },
  )
})

browserTest('each field filters by its value', async ({ page }) => {
  await open(page)
  await page.getByRole('link', { name: 'Only this actor' }).click()
  await page.waitForURL(new RegExp(`activity\\?actor=${world.person('linus').id}`))
  await page.getByRole('button', { name: 'Remove Actor: Linus Brandt' }).waitFor()
  await page.goBack()
  await page.getByRole('link', { name: 'Only this correlation' }).click()
  await page.waitForURL(new RegExp(`correlation_id=${correlation}`))
  const rows = page.locator('ff-activity-timeline .row')
  await rows.nth(3).waitFor({ state: 'detached' })
  await rows.nth(2).waitFor()
})

browserTest('the correlation is a sequence, and the resource has a history', async ({ page }) => {
  await open(page)
  await tab(page, 'Sequence').click()
  await page.waitForURL(/tab=sequence/)
  await page.getByText(/^3 steps in /).waitFor()
  const steps = drawer(page).locator('ol > li')
  assert.match(await steps.nth(0).innerText(), /Job started[\s\S]*start/)
  assert.match(await steps.nth(1).innerText(), /failure[\s\S]*Job failed[\s\S]*\+\d/)
  assert.equal(await steps.nth(2).getByRole('link').getAttribute('aria-current'), 'step')
  await axe(page, { within: 'fanfare-console' })
  await steps.nth(0).getByRole('link').click()
  await page.getByRole('heading', { name: 'Job started' }).waitFor()
  await tab(page, 'History').click()
  await page.getByText(/Everything that happened to nightly/).waitFor()
  await page.getByRole('link', { name: 'Show it in the timeline' }).click()
  await page.waitForURL(new RegExp(`activity\\?resource=${world.resource('atlas-nightly').id}`))
})

browserTest('the audience shows who is notified, who is not, and why, in pages', async ({ page }) => {
  await open(page, 'ada', stage.operator_scopes, 'audience')
  const list = page.getByRole('list', { name: 'Audience' })
  await list.getByText('Grace Lindqvist').waitFor()
  await list.getByText('is the actor').waitFor()
  await page.getByRole('radio', { name: 'Not notified' }).check()
  await list.getByText('Linus Brandt').waitFor()
  await list.getByText('Grace Lindqvist').waitFor({ state: 'detached' })
  await page.getByRole('radio', { name: 'Notified', exact: true }).check()
  await list.getByText('Grace Lindqvist').waitFor()
  await page.getByRole('button', { name: 'Why: Grace Lindqvist' }).click()
  await list.getByText('Would be notified now.').waitFor()
  await list.getByText(/Role member on Atlas arm/).waitFor()
  await list.getByText(/rules in order/).click()
  await axe(page)

  const [wide = ''] = await world.deliver({
    action: 'comment.created',
    actor: 'ada',
    resource: 'all-hands',
    payload: { comment_id: 'c', body: 'b' },
  })
  await page.goto(`/console/activity/${wide}?tab=audience`)
  await page.getByRole('button', { name: 'Show more' }).click()
  await page.waitForFunction(() => document.querySelector('fanfare-console') !== null)
  await list.getByRole('listitem').nth(55).waitFor()
})

browserTest('who may not see the audience sees the decision about itself', async ({ page, allow }) => {
  allow(/status of 404/)
  await open(page, 'priya', [], 'audience')
  await page.getByText(/For you:/).waitFor()
  await page
    .locator('ff-explanation')
    .getByText(/notified/)
    .first()
    .waitFor()
})

browserTest('an activity that does not exist is missing', async ({ page, allow }) => {
  allow(/status of 404/)
  await signIn(page, world, 'ada', reader, 'activity/01a22613-2fe0-7ae5-84db-000000000000')
  await drawer(page).getByRole('alert').waitFor()
  await page.getByRole('button', { name: 'Close the details' }).click()
  await page.waitForURL(/activity$/)
})

browserTest('copies are a link, JSON, curl and SQL', async ({ page }) => {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await open(page)
  const copy = async (name: string): Promise<string> => {
    await drawer(page).getByRole('button', { name: 'Copy', exact: true }).click()
    await page.getByRole('menuitem', { name }).click()
    await page.getByText(`Copied: ${name}`).waitFor()
    return page.evaluate(() => navigator.clipboard.readText())
  }
  assert.equal(await copy('Permanent link'), `${stage.url}/console/activity/${id}`)
  assert.equal(
    await copy('As curl'),
    `curl -H "Authorization: Bearer $FANFARE_TOKEN" '${stage.url}/v1/activities/${id}'`,
  )
  assert.match(await copy('As SQL'), new RegExp(`tenant_id = '${world.tenant}' AND id = '${id}'`))
  assert.match(await copy('JSON'), /"amount": 9007199254740993/)
})

browserTest('an export saves the activities of the filter', async ({ page }) => {
  await noPicker(page)
  await signIn(page, world, 'ada', reader, `activity?correlation_id=${correlation}`)
  await page.getByRole('button', { name: 'Export' }).click()
  const dialog = page.locator('ff-export-dialog')
  await dialog.getByText(/^3 activities/).waitFor()
  await dialog.getByRole('radio', { name: 'JSON Lines' }).check()
  await axe(page)
  const download = page.waitForEvent('download')
  await dialog.getByRole('button', { name: 'Export' }).click()
  const file = await download
  assert.match(file.suggestedFilename(), /^activities-.*\.jsonl$/)
  const lines = (await readFile(await file.path(), 'utf8')).trim().split('\n')
  assert.equal(lines.length, 3)
  assert.match(lines[2] ?? '', /9007199254740993/)
  await dialog.getByText(/Saved 3 activities/).waitFor()
})

browserTest('with a file picker, the export streams into the file', async ({ page }) => {
  await page.addInitScript(() => {
    const pick = async () => (await navigator.storage.getDirectory()).getFileHandle('export.csv', { create: true })
    Object.assign(window, { showSaveFilePicker: pick })
  })
  await signIn(page, world, 'ada', reader, `activity?correlation_id=${correlation}`)
  await page.getByRole('button', { name: 'Export' }).click()
  const dialog = page.locator('ff-export-dialog')
  await dialog.getByRole('button', { name: 'Export' }).click()
  await dialog.getByText(/Saved 3 activities/).waitFor()
  const text = await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory()
    return (await (await root.getFileHandle('export.csv')).getFile()).text()
  })
  assert.equal(text.trim().split('\r\n').length, 4)
})

browserTest('an export is cancelled, and nothing is saved', async ({ page }) => {
  await noPicker(page)
  await signIn(page, world, 'ada', reader, 'activity')
  // The answer begins, and does not end before it is cancelled.
  await page.evaluate(() => {
    const real = globalThis.fetch
    globalThis.fetch = async (input, init) => {
      const response = await real(input, init)
      if (!(input instanceof Request) || !input.url.includes('/export')) return response
      const body = response.body?.pipeThrough(
        new TransformStream({
          flush: () =>
            new Promise((_, fail) => {
              input.signal.addEventListener('abort', () => fail(new DOMException('cancelled', 'AbortError')))
            }),
        }),
      )
      return new Response(body, response)
    }
  })
  const dialog = page.locator('ff-export-dialog')
  await page.getByRole('button', { name: 'Export' }).first().click()
  await dialog.getByRole('button', { name: 'Export' }).click()
  await dialog.getByText(/\d+ activities, [\d.]+ kB/).waitFor()
  let saved = false
  page.on('download', () => (saved = true))
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await dialog.getByRole('button', { name: 'Export' }).waitFor()
  assert.equal(saved, false)
})

browserTest('an export whose connection is cut says so, and leaves no file', async (scene) => {
  const { page, allow, allowOrigin } = scene
  allow(/ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION|ERR_EMPTY_RESPONSE/)
  const line = await openLine()
  try {
    allowOrigin(line.url)
    let saved = 0
    page.on('download', () => saved++)
    await noPicker(page)
    await signIn(page, world, 'ada', reader)
    await page.goto(`${line.url}/console/activity`)
    const dialog = page.locator('ff-export-dialog')
    await page.getByRole('button', { name: 'Export' }).first().click()
    line.hold('/v1/activities/export', 2000)
    const begun = page.waitForResponse(/activities\/export/)
    await dialog.getByRole('button', { name: 'Export' }).click()
    await begun
    line.cut()
    await dialog.getByText('The export ended early').waitFor()
    await dialog.getByText(/It stopped after \d+ activities, and nothing was saved/).waitFor()
    await axe(page)
    assert.equal(saved, 0)
    const download = page.waitForEvent('download')
    await dialog.getByRole('button', { name: 'Try again' }).click()
    const text = await readFile(await (await download).path(), 'utf8')
    assert.ok(text.endsWith('\r\n'))
    await dialog.getByText(/Saved \d+ activities/).waitFor()
  } finally {
    line.close()
  }
})

browserTest('while an export runs, another one is refused with what to do', async ({ page, allow }) => {
  allow(/status of 503/)
  await noPicker(page)
  await signIn(page, world, 'ada', reader, 'activity')
  const problem = {
    type: '/problems/busy',
    title: 'Busy',
    status: 503,
    detail: 'One export of the tenant runs.',
    request_id: 'r',
  }
  await page.route('**/v1/activities/export*', (route) =>
    route.fulfill({
      status: 503,
      headers: { 'Retry-After': '10', 'Content-Type': 'application/problem+json' },
      body: JSON.stringify(problem),
    }),
  )
  const dialog = page.locator('ff-export-dialog')
  await page.getByRole('button', { name: 'Export' }).first().click()
  await dialog.getByRole('button', { name: 'Export' }).click()
  await dialog.getByText('Another export is running').waitFor()
  await dialog.getByText(/Try again in 10 seconds/).waitFor()
  await page.unroute('**/v1/activities/export*')
  const download = page.waitForEvent('download')
  await dialog.getByRole('button', { name: 'Try again' }).click()
  await (await download).path()
})
