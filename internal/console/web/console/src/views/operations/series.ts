import { dateFormat, timeOfDay } from '@fanfare/elements/formats'
import { count, duration, rate } from '../../parts/format.ts'
import type { History, HistoryPoint } from './types.ts'

export interface Series {
  label: string
  /** The token of its colour. */
  color: string
  dashed?: boolean
  of: (point: HistoryPoint) => number | null
}

/** The steps between the lines of an axis. */
export const increments = {
  rate: [0.1, 0.2, 0.5, ...decades(1, 6)],
  number: decades(1, 8),
  time: [
    ...[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30],
    ...[60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800],
  ],
}

function decades(first: number, n: number): number[] {
  return Array.from({ length: n }, (_, i) => [1, 2, 5].map((m) => m * first * 10 ** i)).flat()
}

/** A chart of the history. */
export interface Chart {
  id: string
  title: string
  unit: keyof typeof increments
  format: (value: number) => string
  series: readonly Series[]
}

export const charts: readonly Chart[] = [
  {
    id: 'throughput',
    title: 'Throughput',
    unit: 'rate',
    format: (n) => `${rate(n)}/s`,
    series: [
      { label: 'Delivered', color: '--ff-accent', of: (p) => p.settled_per_second },
      { label: 'Publications', color: '--ff-brass', dashed: true, of: (p) => p.publications_per_second },
    ],
  },
  {
    id: 'latency',
    title: 'Time to delivery',
    unit: 'time',
    format: duration,
    series: [
      { label: 'Median', color: '--ff-accent', of: (p) => p.latency_p50_seconds },
      { label: 'p99', color: '--ff-brass', dashed: true, of: (p) => p.latency_p99_seconds },
    ],
  },
  {
    id: 'backlog',
    title: 'Backlog',
    unit: 'number',
    format: (n) => count(Math.round(n)),
    series: [
      { label: 'Pending', color: '--ff-accent', of: (p) => p.pending },
      { label: 'Parked', color: '--ff-warning', dashed: true, of: (p) => p.parked },
    ],
  },
  {
    id: 'age',
    title: 'Age of the oldest pending activity',
    unit: 'time',
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

/** clock returns the time of a day, with seconds if they matter. */
export function clock(at: number, seconds = false): string {
  return dateFormat(undefined, seconds ? { ...timeOfDay, second: '2-digit' } : timeOfDay).format(at)
}

/** lonely returns the indexes of the values that have no neighbour. */
export function lonely(values: ArrayLike<number | null | undefined>): number[] {
  const known = (i: number): boolean => values[i] !== null && values[i] !== undefined
  return Array.from(values, (_, i) => i).filter((i) => known(i) && !known(i - 1) && !known(i + 1))
}
