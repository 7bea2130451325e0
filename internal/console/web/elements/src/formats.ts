/** Formats by what they were made of: making one takes a hundred times as long as a use. */
const made = new Map<string, Intl.DateTimeFormat | Intl.RelativeTimeFormat>()

/** dateFormat returns a format of times. */
export function dateFormat(locale: string | undefined, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return once(`date ${locale} ${JSON.stringify(options)}`, () => new Intl.DateTimeFormat(locale, options))
}

/** relativeFormat returns a format of distances in time. */
export function relativeFormat(
  locale: string | undefined,
  options: Intl.RelativeTimeFormatOptions,
): Intl.RelativeTimeFormat {
  return once(`relative ${locale} ${JSON.stringify(options)}`, () => new Intl.RelativeTimeFormat(locale, options))
}

function once<T extends Intl.DateTimeFormat | Intl.RelativeTimeFormat>(key: string, make: () => T): T {
  const known = made.get(key) as T | undefined
  if (known) return known
  if (made.size >= 100) made.clear()
  const format = make()
  made.set(key, format)
  return format
}
