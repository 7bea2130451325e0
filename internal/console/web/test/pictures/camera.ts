// The format of the pictures.
import { writeFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'

// most is the size of a picture in bytes. Its quality decreases until it has less.
const most = 60_000
const qualities = [82, 74, 66, 58, 50, 42]

/** Saves what the window shows as WebP, and returns the number of bytes. */
export async function save(page: Page, path: string): Promise<number> {
  await page.evaluate(async () => {
    await document.fonts.ready
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
  })
  const session = await page.context().newCDPSession(page)
  let picture = Buffer.alloc(0)
  for (const quality of qualities) {
    const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality, optimizeForSpeed: false })
    picture = Buffer.from(data, 'base64')
    if (picture.length < most) break
  }
  await session.detach()
  if (process.env['FANFARE_SCREENSHOTS']) {
    await page.screenshot({ path: path.replace(/^.*\/(.*)[.]webp$/, `${process.env['FANFARE_SCREENSHOTS']}/$1.png`) })
  }
  await writeFile(path, picture)
  return picture.length
}
