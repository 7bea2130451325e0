// Measurements of a page.
import type { Page } from 'playwright-core'

export interface Frames {
  frames: number
  /** Milliseconds between frames. */
  p50: number
  p95: number
  p99: number
  max: number
  /** Tasks of more than 50 ms. */
  longTasks: number
}

interface Probe {
  stop(): Frames
}

/** Measures the times between frames until the returned function is called. */
export async function frames(page: Page): Promise<() => Promise<Frames>> {
  await page.evaluate(() => {
    const times: number[] = []
    let longTasks = 0
    let last = performance.now()
    let handle = requestAnimationFrame(function tick(now) {
      times.push(now - last)
      last = now
      handle = requestAnimationFrame(tick)
    })
    const observer = new PerformanceObserver((list) => (longTasks += list.getEntries().length))
    observer.observe({ type: 'longtask' })
    const stop = () => {
      cancelAnimationFrame(handle)
      observer.disconnect()
      const sorted = times.slice(1).sort((a, b) => a - b)
      const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? 0
      return { frames: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1), longTasks }
    }
    ;(globalThis as unknown as { __probe: Probe }).__probe = { stop }
  })
  return () => page.evaluate(() => (globalThis as unknown as { __probe: Probe }).__probe.stop())
}

export interface Memory {
  /** Bytes of the heap in use, after a garbage collection. */
  heap: number
  nodes: number
  listeners: number
}

/** Measures the memory that a page needs. */
export async function memory(page: Page): Promise<Memory> {
  const session = await page.context().newCDPSession(page)
  try {
    await session.send('HeapProfiler.enable')
    await session.send('HeapProfiler.collectGarbage')
    await session.send('Performance.enable')
    const { metrics } = await session.send('Performance.getMetrics')
    const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? 0
    return { heap: of('JSHeapUsedSize'), nodes: of('Nodes'), listeners: of('JSEventListeners') }
  } finally {
    await session.detach()
  }
}

/** Milliseconds from the navigation until an element is on the page. */
export async function timeTo(page: Page, selector: string): Promise<number> {
  await page.locator(selector).first().waitFor()
  return page.evaluate(() => performance.now())
}
