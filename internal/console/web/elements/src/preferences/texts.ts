import { type PatternTexts, patternTexts } from './pattern-texts.ts'
import type { Field, Mode, Origin } from './values.ts'

export interface PeopleTexts {
  label: string
  hint: string
  search: string
  placeholder: string
  add: (name: string) => string
  remove: (name: string) => string
  none: string
  /** Where only those who have notified the person lately can be found. */
  recent: string
  noMatch: string
  unknown: (id: string) => string
  inactive: string
  failed: string
  tooMany: string
}

export interface PreferencesTexts {
  loading: string
  failed: string
  notSaved: string
  undo: string
  undone: string
  saved: string
  modeHeading: string
  modeHint: string
  modes: Record<Mode, { label: string; hint: string }>
  patternsLabel: string
  /** The mode custom is chosen, and takes effect with the first pattern. */
  pending: (mode: string) => string
  cancel: string
  noPatterns: string
  mutedHeading: string
  muted: { label: string; hint: string }
  arrives: { heading: string; items: readonly string[] }
  actionsHeading: string
  actionsHint: string
  actionsLabel: string
  peopleHeading: string
  people: PeopleTexts
  patterns: PatternTexts
  origins: Record<Origin, string>
  reset: string
  resetLabel: (field: string) => string
  fields: Record<Field, string>
  done: {
    mode: (mode: string) => string
    patterns: string
    muted: string
    unmuted: string
    actions: string
    mutedPerson: (name: string) => string
    unmutedPerson: (name: string) => string
    reset: (field: string) => string
  }
}

export const preferencesTexts: PreferencesTexts = {
  loading: 'Loading the preferences',
  failed: 'The preferences could not be loaded',
  notSaved: 'This could not be saved. It is as it was before.',
  undo: 'Undo',
  undone: 'Undone.',
  saved: 'Saved.',
  modeHeading: 'What notifies you',
  modeHint: 'For everything that you follow, own or manage. What you set under Following wins.',
  modes: {
    all: { label: 'Everything', hint: 'Every action, also views and checks.' },
    mutations: { label: 'Changes', hint: 'What is created, updated, deleted, or handed over.' },
    custom: { label: 'Chosen actions', hint: 'Actions that match your patterns, and no others.' },
  },
  patternsLabel: 'Patterns of actions that notify you',
  pending: (mode) => `Add a pattern to switch. Until then, “${mode}” stays in force.`,
  cancel: 'Keep it as it is',
  noPatterns: 'Without a pattern, no action notifies you.',
  mutedHeading: 'Pause',
  muted: { label: 'Pause notifications', hint: 'Nothing notifies you but what is listed here.' },
  arrives: {
    heading: 'What still arrives, in the inbox and without a push:',
    items: [
      'actions that are mandatory',
      'activities that address you: you are invited or mentioned',
      'what a level that you have set for a resource selects',
    ],
  },
  actionsHeading: 'Muted actions',
  actionsHint: 'They do not notify you, whatever else you prefer, unless they are mandatory or address you.',
  actionsLabel: 'Patterns of muted actions',
  peopleHeading: 'Muted people',
  people: {
    label: 'Muted people',
    hint: 'What they do does not notify you, unless it is mandatory or addresses you.',
    search: 'Find a person, agent or service',
    placeholder: 'Name',
    add: (name) => `Mute ${name}`,
    remove: (name) => `Unmute ${name}`,
    none: 'You have muted no one.',
    recent: 'The search finds those who have notified you lately.',
    noMatch: 'No one is found.',
    unknown: (id) => `Unknown (${id.slice(0, 8)}…)`,
    inactive: 'inactive',
    failed: 'The search failed.',
    tooMany: 'At most 1,000 can be muted.',
  },
  patterns: patternTexts,
  origins: { own: 'Your own', tenant: 'From your organization', installation: 'Default' },
  reset: 'Reset',
  resetLabel: (field) => `Reset ${field}`,
  fields: {
    filter_mode: 'the mode',
    custom_actions: 'the patterns',
    muted: 'the pause',
    muted_actions: 'the muted actions',
  },
  done: {
    mode: (mode) => `“${mode}” is in force.`,
    patterns: 'The patterns are saved.',
    muted: 'Notifications are paused.',
    unmuted: 'Notifications arrive again.',
    actions: 'The muted actions are saved.',
    mutedPerson: (name) => `${name} is muted.`,
    unmutedPerson: (name) => `${name} is no longer muted.`,
    reset: (field) => `Reset: ${field}.`,
  },
}

/** The texts for the preferences of a tenant, which hold for principals that have none of their own. */
export const tenantPreferencesTexts: PreferencesTexts = {
  ...preferencesTexts,
  modeHeading: 'What notifies people',
  modeHint: 'For everyone who has not chosen for themselves.',
  modes: {
    all: { label: 'Everything', hint: 'Every action, also views and checks.' },
    mutations: { label: 'Changes', hint: 'What is created, updated, deleted, or handed over.' },
    custom: { label: 'Chosen actions', hint: 'Actions that match the patterns, and no others.' },
  },
  patternsLabel: 'Patterns of actions that notify',
  noPatterns: 'Without a pattern, no action notifies anyone.',
  muted: {
    label: 'Pause notifications for everyone',
    hint: 'Nothing notifies those who have not chosen for themselves.',
  },
  arrives: {
    heading: 'What still arrives, in the inbox and without a push:',
    items: [
      'actions that are mandatory',
      'activities that address a person',
      'what a level that a person has set for a resource selects',
    ],
  },
  actionsHint:
    'They notify no one, unless they are mandatory, or a person is addressed or has muted actions of their own.',
  origins: { own: 'Set here', tenant: 'Set here', installation: 'Default' },
}
