/** The texts of an editor of patterns. */
export interface PatternTexts {
  add: string
  addLabel: string
  placeholder: string
  hint: string
  remove: (pattern: string) => string
  actions: (count: number) => string
  /** A pattern that matches nothing. */
  nothing: string
  nearest: string
  use: (action: string) => string
  rule: (pattern: string, rule: string) => string
  duplicate: (pattern: string) => string
  tooMany: string
  none: string
  testing: string
  failed: string
  retry: string
  summary: (actions: number, happened: number, times: number, exact: boolean) => string
  unknown: string
  times: (count: number) => string
  all: (count: number) => string
  fewer: string
  matches: string
}

const number = (n: number): string => n.toLocaleString()
const some = (n: number, one: string): string => `${number(n)} ${one}${n === 1 ? '' : 's'}`

export const patternTexts: PatternTexts = {
  add: 'Add',
  addLabel: 'Add a pattern',
  placeholder: 'comment.*',
  hint: '* matches any characters, ? one, [ab] one of these. A pattern matches the whole action.',
  remove: (pattern) => `Remove ${pattern}`,
  actions: (count) => some(count, 'action'),
  nothing: 'matches no action',
  nearest: 'The nearest is',
  use: (action) => `Use ${action}`,
  rule: (pattern, rule) => `${pattern} ${rule}.`,
  duplicate: (pattern) => `${pattern} is in the list already.`,
  tooMany: 'There may be at most 100 patterns. Remove some, or write wider ones.',
  none: 'No patterns yet.',
  testing: 'Testing…',
  failed: 'The patterns could not be tested.',
  retry: 'Try again',
  summary: (actions, happened, times, exact) => {
    const match = actions === 1 ? '1 action matches' : `${number(actions)} actions match`
    if (actions === 0) return 'No action matches.'
    if (happened === 0) return `${match}; none happened in the last 7 days.`
    const subject = actions === 1 ? 'it' : number(happened)
    return `${match}; ${subject} happened in the last 7 days, ${exact ? '' : 'at least '}${some(times, 'time')}.`
  },
  unknown: 'not in the taxonomy',
  times: (count) => `${number(count)}×`,
  all: (count) => `Show all ${number(count)}`,
  fewer: 'Show fewer',
  matches: 'Actions that match',
}
