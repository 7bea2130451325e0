import { ProblemError, type components } from '@fanfare/client'

export type Retention = components['schemas']['Retention']
export type Change = components['schemas']['RetentionChange']
export type Hold = components['schemas']['LegalHold']

export interface Limit {
  name: keyof Change
  label: string
  unit: 'days' | 'activities'
  /** What the limit does. */
  text: string
  /** What 0 does. */
  none: string
}

export const limits: readonly Limit[] = [
  {
    name: 'max_days',
    label: 'Maximum age of activities',
    unit: 'days',
    text: 'Activities older than this are removed, with their notifications.',
    none: 'Activities are kept, whatever their age is.',
  },
  {
    name: 'max_entries',
    label: 'Maximum number of activities',
    unit: 'activities',
    text: 'If there are more, the oldest are removed.',
    none: 'Activities are kept, whatever their number is.',
  },
  {
    name: 'min_days',
    label: 'Always keep activities for',
    unit: 'days',
    text: 'Activities younger than this are never removed, whatever the other limits are.',
    none: 'The other limits can remove activities of any age.',
  },
  {
    name: 'inbox_days',
    label: 'Keep notifications for',
    unit: 'days',
    text: 'Older notifications leave the inboxes, read or not. Their activities are kept.',
    none: 'Notifications are kept as long as their activities.',
  },
  {
    name: 'idempotency_days',
    label: 'Recognition of duplicates',
    unit: 'days',
    text: 'An activity that is recorded again within this time is a duplicate.',
    none: 'Duplicates are recognized as long as the activity is kept.',
  },
  {
    name: 'dead_letter_days',
    label: 'Dead letters',
    unit: 'days',
    text: 'Older dead letters are removed, and can no longer be replayed. Their activities are kept.',
    none: 'Dead letters are kept.',
  },
  {
    name: 'parked_days',
    label: 'Parked activities',
    unit: 'days',
    text: 'An activity that is parked for this time becomes a dead letter.',
    none: 'Parked activities are tried again without end.',
  },
  {
    name: 'token_days',
    label: 'Service tokens',
    unit: 'days',
    text: 'Expired and revoked tokens are listed for this time.',
    none: 'Expired and revoked tokens are listed without end.',
  },
]

/** What a person has entered for a limit: the installation's, or a number of its own. */
export interface Entry {
  own: boolean
  text: string
}

export type Entries = Record<keyof Change, Entry>

/** entriesOf returns the entries of a policy. */
export function entriesOf(policy: Retention): Entries {
  return Object.fromEntries(
    limits.map(({ name }) => [name, { own: policy[name].from === 'tenant', text: String(policy[name].value) }]),
  ) as Entries
}

const whole = /^\d{1,10}$/

/** errorsOf returns the errors of entries for a policy, by the names of their limits. */
export function errorsOf(policy: Retention, entries: Entries): Partial<Record<keyof Change, string>> {
  const errors: Partial<Record<keyof Change, string>> = {}
  for (const { name } of limits) {
    if (entries[name].own && !whole.test(entries[name].text.trim())) {
      errors[name] = 'Enter a whole number; 0 is no limit.'
    }
  }
  const [max, min] = [numberOf(entries.max_days), numberOf(entries.min_days)]
  if (entries.min_days.own && !errors.min_days && min < policy.min_days_floor) {
    errors.min_days = `Enter at least the installation’s minimum age (${policy.min_days_floor}).`
  }
  if (entries.max_days.own && !errors.max_days && !errors.min_days && max > 0 && max < min) {
    errors.max_days = `Enter at least the minimum age (${min}), or 0.`
  }
  return errors
}

/** problemsOf returns the violations of a problem by the names of their limits. */
export function problemsOf(error: unknown): Partial<Record<keyof Change, string>> {
  if (!(error instanceof ProblemError)) return {}
  const found = limits
    .map(({ name }) => [name, error.violations(name).join('; ')] as const)
    .filter(([, text]) => text !== '')
  return Object.fromEntries(found.map(([name, text]) => [name, `${text.charAt(0).toUpperCase()}${text.slice(1)}.`]))
}

function numberOf(entry: Entry): number {
  return Number(entry.text.trim())
}

/** changeOf returns what entries change in a policy. */
export function changeOf(policy: Retention, entries: Entries): Change {
  const change: Change = {}
  for (const { name } of limits) {
    const { own } = entries[name]
    const was = policy[name]
    if (own && (was.from !== 'tenant' || was.value !== numberOf(entries[name]))) change[name] = numberOf(entries[name])
    if (!own && was.from === 'tenant') change[name] = null
  }
  return change
}

/** The limits whose change may remove data at the next run: a lower one, or one where there was none. */
export function removing(policy: Retention, change: Change): Limit[] {
  return limits.filter(({ name }) => {
    const to = change[name]
    if (to === undefined) return false
    const was = policy[name].value
    if (to === null) return name !== 'min_days' || policy.min_days_floor < was // the installation's may be lower
    if (name === 'min_days') return to < was
    return to > 0 && (was === 0 || to < was)
  })
}

/** textOf describes a limit of a policy: what it does, and for the minimum age its floor. */
export function textOf(limit: Limit, policy: Retention): string {
  const floor = limit.name === 'min_days' ? policy.min_days_floor : 0
  return floor > 0 ? `${limit.text} At least ${valueText(limit, floor)}, as the installation says.` : limit.text
}

/** valueText describes a value: 90 days, no limit. */
export function valueText(limit: Limit, value: number): string {
  if (value === 0) return 'no limit'
  const unit = value === 1 ? limit.unit.replace(/ies$/, 'y').replace(/s$/, '') : limit.unit
  return `${value.toLocaleString('en-US')} ${unit}`
}
