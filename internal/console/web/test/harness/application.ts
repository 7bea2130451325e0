// A page of an application that contains widgets. It is another page than the console.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { stage } from './stage.ts'
import type { World } from './world.ts'

const dist = process.env['FANFARE_CONSOLE_DIST'] ?? join(import.meta.dirname, '../../../dist')

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
  `connect-src 'self' ${new URL(stage.websocket_url).origin}; require-trusted-types-for 'script'`

export interface ApplicationOptions {
  /** The first token; default: a JWT of the person. `setToken` sets another one. */
  token?: string
  attributes?: string
  css?: string
  /** A module that replaces the one of the page, with all it imports. */
  module?: string
  script?: string
}

/** What the page keeps for the test. */
export interface ApplicationPage {
  /** What getToken returns; an empty text lets it throw. */
  token: string
  /** What getToken returns, and keeps, when it is asked for a fresh one; without it, the same as before. */
  fresh?: string
  /** The reasons for which a token was asked for. */
  asked: (string | undefined)[]
  /** The ids of the activities that were opened. */
  opened: string[]
}

/** Serves a page of an application that signs a person in by a JWT, and opens it. */
export async function openApplication(
  page: Page,
  world: World,
  person: string,
  body: string,
  options: ApplicationOptions = {},
): Promise<void> {
  await page.context().grantPermissions(['local-network-access']) // the page comes from no address
  const token = options.token ?? (await world.token(person))
  const kept: ApplicationPage = { token, asked: [], opened: [] }
  const files: Record<string, string> = {
    page: `<!doctype html><html ${options.attributes ?? 'lang="en"'}><head><title>Application</title>
      <meta name="color-scheme" content="light dark"><link rel="stylesheet" href="page.css">
      <script type="module" src="page.js"></script></head><body><main><h1>Application</h1>${body}</main></body></html>`,
    'page.css': `:root { color-scheme: light dark; font-family: sans-serif; }
      body { margin: 24px; background: canvas; color: canvastext; }
      header { display: flex; justify-content: end; gap: 24px; } section { margin-block: 24px; }
      ${options.css ?? ''}`,
    'application.js': `export const application = globalThis.application = ${JSON.stringify(kept)}
      addEventListener('fanfare-open', (event) => {
        application.opened.push(event.detail.activity.event_id)
        event.preventDefault()
      })
      export function getToken(reason) {
        application.asked.push(reason)
        if (reason && application.fresh) application.token = application.fresh
        if (application.token === '') throw new Error('signed out')
        return application.token
      }`,
    'page.js':
      options.module ??
      `import { setClient, createClient } from './fanfare-widgets.js'
      import { getToken } from './application.js'
      setClient(createClient({ getToken }))
      ${options.script ?? ''}`,
  }
  await page.route('**/application/**', async (route) => {
    const name = new URL(route.request().url()).pathname.replace('/application/', '')
    const text = files[name] ?? (await readFile(join(dist, 'widgets', name), 'utf8').catch(() => undefined))
    const type = name.endsWith('.js') ? 'text/javascript' : name.endsWith('.css') ? 'text/css' : 'text/html'
    await route.fulfill({
      status: text === undefined ? 404 : 200,
      headers: { 'content-type': `${type}; charset=utf-8`, 'content-security-policy': policy },
      body: text ?? '',
    })
  })
  await page.goto('/application/page')
}

/** Returns what the page keeps. */
export function application(page: Page): Promise<ApplicationPage> {
  return page.evaluate(() => (globalThis as unknown as { application: ApplicationPage }).application)
}

/** Lets the page's getToken return another token; with fresh, only when it is asked for a fresh one. */
export async function setToken(page: Page, token: string, options: { fresh?: boolean } = {}): Promise<void> {
  await page.evaluate(
    ({ token, fresh }) => {
      const { application } = globalThis as unknown as { application: ApplicationPage }
      if (fresh) application.fresh = token
      else application.token = token
    },
    { token, fresh: options.fresh ?? false },
  )
}

/** Tells a page that it is shown again, as when one returns to its tab: tabs of a headless browser are never hidden. */
export async function showAgain(page: Page): Promise<void> {
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
}
