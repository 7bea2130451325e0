// The pictures of docs/console.md, in its order.
import type { Page } from 'playwright-core'
import { stage } from '../harness/index.ts'
import type { Picture } from './visitor.ts'
import { addHour, type Company } from './world.ts'

const rows = (page: Page) => page.getByRole('article')

/** Opens a path of the console, and waits for what the picture cannot do without. */
function view(path: string, ready: (page: Page) => Promise<unknown>): Picture['show'] {
  return async (page) => {
    await page.goto(`/console/${path}`)
    await ready(page)
  }
}

const text = (pattern: string | RegExp) => (page: Page) => page.getByText(pattern).first().waitFor()

export const pictures: readonly Picture[] = [
  {
    name: 'sign-in',
    show: view('', (page) =>
      page
        .getByRole('button', { name: /Sign in/ })
        .first()
        .waitFor(),
    ),
  },
  { name: 'inbox', person: 'grace', show: view('inbox', (page) => rows(page).nth(8).waitFor()) },
  { name: 'inbox-detail', person: 'grace', show: view('inbox', openDetail) },
  { name: 'why', person: 'grace', show: view('inbox', openWhy) },
  {
    name: 'activity',
    person: 'ada',
    show: view('activity', (page) => page.locator('ff-activity-timeline .row').nth(8).waitFor()),
  },
  {
    name: 'activity-detail',
    person: 'ada',
    show: openActivity('details', (page) => page.locator('ff-drawer ff-payload').first().waitFor()),
  },
  {
    name: 'audience',
    person: 'ada',
    show: openActivity('audience', (page) => page.locator('ff-drawer .part li').first().waitFor()),
  },
  { name: 'following', person: 'grace', show: view('following', openTree) },
  { name: 'preferences', person: 'grace', show: view('preferences', testPattern) },
  {
    name: 'operations',
    person: 'ada',
    show: async (page, company) => {
      await addHour() // the workers have reported what they delivered of the company
      await view('operations', text(/could not be delivered/))(page, company)
    },
  },
  { name: 'dead-letters', person: 'ada', show: view('operations/dead', text(/statement timeout/)) },
  { name: 'retention', person: 'ada', show: view('retention', text(/days/)) },
  { name: 'taxonomy', person: 'ada', show: view('taxonomy', text('comment.created')) },
  {
    name: 'doctor',
    person: 'ada',
    show: view('doctor', (page) => page.getByRole('main').getByRole('listitem').first().waitFor()),
  },
  {
    name: 'first-steps',
    person: 'ada',
    show: view('start', (page) => page.getByRole('main').getByRole('listitem').first().waitFor()),
  },
  { name: 'reference', show: openReference },
  { name: 'widgets', show: openExample('html', openBell) },
  {
    name: 'widgets-settings',
    show: openExample('html/#settings', (page) =>
      page.locator('fanfare-preferences').getByRole('radio').first().waitFor(),
    ),
  },
  { name: 'widgets-arabic', show: openExample('arabic', openBell) },
]

async function openDetail(page: Page): Promise<void> {
  await rows(page).filter({ hasText: 'Linus' }).first().getByRole('link').first().click()
  await page.getByRole('heading', { name: 'Payload' }).waitFor()
  await page.getByText('Stop this').first().waitFor()
}

async function openWhy(page: Page): Promise<void> {
  await rows(page)
    .nth(1)
    .getByRole('button', { name: /Why am I notified/ })
    .click()
  await page.getByText('Stop this').first().waitFor()
}

function openActivity(tab: string, ready: (page: Page) => Promise<unknown>): Picture['show'] {
  return async (page, { comment }) => {
    await page.goto(`/console/activity/${comment}?tab=${tab}`)
    await ready(page)
  }
}

async function openTree(page: Page): Promise<void> {
  for (const name of ['Atlas arm', 'Sprint 42', 'Documents']) {
    await page.getByRole('button', { name: `Open ${name}`, exact: true }).click()
    await page.getByRole('button', { name: `Close ${name}`, exact: true }).waitFor()
  }
}

async function testPattern(page: Page): Promise<void> {
  await page.getByRole('radio', { name: /Chosen actions/ }).check()
  await page.getByLabel('Add a pattern').first().fill('comment.*')
  await page.getByText(/actions? match(es)?; .*last 7 days/).waitFor()
}

async function openReference(page: Page): Promise<void> {
  await page.goto('/v1/docs')
  await page.getByRole('heading', { level: 1, name: 'Fanfare API' }).waitFor()
}

/** Opens a page of the example application as Grace. */
function openExample(path: string, ready: (page: Page) => Promise<unknown>): Picture['show'] {
  return async (page, { world }: Company) => {
    const { id, name } = world.resource('atlas')
    const session = {
      tenant_id: world.tenant,
      user: world.person('grace'),
      colleague: world.person('linus'),
      project: { id, name },
    }
    const value = Buffer.from(JSON.stringify(session)).toString('base64url')
    await page.context().addCookies([{ name: 'session', value, url: stage.examples_url }])
    await page.goto('about:blank') // a page that differs only in its fragment is not loaded again
    await page.goto(`${stage.examples_url}/${path}`)
    await ready(page)
  }
}

async function openBell(page: Page): Promise<void> {
  await page.locator('fanfare-activity').getByRole('article').first().waitFor()
  await page.locator('fanfare-inbox').getByRole('button').first().click()
  await page.locator('fanfare-inbox').getByRole('article').nth(2).waitFor()
}
