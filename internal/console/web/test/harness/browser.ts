// The system's Chromium, one for each test process.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { after } from 'node:test'
import { chromium, type Browser } from 'playwright-core'

// The order of internal/browsertest.
const names = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome']

function find(): string {
  for (const name of names) {
    for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
      const path = join(directory, name)
      try {
        accessSync(path, constants.X_OK)
        return path
      } catch {
        // The next one.
      }
    }
  }
  throw new Error(`there is none of ${names.join(', ')}: make test-tools installs one`)
}

let running: Promise<Browser> | undefined

/** Returns the browser. It runs without its sandbox, which root and containers do not have. */
export function browser(): Promise<Browser> {
  running ??= chromium.launch({
    executablePath: find(),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--no-first-run',
      // A request to another host fails at once, and does not leave the machine.
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
    ],
  })
  return running
}

after(async () => {
  await (await running)?.close()
})
