import type { components } from '@fanfare/client'

type Schemas = components['schemas']
export type Explanation = Schemas['Explanation']
export type RuleName = Schemas['RuleResult']['rule']
export type Reason = Schemas['Notification']['reasons'][number]

/** The texts of an explanation. */
export interface ExplanationTexts {
  heading: string
  notified: string
  notNotified: string
  pushed: string
  inboxOnly: string
  decided: string
  showRules: (count: number) => string
  sent: string
  seen: string
  read: string
  loading: string
  failed: string
  reasons: Record<Reason, string>
  rules: Record<RuleName, string>
}

export const explanationTexts: ExplanationTexts = {
  heading: 'Why am I notified?',
  notified: 'You are notified: you',
  notNotified: 'You would not be notified now: you',
  pushed: 'In the inbox, and at once on your devices',
  inboxOnly: 'In the inbox only',
  decided: 'decides',
  showRules: (count) => `All ${count} rules, in their order`,
  sent: 'Notified',
  seen: 'seen',
  read: 'read',
  loading: 'Loading the explanation',
  failed: 'The explanation could not be loaded',
  reasons: { subscribed: 'Subscribed', owner: 'Owner', delegator: 'Delegator', target: 'Addressed' },
  rules: {
    concern: 'Concerns you', actor: 'Not your own action', group: 'Not a group', inactive: 'Active', permission: 'May see it',
    mandatory: 'Mandatory action', target: 'Addressed to you', muted_actor: 'Muted people', muted_action: 'Muted actions',
    level: 'Level of the resource', muted: 'Notifications muted', mode: 'Filter', delivery: 'Delivery',
  },
}

/** clause returns the sentence of a clause about the principal, such as "is subscribed". */
export function clause(why: string): string {
  return why ? why.charAt(0).toUpperCase() + why.slice(1) : ''
}
