// Takes the pictures of docs/console, with a stage: make console-pictures. Arguments select pictures
// whose name contains one of them; FANFARE_PICTURES is the directory.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { browser } from '../harness/browser.ts'
import { save } from './camera.ts'
import { pictures } from './list.ts'
import { open, type Visitor } from './visitor.ts'
import { company, type Company } from './world.ts'

const looks = [
  { suffix: '', theme: 'light', width: 1440, height: 900 },
  { suffix: '-dark', theme: 'dark', width: 1440, height: 900 },
  { suffix: '-phone', theme: 'light', width: 390, height: 844 },
  { suffix: '-phone-dark', theme: 'dark', width: 390, height: 844 },
] as const

const directory = process.env['FANFARE_PICTURES'] ?? join(import.meta.dirname, '../../../../../docs/console')
const wanted = process.argv.slice(2)
const selected = pictures.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)))

let failed = 0
let bytes = 0
const world = await company()
await mkdir(directory, { recursive: true })
for (const picture of selected) {
  let visitor: Visitor | undefined
  try {
    visitor = await open(world, picture)
    bytes += await takeAll(visitor, world, picture.name)
    console.log(picture.name)
  } catch (error) {
    failed++
    console.error(`${picture.name}: ${error instanceof Error ? error.message : String(error)}`)
    await visitor?.page.screenshot({ path: `${directory}/failed-${picture.name}.png` })
  } finally {
    await visitor?.context.close()
  }
}
await (await browser()).close()
console.log(`${selected.length - failed} views, ${looks.length} pictures each, ${Math.round(bytes / 1000)} kB`)
process.exit(failed === 0 ? 0 : 1)

async function takeAll(visitor: Visitor, world: Company, name: string): Promise<number> {
  const picture = pictures.find((one) => one.name === name)!
  let bytes = 0
  for (const { suffix, theme, width, height } of looks) {
    await visitor.page.setViewportSize({ width, height })
    await visitor.page.emulateMedia({ colorScheme: theme })
    await picture.show(visitor.page, world)
    await visitor.page.mouse.move(0, 0)
    bytes += await save(visitor.page, join(directory, `${name}${suffix}.webp`))
  }
  return bytes
}
