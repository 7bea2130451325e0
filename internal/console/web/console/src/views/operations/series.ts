import { count, duration, rate } from '../../parts/format.ts'
import type { History, HistoryPoint } from './types.ts'

export interface Series {
  label: string
  /** The token of its colour. */
  color: string
  dashed?: boolean
  of: (point: HistoryPoint) => number | null
}

/** A chart of the history. */
export interface Chart {
  id: string
  title: string
  format: (value: number) => string
  series: readonly Series[]
}

export const charts: readonly Chart[] = [
  {
    id: 'throughput',
    title: 'Throughput per second',
    format: rate,
    series: [
      { label: 'Delivered', color: '--ff-accent', of: (p) => p.settled_per_second },
      { label: 'Publications', color: '--ff-brass', dashed: true, of: (p) => p.publications_per_second },
    ],
  },
  {
    id: 'latency',
    title: 'Time to delivery',
    format: duration,
    series: [
      { label: 'Median', color: '--ff-accent', of: (p) => p.latency_p50_seconds },
      { label: '99 %', color: '--ff-brass', dashed: true, of: (p) => p.latency_p99_seconds },
    ],
  },
  {
    id: 'backlog',
    title: 'Backlog',
    format: (n) => count(Math.round(n)),
    series: [
      { label: 'Pending', color: '--ff-accent', of: (p) => p.pending },
      { label: 'Parked', color: '--ff-warning', dashed: true, of: (p) => p.parked },
    ],
  },
  {
    id: 'age',
    title: 'Age of the oldest pending activity',
    format: duration,
    series: [{ label: 'Oldest', color: '--ff-accent', of: (p) => p.oldest_age_seconds }],
  },
]

/** dataOf returns the data of a chart: the times in seconds, then the values of each series. */
export function dataOf(chart: Chart, history: History): (number | null)[][] {
  const times = history.points.map((p) => Date.parse(p.at) / 1000)
  return [times, ...chart.series.map((s) => history.points.map((p) => s.of(p)))]
}

/** latest returns the last value of a series that is known. */
export function latest(series: Series, history: History): number | null {
  for (const p of history.points.toReversed()) {
    const value = series.of(p)
    if (value !== null) return value
  }
  return null
}

/** summary describes a chart in words: the last and the highest value of each series. */
export function summary(chart: Chart, history: History): string {
  const texts = chart.series.map((s) => {
    const values = history.points.map((p) => s.of(p)).filter((v): v is number => v !== null)
    const last = values.at(-1)
    if (last === undefined) return `${s.label}: no data`
    return `${s.label}: now ${chart.format(last)}, at most ${chart.format(Math.max(...values))}`
  })
  return `${chart.title}. ${texts.join('. ')}.`
}

/** condensed returns at most n points, each the last one of its interval, for a table. */
export function condensed(history: History, n: number): HistoryPoint[] {
  const every = Math.max(1, Math.ceil(history.points.length / n))
  return history.points.toReversed().filter((_, i) => i % every === 0)
}

export const spans = [
  { value: '15', label: '15 min' },
  { value: '60', label: '1 h' },
  { value: '1440', label: '24 h' },
] as const
