// Measures the console against a stage. test/README.md shows how to run it.
import { writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { browser } from '../harness/browser.ts'
import { stage } from '../harness/index.ts'
import { firstRow } from './first_row.ts'
import { worldWithHistory } from './history.ts'
import { readOptions } from './options.ts'
import { report, type Results } from './report.ts'
import { activity, notifications } from './views.ts'

const options = readOptions()
const chromium = await browser()
try {
  const world = await worldWithHistory(options.rows)
  const cores = `${availableParallelism()} cores of ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB`
  const results: Results = {
    at: new Date().toISOString(),
    machine: `${cores}, Chromium ${chromium.version()}; PostgreSQL, Centrifugo and the daemon on the same machine`,
    first_row: [],
    sustained: [],
  }
  if (options.only.includes('first-row')) {
    for (const [view, selector] of [
      ['inbox', 'ff-notification-row'],
      ['activity', 'li.row'],
    ] as const) {
      results.first_row.push(await firstRow(world, view, selector, options.runs, stage.operator_scopes))
    }
  }
  if (options.only.includes('activity')) results.sustained.push(await activity(world, options))
  if (options.only.includes('inbox')) results.sustained.push(await notifications(world, options))
  console.log(report(results))
  if (options.json) await writeFile(options.json, JSON.stringify(results, undefined, 2) + '\n')
} finally {
  await chromium.close()
}
