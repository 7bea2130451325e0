// The format of the pictures.
import { writeFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'

// most is the usual size of a picture in bytes. The first quality with less is taken; without one, the smallest.
const most = 60_000
const lossless = 100
const qualities = [80, lossless, 70, 60, 50]

/** Saves what the window shows as WebP, and returns the number of bytes. */
export async function save(page: Page, path: string): Promise<number> {
  await page.evaluate(async () => {
    await document.fonts.ready
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
  })
  const session = await page.context().newCDPSession(page)
  let picture: Buffer | undefined
  for (const quality of qualities) {
    const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality, optimizeForSpeed: false })
    const taken = Buffer.from(data, 'base64')
    if (!picture || taken.length < picture.length) picture = taken
    if (picture.length < most) break
  }
  await session.detach()
  if (process.env['FANFARE_SCREENSHOTS']) {
    await page.screenshot({ path: path.replace(/^.*\/(.*)[.]webp$/, `${process.env['FANFARE_SCREENSHOTS']}/$1.png`) })
  }
  await writeFile(path, picture!)
  return picture!.length
}
