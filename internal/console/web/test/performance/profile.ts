// CPU profiles.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CDPSession } from 'playwright-core'

/** Starts a profile. The returned function saves it, and returns the functions that need the most time. */
export async function profile(session: CDPSession): Promise<(directory: string, name: string) => Promise<string[]>> {
  await session.send('Profiler.enable')
  await session.send('Profiler.setSamplingInterval', { interval: 1000 })
  await session.send('Profiler.start')
  return async (directory, name) => {
    const { profile: recorded } = await session.send('Profiler.stop')
    await mkdir(directory, { recursive: true })
    await writeFile(join(directory, `${name}.cpuprofile`), JSON.stringify(recorded))
    const places = new Map(recorded.nodes.map((node) => [node.id, placeOf(node.callFrame)]))
    const times = new Map<string, number>()
    recorded.samples?.forEach((id, i) => {
      const place = places.get(id) ?? ''
      times.set(place, (times.get(place) ?? 0) + (recorded.timeDeltas?.[i] ?? 0) / 1000)
    })
    const total = recorded.endTime - recorded.startTime
    return [...times]
      .sort((a, b) => b[1] - a[1])
      .slice(0, 25)
      .map(([place, time]) => `${((time * 100_000) / total).toFixed(1).padStart(5)} %  ${place}`)
  }
}

function placeOf(frame: { functionName: string; url: string; lineNumber: number }): string {
  const name = frame.functionName || '(anonymous)'
  return frame.url ? `${name} ${frame.url.replace(/^.*\//, '')}:${frame.lineNumber + 1}` : name
}
