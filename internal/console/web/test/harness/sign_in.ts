// Signing in.
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { stage } from './stage.ts'
import type { World } from './world.ts'

/**
 * Signs a person of the world in by a session, and opens a path below /console/. The sign-in page
 * itself is the subject of sign_in.test.ts.
 */
export async function signIn(
  page: Page,
  world: World,
  person: string,
  scopes: string[] = [],
  path = '',
): Promise<void> {
  const { code } = await world.code(person, { scopes })
  // A page of the session that ends here would be answered 401.
  if (page.url() !== 'about:blank') await page.goto('about:blank')
  const response = await page.request.post(`${stage.url}/v1/session`, {
    data: { code },
    headers: { origin: stage.url },
  })
  assert.equal(response.status(), 204, `POST /v1/session: ${await response.text()}`)
  await page.goto(`/console/${path}`)
}
