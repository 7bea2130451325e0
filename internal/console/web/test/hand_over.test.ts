// An application that frames or opens the console, and hands its JWT over.
import assert from 'node:assert/strict'
import type { Frame, Page } from 'playwright-core'
import { browserTest, newWorld, stage, type Scene } from './harness/index.ts'

const world = await newWorld({ activities: 5 })

const refused = /status of 401/ // of the request without a credential, with which the console begins

type Way = 'frame' | 'opener'

/** What the application does, and what it saw. */
interface Application {
  /** The console's requests for a token: their origin, reason and other fields. */
  asked: string[]
}

// embed lets a page of an application frame or open a console. The application answers requests
// for a token with the given ones, the last for all that follow.
async function embed(
  { page }: Scene,
  application: string,
  console: string,
  way: Way,
  tokens: string[],
): Promise<Frame> {
  await page.goto(`${application}/`)
  const popup = way === 'opener' ? page.waitForEvent('popup') : undefined
  await page.evaluate(
    ({ console, way, tokens }) => {
      const kept: Application = { asked: [] }
      Object.assign(globalThis, { __application: kept })
      window.addEventListener('message', (event: MessageEvent<{ type: string }>) => {
        if (event.data.type !== 'fanfare.token-request') return
        const token = tokens[Math.min(kept.asked.length, tokens.length - 1)]
        kept.asked.push(JSON.stringify([event.origin, event.data]))
        ;(event.source as Window).postMessage({ type: 'fanfare.token', token }, event.origin)
      })
      if (way === 'opener') {
        window.open(`${console}/console/`)
        return
      }
      const frame = document.createElement('iframe')
      frame.src = `${console}/console/`
      frame.title = 'Console'
      frame.width = '1200'
      frame.height = '700'
      document.body.append(frame)
    },
    { console, way, tokens },
  )
  if (popup) return (await popup).mainFrame()
  const found = await (await page.waitForSelector('iframe')).contentFrame()
  assert.ok(found)
  return found
}

// asked returns the console's requests for a token, as the application received them.
async function asked(page: Page): Promise<string[]> {
  return page.evaluate(() => (globalThis as unknown as { __application: Application }).__application.asked)
}

function request(reason: 'start' | 'expired'): string {
  return JSON.stringify([stage.embedded_url, { type: 'fanfare.token-request', reason }])
}

// others permits what these tests ask beside the stage's own origin.
function others({ allow, allowOrigin }: Scene): void {
  allow(refused)
  allowOrigin(stage.application_url)
  allowOrigin(stage.embedded_url)
}

for (const way of ['frame', 'opener'] as const) {
  browserTest(`an application hands its JWT over: ${way}`, async (scene) => {
    others(scene)
    const token = await world.token('grace')
    const console = await embed(scene, stage.application_url, stage.embedded_url, way, [token])
    await console
      .getByRole('link', { name: /^Inbox/ })
      .first()
      .waitFor()
    assert.deepEqual(await asked(scene.page), [request('start')])
    const kept = await console.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href]),
    )
    assert.ok(!kept.includes(token), `the console keeps the token in memory alone: ${kept}`)
    assert.deepEqual(await scene.page.context().cookies(), [])
  })

  browserTest(`an expired JWT is replaced by the application: ${way}`, async (scene) => {
    others(scene)
    const tokens = [await world.token('grace', { lifetimeSeconds: -60 }), await world.token('grace')]
    const console = await embed(scene, stage.application_url, stage.embedded_url, way, tokens)
    await console
      .getByRole('link', { name: /^Inbox/ })
      .first()
      .waitFor()
    assert.deepEqual(await asked(scene.page), [request('start'), request('expired')])
  })
}

// The same server at another origin, which --console-origins does not name.
const stranger = stage.application_url.replace('localhost', '127.0.0.1')

browserTest('the console takes no token of another origin that opens it', async (scene) => {
  others(scene)
  scene.allowOrigin(stranger)
  scene.allow(/Failed to execute 'postMessage' on 'DOMWindow'/) // the console asks named origins only
  const token = await world.token('grace')
  const console = await embed(scene, stranger, stage.embedded_url, 'opener', [token])
  await console.getByRole('heading', { name: 'Sign in' }).waitFor()
  assert.deepEqual(await asked(scene.page), [])
})

browserTest('a page of another origin cannot frame the console', async (scene) => {
  others(scene)
  scene.allowOrigin(stranger)
  scene.allow(/frame-ancestors/)
  for (const [application, console] of [
    [stranger, stage.embedded_url],
    [stage.application_url, stage.url],
  ] as const) {
    const refusal = scene.page.waitForEvent('console', (message) => /frame-ancestors/.test(message.text()))
    await embed(scene, application, console, 'frame', [])
    await refusal
  }
})

browserTest('a console without such origins is cut off from a page that opens it', async (scene) => {
  others(scene)
  const console = await embed(scene, stage.application_url, stage.url, 'opener', [await world.token('grace')])
  await console.getByRole('heading', { name: 'Sign in' }).waitFor()
  assert.equal(await console.evaluate(() => window.opener as unknown), null)
  assert.deepEqual(await asked(scene.page), [])
})
