type Values = readonly (number | null)[]

/** A scale maps values to pixels. */
export type Scale = (value: number) => number

/** linear returns the scale that maps from..to to start..end. */
export function linear(from: number, to: number, start: number, end: number): Scale {
  const factor = to > from ? (end - start) / (to - from) : 0
  return (value) => start + (value - from) * factor
}

/** top returns where an axis that begins at 0 ends: a tenth above the highest value. */
export function top(series: readonly Values[]): number {
  const highest = series.flat().reduce<number>((max, v) => Math.max(max, v ?? 0), 0)
  return highest > 0 ? highest * 1.1 : 1
}

/** steps returns the multiples from..to of the smallest increment of which at most n fit. */
export function steps(from: number, to: number, n: number, increments: readonly number[], offset = 0): number[] {
  const step = increments.find((i) => (to - from) / i <= n) ?? to - from
  const first = Math.ceil((from - offset) / step)
  const last = Math.floor((to - offset) / step)
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step + offset)
}

/** line returns the path through values; where one is unknown, the line ends and begins anew. */
export function line(times: readonly number[], values: Values, x: Scale, y: Scale): string {
  let known = false
  return values
    .map((value, i) => {
      const move = known ? 'L' : 'M'
      known = value !== null
      return value === null ? '' : `${move}${pixel(x(times[i] ?? 0))} ${pixel(y(value))}`
    })
    .join('')
}

/** surface returns the path of the areas between the line and the bottom. */
export function surface(times: readonly number[], values: Values, x: Scale, y: Scale): string {
  return runs(values)
    .map(([first, last]) => {
      const part = line(times.slice(first, last + 1), values.slice(first, last + 1), x, y)
      return `${part}L${pixel(x(times[last] ?? 0))} ${pixel(y(0))}L${pixel(x(times[first] ?? 0))} ${pixel(y(0))}Z`
    })
    .join('')
}

/** runs returns the first and the last index of each row of known values, of two or more. */
function runs(values: Values): [number, number][] {
  const found: [number, number][] = []
  let first = -1
  for (const [i, value] of [...values, null].entries()) {
    if (value !== null && first < 0) first = i
    if (value !== null) continue
    if (first >= 0 && i - first > 1) found.push([first, i - 1])
    first = -1
  }
  return found
}

/** nearest returns the index of the time that is nearest to one. The times ascend. */
export function nearest(times: readonly number[], time: number): number {
  const after = times.findIndex((t) => t >= time)
  if (after < 0) return times.length - 1
  const before = after - 1
  return before >= 0 && time - (times[before] ?? 0) <= (times[after] ?? 0) - time ? before : after
}

function pixel(value: number): number {
  return Math.round(value * 10) / 10
}
