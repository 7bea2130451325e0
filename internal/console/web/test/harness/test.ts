// A test with pages.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test as nodeTest } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { browser } from './browser.ts'
import { makeCuttable } from './socket.ts'
import { stage } from './stage.ts'
import { watch, type Watch } from './watch.ts'

export interface PageOptions {
  theme?: 'light' | 'dark'
  width?: number
  height?: number
  /** Animations run; by default the page is asked for reduced motion. */
  motion?: boolean
  /** cut and restore work. */
  cuttable?: boolean
  locale?: string
}

/** What a test is given. Each page that it opens is another visitor, with cookies of its own. */
export interface Scene {
  /** The first visitor's page; it is blank. */
  page: Page
  /** Opens a page of another visitor. */
  newPage(options?: PageOptions): Promise<Page>
  /** Opens another tab of a page's visitor. */
  newTab(of: Page, options?: { cuttable?: boolean }): Promise<Page>
  /** Problems that the test expects, such as the console's error for an answer 401. */
  allow(pattern: RegExp): void
  /** Permits requests to another origin. */
  allowOrigin(origin: string): void
  /** The URLs that pages have asked. */
  requests(): string[]
}

const timeout = 60_000
const defaultWidth = 1440
const heights: Record<number, number> = { 390: 844, 820: 1180, 1440: 900 }

/** Returns the usual height of a window. */
export function heightOf(width: number): number {
  return heights[width] ?? 900
}

/**
 * Runs a test with pages, in Chromium. It fails if a page violates its Content-Security-Policy, has
 * an uncaught error or an error on its console, or asks another host.
 */
export function browserTest(name: string, run: (scene: Scene) => Promise<void>, options: PageOptions = {}): void {
  void nodeTest(name, { timeout }, async () => {
    const contexts: BrowserContext[] = []
    const watches: Watch[] = []
    const allowed: RegExp[] = []
    const origins: string[] = []
    const newPage = async (o: PageOptions = {}) => {
      const width = o.width ?? defaultWidth
      const context = await (
        await browser()
      ).newContext({
        baseURL: stage.url,
        viewport: { width, height: o.height ?? heightOf(width) },
        colorScheme: o.theme ?? 'light',
        reducedMotion: o.motion ? 'no-preference' : 'reduce',
        locale: o.locale ?? 'en-US',
        timezoneId: 'UTC',
      })
      contexts.push(context)
      context.setDefaultTimeout(15_000)
      const watching = await watch(context)
      allowed.forEach((pattern) => watching.allow(pattern))
      origins.forEach((origin) => watching.allowOrigin(origin))
      watches.push(watching)
      return newTab(context, o.cuttable)
    }
    const newTab = async (context: BrowserContext, cuttable = false) => {
      const page = await context.newPage()
      if (cuttable) {
        await makeCuttable(page)
      }
      return page
    }
    try {
      await run({
        page: await newPage(options),
        newPage,
        newTab: (of, o = {}) => newTab(of.context(), o.cuttable),
        allow: (pattern) => {
          allowed.push(pattern)
          watches.forEach((watching) => watching.allow(pattern))
        },
        allowOrigin: (origin) => {
          origins.push(origin)
          watches.forEach((watching) => watching.allowOrigin(origin))
        },
        requests: () => watches.flatMap((watching) => watching.requests()),
      })
      const problems = watches.flatMap((watching) => watching.problems())
      if (problems.length > 0) {
        throw new Error('a page does what it may not do')
      }
    } catch (error) {
      const problems = watches.flatMap((watching) => watching.problems())
      throw failure(error, [...problems, ...(await picture(name, contexts))])
    } finally {
      await Promise.all(contexts.map((context) => context.close()))
    }
  })
}

// failure returns an error with what the pages did, and where the test failed.
function failure(error: unknown, notes: string[]): Error {
  const text = [message(error), ...notes].join('\n')
  const places = error instanceof Error ? (error.stack ?? '').split('\n') : []
  const failed = new Error(text)
  failed.stack = [text, ...places.filter((line) => /^ +at .*[.]test[.]ts/.test(line))].join('\n')
  return failed
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Where screenshots go, or undefined. */
export const pictures = process.env['FANFARE_SCREENSHOTS']

// picture saves what pages showed when a test failed.
async function picture(name: string, contexts: BrowserContext[]): Promise<string[]> {
  const lines: string[] = []
  for (const [n, page] of contexts.flatMap((context) => context.pages()).entries()) {
    lines.push(`page ${n + 1} is at ${page.url()}`)
    if (pictures) {
      const path = join(pictures, `failed-${name.replaceAll(/[^a-z0-9]+/gi, '-').slice(0, 80)}-${n + 1}.png`)
      await mkdir(pictures, { recursive: true })
      try {
        await page.screenshot({ path, timeout: 5_000 })
        lines.push(`screenshot: ${path}`)
      } catch (error) {
        lines.push(`no screenshot: ${message(error)}`)
      }
    }
  }
  return lines
}
