// Who looks: a person with a browser of their own.
import type { BrowserContext, Page } from 'playwright-core'
import { browser } from '../harness/browser.ts'
import { stage } from '../harness/index.ts'
import type { Company } from './world.ts'

export interface Picture {
  /** The name of its files. */
  name: string
  /** Who is signed in, if a person is. */
  person?: 'ada' | 'grace'
  /** Opens what the picture shows, and returns when it is there. */
  show: (page: Page, company: Company) => Promise<void>
}

export interface Visitor {
  context: BrowserContext
  page: Page
}

/** Opens a browser for a picture. */
export async function open(company: Company, { person }: Picture): Promise<Visitor> {
  const context = await (
    await browser()
  ).newContext({
    baseURL: stage.url,
    reducedMotion: 'reduce',
    locale: 'en-GB',
    timezoneId: 'UTC',
    ...(person ? { storageState: company.sessions[person] } : {}),
  })
  context.setDefaultTimeout(20_000)
  return { context, page: await context.newPage() }
}
