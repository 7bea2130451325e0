/** count returns a number with its groups of digits: 12,345. */
export function count(n: number): string {
  return n.toLocaleString('en-US')
}

/** compact returns a number in at most four characters: 7, 120, 12k, 3M. */
export function compact(n: number): string {
  return n < 1000 ? String(n) : n < 1e6 ? `${Math.floor(n / 1000)}k` : `${Math.floor(n / 1e6)}M`
}

/** rate returns a number a second with two significant digits. */
export function rate(perSecond: number): string {
  return perSecond >= 100 ? count(Math.round(perSecond)) : String(Number(perSecond.toPrecision(2)))
}

/** duration returns seconds in the unit that suits them, the larger ones with the next smaller: 2 h 5 min. */
export function duration(seconds: number): string {
  if (seconds <= 0) return '0 s'
  if (seconds < 0.9995) return `${Number((seconds * 1000).toPrecision(seconds < 0.01 ? 2 : 3))} ms`
  if (seconds < 10) return `${Number(seconds.toPrecision(2))} s`
  return seconds < 59.5 ? `${Math.round(seconds)} s` : elapsed(Math.max(60, seconds) * 1000)
}

/** plural returns a number and its noun: 1 lane, 2 lanes. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`
}

/** since returns the seconds from a time until now, at least 0. */
export function since(at: string, now = Date.now()): number {
  return Math.max(0, (now - Date.parse(at)) / 1000)
}

/** elapsed returns the time between two moments, to the second below an hour: 340 ms, 2.1 s, 4 min 5 s, 3 h 20 min. */
export function elapsed(milliseconds: number): string {
  const ms = Math.max(0, milliseconds)
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const s = Math.round(ms / 1000)
  if (s < 3600) return parts(Math.floor(s / 60), 'min', s % 60, 's')
  if (s < 86_400) return parts(Math.floor(s / 3600), 'h', Math.floor(s / 60) % 60, 'min')
  return parts(Math.floor(s / 86_400), 'd', Math.floor(s / 3600) % 24, 'h')
}

function parts(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small ? `${big} ${bigUnit} ${small} ${smallUnit}` : `${big} ${bigUnit}`
}

/** bytes returns a size: 512 B, 4.2 kB, 1.3 MB. */
export function bytes(size: number): string {
  if (size < 1000) return `${size} B`
  if (size < 1e6) return `${(size / 1e3).toFixed(1)} kB`
  if (size < 1e9) return `${(size / 1e6).toFixed(1)} MB`
  return `${(size / 1e9).toFixed(2)} GB`
}
