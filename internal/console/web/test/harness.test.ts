// The harness finds what it is there to find.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { browser } from './harness/browser.ts'
import { axe, browserTest, cut, forEachLook, frames, memory, newWorld, restore, sql, stage } from './harness/index.ts'
import { watch, type Watch } from './harness/watch.ts'

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
  `connect-src 'self' ${new URL(stage.websocket_url).origin}; base-uri 'none'; require-trusted-types-for 'script'`

// serve answers requests of a page for paths below /console/harness/.
async function serve(page: Page, files: Record<string, string>): Promise<void> {
  await page.route('**/console/harness/*', (route) => {
    const name = new URL(route.request().url()).pathname.split('/').at(-1) ?? ''
    const body = files[name]
    return route.fulfill({
      status: body === undefined ? 404 : 200,
      contentType: name.endsWith('.js') ? 'text/javascript' : 'text/html; charset=utf-8',
      headers: { 'content-security-policy': policy },
      body: body ?? '',
    })
  })
}

const html = (body: string) =>
  `<!doctype html><html lang="en"><head><title>Harness</title></head><body>` +
  `<main><h1>Harness</h1>${body}</main></body></html>`

// found waits until a problem matches a pattern: the browser reports violations after the load of the page.
async function found(watching: Watch, pattern: RegExp): Promise<void> {
  const deadline = performance.now() + 5_000
  while (!pattern.test(watching.problems().join('\n')) && performance.now() < deadline) await setTimeout(10)
  assert.match(watching.problems().join('\n'), pattern)
}

test('a watch finds errors, violations and other hosts', async () => {
  const context = await (await browser()).newContext({ baseURL: stage.url })
  try {
    const watching = await watch(context)
    const page = await context.newPage()
    await serve(page, {
      page: html('<script>globalThis.inline = true</script><script src="script.js"></script>'),
      'script.js': `
        console.error('a message');
        fetch('https://example.com/elsewhere').catch(() => {});
        document.querySelector('h1').innerHTML = '<b>x</b>';`,
    })
    await page.goto('/console/harness/page')
    for (const pattern of [
      /console error: a message/,
      /uncaught error: .*TrustedHTML/s,
      /Content-Security-Policy violation: script-src-elem blocks inline/,
      /violation: connect-src blocks https:\/\/example.com/,
      /violation: require-trusted-types-for/,
    ]) {
      await found(watching, pattern)
    }
    await page.goto('https://example.com/').catch(() => {})
    await found(watching, /another host is asked: https:\/\/example.com\//)
    watching.allow(/./)
    assert.deepEqual(watching.problems(), [])
  } finally {
    await context.close()
  }
})

browserTest('axe-core runs under the policy of the page', async ({ page }) => {
  await serve(page, { good: html('<p>Text</p>'), bad: html('<img src="data:,"><input>') })
  await page.goto('/console/harness/good')
  const looks: string[] = []
  await forEachLook(page, async ({ name }) => {
    looks.push(name)
    await axe(page)
  })
  assert.equal(looks.length, 6)
  await page.goto('/console/harness/bad')
  await assert.rejects(axe(page), /image-alt/)
})

browserTest(
  'a connection is cut and restored',
  async ({ page }) => {
    await page.context().grantPermissions(['local-network-access']) // the page comes from no address
    await serve(page, {
      page: html('<output></output><script src="script.js"></script>'),
      'script.js': `
        const show = (text) => (document.querySelector('output').textContent = text);
        function connect() {
          const socket = new WebSocket(${JSON.stringify(stage.websocket_url)});
          socket.onopen = () => show('open');
          socket.onclose = () => { show('closed'); setTimeout(connect, 50); };
        }
        connect();`,
    })
    await page.goto('/console/harness/page')
    const output = page.locator('output')
    await output.filter({ hasText: 'open' }).waitFor()
    await cut(page)
    await output.filter({ hasText: 'closed' }).waitFor()
    await restore(page)
    await output.filter({ hasText: 'open' }).waitFor()
  },
  { cuttable: true },
)

browserTest('frames and memory are measured', async ({ page }) => {
  await serve(page, { page: html('<p>Text</p>') })
  await page.goto('/console/harness/page')
  const stop = await frames(page)
  await page.evaluate(() => {
    const end = performance.now() + 120
    while (performance.now() < end);
  })
  await page.waitForFunction(() => document.timeline.currentTime !== null)
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))))
  const measured = await stop()
  assert.ok(measured.frames > 0 && measured.max > 50, JSON.stringify(measured))
  assert.ok((await memory(page)).heap > 0)
})

test('a world has people, a history, and delivers what is recorded', async () => {
  const world = await newWorld({ activities: 50, hostile: true, trouble: true, crowd: 30 })
  const before = await world.api<{ unread_count: number }>('grace', 'GET', '/notifications/unread-count')
  assert.ok(before.unread_count > 0)
  const [id] = await world.deliver({
    action: 'resource.updated',
    targets: ['grace'],
    payloadJSON: '{"n": 9007199254740993}',
  })
  const after = await world.api<{ unread_count: number }>('grace', 'GET', '/notifications/unread-count')
  assert.equal(after.unread_count, before.unread_count + 1)
  const rows = await sql('SELECT payload::text FROM fanfare.activities WHERE id = $1::uuid', id)
  assert.deepEqual(rows, [{ payload: '{"n": 9007199254740993}' }])
  const stop = await world.load(100, { action: 'resource.updated' })
  assert.ok((await stop()) >= 0)
  await world.settle()
})
