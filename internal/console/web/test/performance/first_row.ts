// The time from the navigation until the first row, with a cold cache.
import { signIn, type World } from '../harness/index.ts'
import { newVisitor } from './visitor.ts'

export interface FirstRow {
  view: string
  /** Milliseconds. */
  median: number
  worst: number
  times: number[]
}

/** Measures one view, in a new browser context each time. */
export async function firstRow(
  world: World,
  view: string,
  selector: string,
  runs: number,
  scopes: string[],
): Promise<FirstRow> {
  const times: number[] = []
  for (let run = 0; run < runs; run++) {
    const visitor = await newVisitor()
    await visitor.page.addInitScript(`(${recordFirst.toString()})(${JSON.stringify(selector)})`)
    await signIn(visitor.page, world, 'ada', scopes, view)
    const handle = await visitor.page.waitForFunction(() => (globalThis as unknown as { __first?: number }).__first)
    times.push(Math.round((await handle.jsonValue()) ?? NaN))
    await visitor.leave()
  }
  const sorted = times.toSorted((a, b) => a - b)
  return { view, median: sorted[Math.floor(sorted.length / 2)] ?? NaN, worst: sorted.at(-1) ?? NaN, times }
}

// recordFirst runs in the page: it looks for the element before each frame.
function recordFirst(selector: string): void {
  const found = (root: ParentNode): boolean =>
    root.querySelector(selector) !== null ||
    [...root.querySelectorAll('*')].some((element) => element.shadowRoot !== null && found(element.shadowRoot))
  requestAnimationFrame(function look() {
    if (!found(document)) requestAnimationFrame(look)
    else {
      // The frame that contains it is painted now.
      requestAnimationFrame(() => ((globalThis as unknown as { __first: number }).__first = performance.now()))
    }
  })
}
