import { dateFormat, timeOfDay } from '../formats.ts'

/** A time until which a notification can be snoozed. */
export interface SnoozeChoice {
  id: string
  label: string
  /** The time, such as "Mon, 09:00". */
  hint: string
  until: Date
}

export interface SnoozeTexts {
  label: string
  hours: (count: number) => string
  tomorrow: string
  week: string
  month: string
  custom: string
  customHeading: string
  customField: string
  customHint: string
  snooze: string
  cancel: string
  past: string
}

export const snoozeTexts: SnoozeTexts = {
  label: 'Snooze',
  hours: (count) => `In ${count} hours`,
  tomorrow: 'Tomorrow',
  week: 'Next week',
  month: 'In a month',
  custom: 'Another time…',
  customHeading: 'Snooze until',
  customField: 'Date and time',
  customHint: 'It returns to the inbox then, unread.',
  snooze: 'Snooze',
  cancel: 'Cancel',
  past: 'Choose a time in the future, at most 366 days ahead.',
}

const morning = 9

/** snoozeChoices returns the times that are offered, in the time zone of the page. */
export function snoozeChoices(now: Date, texts: SnoozeTexts = snoozeTexts, locale?: string): SnoozeChoice[] {
  const day = dateFormat(locale, { weekday: 'short', ...timeOfDay })
  const date = dateFormat(locale, { month: 'short', day: 'numeric', ...timeOfDay })
  const hours = new Date(now.getTime() + 3 * 3_600_000)
  const tomorrow = at(now, 1)
  const week = at(now, (8 - now.getDay()) % 7 || 7)
  const month = at(now, 30)
  const all = [
    { id: 'hours', label: texts.hours(3), until: hours, hint: day.format(hours) },
    { id: 'tomorrow', label: texts.tomorrow, until: tomorrow, hint: day.format(tomorrow) },
    { id: 'week', label: texts.week, until: week, hint: date.format(week) },
    { id: 'month', label: texts.month, until: month, hint: date.format(month) },
  ]
  return all.filter((c, i) => all.findIndex((o) => o.until.getTime() === c.until.getTime()) === i)
}

/** at returns a morning some days later. */
function at(now: Date, days: number): Date {
  const date = new Date(now)
  date.setDate(date.getDate() + days)
  date.setHours(morning, 0, 0, 0)
  return date
}

/** customSnooze returns the time of a field of the type datetime-local, or undefined if it cannot be chosen. */
export function customSnooze(value: string, now: Date): Date | undefined {
  const until = new Date(value)
  const ahead = until.getTime() - now.getTime()
  return ahead > 0 && ahead <= 366 * 86_400_000 ? until : undefined
}

/** localValue returns a time as the value of a field of the type datetime-local. */
export function localValue(time: Date): string {
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}
