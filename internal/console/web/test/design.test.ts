// The design page: every element in every state, in both themes and three widths.
import assert from 'node:assert/strict'
import { build, type Rolldown } from 'vite'
import { join } from 'node:path'
import { axe, browserTest, forEachLook, screenshot } from './harness/index.ts'

browserTest('every element of the design passes', async ({ page }) => {
  const configFile = join(import.meta.dirname, '../design/vite.config.ts')
  const built = (await build({ configFile, logLevel: 'error', build: { write: false } })) as Rolldown.RolldownOutput
  const files = new Map<string, string>(
    built.output.map((file) => [file.fileName, file.type === 'chunk' ? file.code : String(file.source)]),
  )
  await page.route('**/design/**', async (route) => {
    const name = new URL(route.request().url()).pathname.replace('/design/', '')
    const type = name.endsWith('.js') ? 'text/javascript' : name.endsWith('.css') ? 'text/css' : 'text/html'
    await route.fulfill({ status: files.has(name) ? 200 : 404, contentType: type, body: files.get(name) ?? '' })
  })
  await page.goto('/design/index.html')
  await page.getByRole('heading', { name: 'States' }).waitFor()
  await forEachLook(page, async ({ name }) => {
    await screenshot(page, `design-${name}`, { fullPage: true })
    await axe(page)
    const overflow = await page.locator('html').evaluate((root) => root.scrollWidth - innerWidth)
    assert.ok(overflow <= 0, `the page is ${overflow} px too wide`)
  })
  await page.getByRole('button', { name: 'Dialog' }).click()
  await page.getByRole('dialog').waitFor()
  await axe(page)
})
