// Themes, widths and screenshots.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { heightOf, pictures } from './test.ts'

export type Theme = 'light' | 'dark'

export interface Look {
  theme: Theme
  width: number
  /** Such as "dark-390". */
  name: string
}

export const themes: readonly Theme[] = ['light', 'dark']
export const widths: readonly number[] = [1440, 820, 390]

/** The pages that forEachLook has shown in another theme at the same width before. */
export const recoloured = new WeakSet<Page>()

/** Calls check for each theme at each width, with the page changed accordingly. */
export async function forEachLook(
  page: Page,
  check: (look: Look) => Promise<void>,
  options: { themes?: readonly Theme[]; widths?: readonly number[] } = {},
): Promise<void> {
  for (const width of options.widths ?? widths) {
    await page.setViewportSize({ width, height: heightOf(width) })
    for (const theme of options.themes ?? themes) {
      await page.emulateMedia({ colorScheme: theme })
      await settled(page, theme)
      const look = { theme, width, name: `${theme}-${width}` }
      try {
        await check(look)
      } catch (error) {
        recoloured.delete(page)
        throw new Error(`${look.name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
      }
      recoloured.add(page)
    }
    recoloured.delete(page)
  }
}

/** settled returns when the page has a theme, and its transitions to it are over. */
async function settled(page: Page, theme: Theme): Promise<void> {
  await page.evaluate(async (wanted) => {
    const frame = () => new Promise((done) => requestAnimationFrame(done))
    const roots = (root: Document | ShadowRoot): (Document | ShadowRoot)[] => [
      root,
      ...[...root.querySelectorAll('*')].flatMap(({ shadowRoot }) => (shadowRoot ? roots(shadowRoot) : [])),
    ]
    const changing = () =>
      roots(document).some((root) => root.getAnimations().some((animation) => animation instanceof CSSTransition))
    while (!matchMedia(`(prefers-color-scheme: ${wanted})`).matches) await frame()
    await frame()
    do await frame()
    while (changing())
  }, theme)
}

/** Saves a screenshot as name.png in the directory FANFARE_SCREENSHOTS; without it, does nothing. */
export async function screenshot(page: Page, name: string, options: { fullPage?: boolean } = {}): Promise<void> {
  if (!pictures) {
    return
  }
  await mkdir(pictures, { recursive: true })
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: options.fullPage ?? false })
}
