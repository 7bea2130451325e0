// What no page may do: violate its policy, fail, or ask another host.
import type { BrowserContext, Page } from 'playwright-core'
import { stage } from './stage.ts'

export interface Watch {
  /** Problems that the test expects are no problems: patterns of their texts. */
  allow(pattern: RegExp): void
  /** Permits requests to an origin. */
  allowOrigin(origin: string): void
  /** Returns what pages did that they may not. */
  problems(): string[]
  /** Returns the URLs that pages have asked. */
  requests(): string[]
}

/** Watches all pages of a context, from its beginning. */
export async function watch(context: BrowserContext): Promise<Watch> {
  const allowed: RegExp[] = []
  const origins = new Set([stage.url, new URL(stage.websocket_url).origin])
  const found: string[] = []
  const requested: string[] = []
  const asks = (url: string) => {
    const { protocol, origin } = new URL(url)
    if (protocol === 'data:' || protocol === 'blob:' || protocol === 'about:') {
      return
    }
    requested.push(url)
    if (!origins.has(origin)) {
      found.push(`another host is asked: ${url}`)
    }
  }
  context.on('console', (message) => {
    if (message.type() === 'error') {
      found.push(`console error: ${message.text()} (${message.location().url})`)
    }
  })
  context.on('weberror', (error) => found.push(`uncaught error: ${error.error().stack ?? error.error().message}`))
  context.on('request', (request) => asks(request.url()))
  context.on('page', (page: Page) => page.on('websocket', (socket) => asks(socket.url())))
  // tsx names the functions inside those that run in the page.
  await context.addInitScript({ content: 'globalThis.__name = (f) => f;' })
  await context.exposeBinding('__fanfareViolation', (_source, text: string) => {
    found.push(`Content-Security-Policy violation: ${text}`)
  })
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const report = (globalThis as unknown as { __fanfareViolation(text: string): void }).__fanfareViolation
      report(`${event.violatedDirective} blocks ${event.blockedURI} at ${event.sourceFile}:${event.lineNumber}`)
    })
  })
  return {
    allow: (pattern) => void allowed.push(pattern),
    allowOrigin: (origin) => void origins.add(origin),
    problems: () => found.filter((text) => !allowed.some((pattern) => pattern.test(text))),
    requests: () => [...requested],
  }
}
