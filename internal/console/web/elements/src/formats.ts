/** Formats by what they were made of: making one takes a hundred times as long as a use. */
const made = new Map<string, Intl.DateTimeFormat | Intl.RelativeTimeFormat>()

/** The time of a day, as the locale writes it, always with two digits, so that times stand below one another. */
export const timeOfDay: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit' }

/** dateFormat returns a format of times, with hours from 00 to 23 in all locales. */
export function dateFormat(locale: string | undefined, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return once(
    `date ${locale} ${JSON.stringify(options)}`,
    () => new Intl.DateTimeFormat(locale, { ...options, hourCycle: 'h23' }),
  )
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
