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
      await settled(page)
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

/** settled returns after two frames, when the transitions of a change, which are the shortest here, are over. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(
    () => new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))),
  )
}

/** Saves a screenshot as name.png in the directory FANFARE_SCREENSHOTS; without it, does nothing. */
export async function screenshot(page: Page, name: string, options: { fullPage?: boolean } = {}): Promise<void> {
  if (!pictures) {
    return
  }
  await mkdir(pictures, { recursive: true })
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: options.fullPage ?? false })
}
