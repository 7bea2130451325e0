// Accessibility, checked by axe-core.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { readFile } from 'node:fs/promises'
import type { AxeResults, RunOptions } from 'axe-core'
import type { CDPSession, Page } from 'playwright-core'
import { recoloured } from './looks.ts'

const source = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** The rules whose outcome depends on colours. */
const colours = ['color-contrast', 'link-in-text-block']

const sessions = new WeakMap<Page, Promise<CDPSession>>()

/** sessionOf returns the debugger's session of a page. It stays: the end of one lets the page believe it is online. */
function sessionOf(page: Page): Promise<CDPSession> {
  let session = sessions.get(page)
  if (!session) sessions.set(page, (session = page.context().newCDPSession(page)))
  return session
}

/**
 * Asserts that axe-core finds no violation in the page, or in the part that a selector selects. Where
 * forEachLook changed nothing but the theme, only the rules of colours run. The debugger injects axe-core, which
 * the page's policy does not concern and which stays in force.
 */
export async function axe(page: Page, options: { within?: string; disable?: string[] } = {}): Promise<void> {
  const session = await sessionOf(page)
  await session.send('Runtime.evaluate', { expression: `globalThis.axe || (() => {${await source}})()` })
  const run: RunOptions = {
    runOnly: recoloured.has(page) ? { type: 'rule', values: colours } : { type: 'tag', values: tags },
    rules: Object.fromEntries((options.disable ?? []).map((id) => [id, { enabled: false }])),
    resultTypes: ['violations'],
    preload: false,
    iframes: false,
  }
  const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
    expression: `axe.run(${JSON.stringify(options.within ?? null)} ?? document, ${JSON.stringify(run)})`,
    awaitPromise: true,
    returnByValue: true,
  })
  assert.ok(!exceptionDetails, `axe-core fails: ${exceptionDetails?.exception?.description}`)
  const { violations } = result.value as AxeResults
  assert.equal(violations.length, 0, describe(violations))
}

function describe(violations: AxeResults['violations']): string {
  return violations
    .map((violation) => {
      const places = violation.nodes.map((node) => `    ${node.target.join(' ')}: ${node.failureSummary ?? ''}`)
      return `${violation.id} (${violation.impact}): ${violation.help}\n${places.join('\n')}`
    })
    .join('\n')
}
