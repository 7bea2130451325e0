// The results as a table.
import type { FirstRow } from './first_row.ts'
import type { Sustained } from './views.ts'

export interface Results {
  at: string
  machine: string
  first_row: FirstRow[]
  sustained: Sustained[]
}

/** Writes the results as text. */
export function report({ machine, first_row, sustained }: Results): string {
  const lines = [machine, '']
  if (first_row.length > 0) {
    lines.push(
      ...table(
        ['first row', 'runs', 'median ms', 'worst ms'],
        first_row.map((r) => [r.view, r.times.length, r.median, r.worst]),
      ),
      '',
    )
  }
  for (const { view, loaded, minutes, checked } of sustained) {
    lines.push(
      ...table(
        [view, 'phase', 'frames', 'p50 ms', 'p95', 'p99', 'max', 'long tasks', 'CPU', 'heap MB', 'nodes', 'rows', '/s'],
        minutes.map((m) => [
          m.minute,
          m.phase,
          m.frames,
          m.p50,
          m.p95,
          m.p99,
          m.max,
          m.longTasks,
          m.cpu,
          m.heap,
          m.nodes,
          m.rows,
          m.rate,
        ]),
      ),
      `Loading the rows took ${loaded.toFixed(0)} s. At the end: ${checked.join('; ')}.`,
      '',
    )
  }
  return lines.join('\n')
}

function table(head: string[], rows: (string | number)[][]): string[] {
  const all = [head, ...rows].map((row) => row.map(String))
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)))
  return all.map((row) => row.map((cell, i) => cell.padStart(widths[i] ?? 0)).join('  '))
}
