import { html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import { BaseElement, define } from './base.ts'
import { dateFormat, relativeFormat, timeOfDay } from './formats.ts'
import { localeOf } from './locale.ts'

const units: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
]

/** relative returns a time as a distance, such as `3 min. ago`; within a minute `now`. */
export function relative(at: Date, now: number, locale?: string, style: 'narrow' | 'long' = 'narrow'): string {
  const seconds = (at.getTime() - now) / 1000
  const format = relativeFormat(locale, { numeric: 'auto', style })
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit)
  }
  return format.format(0, 'second')
}

/** exact returns a time to the second, with its zone. */
export function exact(at: Date, locale?: string): string {
  return dateFormat(locale, { dateStyle: 'full', timeStyle: 'long' }).format(at)
}

const exactly: Intl.DateTimeFormatOptions = {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  ...timeOfDay,
  second: '2-digit',
}

/** short returns the time of a day of today, else the date. */
export function short(at: Date, now: number, locale?: string): string {
  const today = new Date(now).toDateString() === at.toDateString()
  const year = new Date(now).getFullYear() === at.getFullYear()
  return dateFormat(
    locale,
    today ? timeOfDay : { month: 'short', day: 'numeric', ...(year ? {} : { year: 'numeric' }) },
  ).format(at)
}

const shown = new Set<Time>()
let ticker: ReturnType<typeof setInterval> | undefined

/** A time, relative and kept so; its title is the exact one. */
@define('ff-time')
export class Time extends BaseElement {
  @property() datetime = ''
  @property() format: 'relative' | 'long' | 'short' | 'exact' = 'relative'

  override connectedCallback(): void {
    super.connectedCallback()
    shown.add(this)
    ticker ??= setInterval(() => {
      for (const time of shown) time.requestUpdate()
    }, 30_000)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    shown.delete(this)
    if (shown.size > 0) return
    clearInterval(ticker)
    ticker = undefined
  }

  protected override render(): unknown {
    const at = new Date(this.datetime)
    if (Number.isNaN(at.getTime())) return nothing
    const locale = localeOf(this)
    const now = Date.now()
    const text =
      this.format === 'short'
        ? short(at, now, locale)
        : this.format === 'exact'
          ? dateFormat(locale, exactly).format(at)
          : relative(at, now, locale, this.format === 'long' ? 'long' : 'narrow')
    return html`<time part="time" datetime=${at.toISOString()} title=${exact(at, locale)}>${text}</time>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-time': Time
  }
}
