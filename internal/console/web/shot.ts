import { chromium } from 'playwright-core'
const [, , link, theme, width, out, ...paths] = process.argv
const b = await chromium.launch({ executablePath: '/usr/bin/chromium-headless-shell', args: ['--no-sandbox', '--disable-gpu'] })
const c = await b.newContext({ viewport: { width: Number(width), height: Number(width) < 500 ? 844 : 900 }, colorScheme: theme as 'light' })
const p = await c.newPage()
p.on('console', (m) => { if (m.type() === 'error') console.log('console:', m.text()) })
p.on('pageerror', (e) => console.log('error:', e.message))
await p.goto(link!)
await p.waitForTimeout(2500)
const cookies = await c.storageState()
console.log(cookies.cookies.length)
for (const [i, path] of paths.entries()) {
  await p.goto(new URL(path, link).href)
  await p.waitForTimeout(3000)
  await p.screenshot({ path: `${out}-${i}.png` })
}
await c.storageState({ path: `${out}-state.json` })
await b.close()
