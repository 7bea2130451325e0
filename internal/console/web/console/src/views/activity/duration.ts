/** duration returns a time in words that are short: 340 ms, 2.1 s, 4 min 5 s, 3 h 20 min, 2 d. */
export function duration(milliseconds: number): string {
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
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`
  if (count < 1e6) return `${(count / 1e3).toFixed(1)} kB`
  if (count < 1e9) return `${(count / 1e6).toFixed(1)} MB`
  return `${(count / 1e9).toFixed(2)} GB`
}
