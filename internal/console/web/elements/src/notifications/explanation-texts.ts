import type { components } from '@fanfare/client'

type Schemas = components['schemas']
export type Explanation = Schemas['Explanation']
export type Rule = Schemas['RuleResult']
export type RuleName = Rule['rule']
export type Ground = Schemas['Ground']
export type Reason = Schemas['Notification']['reasons'][number]

/** The texts of an explanation. */
export interface ExplanationTexts {
  notified: string
  notNotified: string
  pushed: string
  inboxOnly: string
  decides: string
  showRules: (count: number) => string
  grounds: string
  delivered: string
  seen: string
  read: string
  loading: string
  failed: string
  rules: Record<RuleName, string>
  /** A ground, such as "You follow Atlas arm and everything under it". */
  ground: (ground: Ground, resource: string) => string
  /** A clause about the principal, such as "is subscribed", as a sentence. */
  sentence: (why: string) => string
  through: string
  /** Who has set what a rule applies. */
  setBy: Record<NonNullable<Rule['set_by']>, string>
  withheld: string
}

export const explanationTexts: ExplanationTexts = {
  notified: 'You are notified',
  notNotified: 'You would no longer be notified',
  pushed: 'In your inbox, and live',
  inboxOnly: 'In your inbox, without a push',
  decides: 'decides',
  showRules: (count) => `The ${count} rules in order`,
  grounds: 'Because of',
  delivered: 'Delivered',
  seen: 'seen',
  read: 'read',
  loading: 'Loading the explanation',
  failed: 'The explanation could not be loaded',
  rules: {
    concern: 'Concerns you',
    actor: 'Your own action',
    group: 'A group',
    inactive: 'Inactive',
    permission: 'Permission',
    mandatory: 'Mandatory action',
    target: 'Addressed to you',
    muted_actor: 'Muted people',
    muted_action: 'Muted actions',
    level: 'Level',
    muted: 'All muted',
    mode: 'Filter',
    delivery: 'Push',
  },
  ground: (ground, resource) => {
    switch (ground.kind) {
      case 'subscription':
        return `You follow ${resource}${ground.scope === 'descendants' ? ' and everything under it' : ''}`
      case 'role':
        return `Role ${ground.role ?? ''} on ${resource}`
      case 'owner':
        return `You own ${resource}`
      case 'target':
        return 'It is addressed to you'
    }
  },
  sentence,
  through: 'through a group',
  setBy: {
    principal: 'set by you',
    tenant: 'set by your organization',
    installation: 'the default',
    taxonomy: 'set by the taxonomy',
  },
  withheld: 'a resource that you may not see',
}

/** Modes as the preferences name them. */
const modes: Record<string, string> = { all: 'Everything', mutations: 'Changes', custom: 'Chosen actions' }

/** modeOf returns the name of the mode that decides, or undefined. */
export function modeOf(why: string): string | undefined {
  const mode = /^the mode is (\w+)$/u.exec(why)?.[1]
  return mode && (modes[mode] ?? mode)
}

const verbs: Record<string, string> = {
  is: 'are',
  has: 'have',
  owns: 'own',
  holds: 'hold',
  'neither follows nor owns': 'neither follow nor own',
}

/** sentence returns a clause about the principal, such as "is subscribed", as a sentence to the principal. */
export function sentence(why: string): string {
  if (why === 'is a target') return 'You are addressed'
  const mode = modeOf(why)
  if (mode) return `Your preference is ${mode}`
  const found = Object.entries(verbs).find(([verb]) => why.startsWith(`${verb} `))
  if (!found) return why.charAt(0).toUpperCase() + why.slice(1)
  const rest = why
    .slice(found[0].length)
    .replace(/,? and (is|has|owns|holds) /gu, (all, verb: string) => all.replace(verb, verbs[verb] ?? verb))
  return `You ${found[1]}${rest}`
}
