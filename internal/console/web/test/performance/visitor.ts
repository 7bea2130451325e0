// A visitor whose page is measured.
import type { Browser, CDPSession, Page } from 'playwright-core'
import { browser } from '../harness/browser.ts'
import { stage } from '../harness/stage.ts'
import { watch } from '../harness/watch.ts'

export interface Visitor {
  page: Page
  session: CDPSession
  /** The CPU time that the page's process has used, in milliseconds. */
  cpu(): Promise<number>
  /** Ends the visit. It fails if the page did what no page may do. */
  leave(): Promise<void>
}

/** Opens a page of a visitor with an empty cache. */
export async function newVisitor(): Promise<Visitor> {
  const chromium = await browser()
  const before = await renderers(chromium)
  const context = await chromium.newContext({
    baseURL: stage.url,
    viewport: { width: 1440, height: 900 },
    locale: 'en-US',
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
  })
  context.setDefaultTimeout(60_000)
  const watching = await watch(context)
  const page = await context.newPage()
  const session = await context.newCDPSession(page)
  return {
    page,
    session,
    cpu: async () => {
      // A page that navigates from about:blank keeps its process.
      const all = await renderers(chromium)
      return [...all].reduce((sum, [id, time]) => sum + (before.has(id) ? 0 : time), 0)
    },
    leave: async () => {
      await context.close()
      const problems = watching.problems()
      if (problems.length > 0) throw new Error(problems.slice(0, 20).join('\n'))
    },
  }
}

async function renderers(chromium: Browser): Promise<Map<number, number>> {
  const session = await chromium.newBrowserCDPSession()
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  await session.detach()
  return new Map(processInfo.filter((p) => p.type === 'renderer').map((p) => [p.id, p.cpuTime * 1000]))
}
