import type { Level, Scope, WatchLevel } from './store.ts'

/** A resource to follow, with those above it, the nearest last. */
export interface FollowTarget {
  id: string
  name: string
  hasChildren: boolean
  ancestors: readonly { id: string; name: string }[]
}

export interface FollowTexts {
  follow: string
  following: Record<Scope, string>
  /** Followed through a resource above, with its name. */
  through: (name: string) => string
  /** Followed through a group, with its name. */
  throughGroup: (name: string) => string
  /** Why that cannot be changed here. */
  ofGroup: string
  /** The accessible name of the button, with what it shows. */
  followLabel: (name: string, value: string) => string
  levelLabel: (name: string, value: string) => string
  choices: Record<Scope | 'none', { label: string; hint: string }>
  levelHeading: string
  preferences: { label: string; hint: string }
  /** The level of a resource above, which holds without one of its own. */
  inherited: (name: string, level: string) => { label: string; hint: string }
  levels: Record<Level, { label: string; hint: string; short: string }>
  patterns: (count: number) => string
  from: (name: string) => string
  below: { label: string; hint: string }
  done: {
    follow: (name: string, scope: Scope) => string
    unfollow: (name: string) => string
    level: (name: string, level: string) => string
    noLevel: (name: string) => string
  }
  failed: (name: string) => string
  missing: string
  undo: string
  unknown: string
  loading: string
  failedLoad: string
  dialog: {
    heading: (name: string) => string
    hint: string
    empty: string
    save: string
    cancel: string
    close: string
  }
}

export const followTexts: FollowTexts = {
  follow: 'Follow',
  following: { resource: 'Following', descendants: 'Following all' },
  through: (name) => `Through ${name}`,
  throughGroup: (name) => `Through the group ${name}`,
  ofGroup: 'The owner and the delegators of the resource decide what a group follows.',
  followLabel: (name, value) => `${value}: ${name}`,
  levelLabel: (name, value) => `Level of ${name}: ${value}`,
  choices: {
    none: { label: 'Do not follow', hint: 'Only what addresses you, or what you own or manage.' },
    resource: { label: 'Follow this', hint: 'This resource alone.' },
    descendants: { label: 'Follow everything under it', hint: 'This resource and all below it.' },
  },
  levelHeading: 'Notify me of',
  preferences: { label: 'My preferences', hint: 'As your preferences say.' },
  inherited: (name, level) => ({ label: `Same as ${name}`, hint: `The level there is ${level}.` }),
  levels: {
    all: { label: 'Everything', hint: 'Every action.', short: 'Everything' },
    participating: {
      label: 'What I own or manage',
      hint: 'Every action as owner or delegator, none as follower.',
      short: 'Participating',
    },
    custom: { label: 'Chosen actions…', hint: 'Those that match patterns.', short: 'Chosen' },
    ignore: { label: 'Nothing', hint: 'Only what is mandatory or addresses you.', short: 'Nothing' },
  },
  patterns: (count) => (count === 1 ? '1 pattern' : `${count} patterns`),
  from: (name) => `from ${name}`,
  below: { label: 'Everything under it too', hint: 'The level also holds for all resources below.' },
  done: {
    follow: (name, scope) =>
      scope === 'descendants' ? `You follow ${name} and everything under it.` : `You follow ${name}.`,
    unfollow: (name) => `You no longer follow ${name}.`,
    level: (name, level) => `Level of ${name}: ${level}.`,
    noLevel: (name) => `${name} has no level of its own any more.`,
  },
  failed: (name) => `${name} could not be changed.`,
  missing: 'It was removed, or you may no longer see it.',
  undo: 'Undo',
  unknown: 'this resource',
  loading: 'Loading',
  failedLoad: 'Could not be loaded. Try again',
  dialog: {
    heading: (name) => `Actions of ${name} that notify you`,
    hint: 'Only actions that match a pattern notify you.',
    empty: 'Add at least one pattern.',
    save: 'Save',
    cancel: 'Cancel',
    close: 'Close',
  },
}

/** levelText returns a level in a word or two. */
export function levelText(level: Pick<WatchLevel, 'level' | 'patterns'>, texts: FollowTexts): string {
  const { short } = texts.levels[level.level]
  return level.level === 'custom' ? `${short}: ${texts.patterns(level.patterns.length)}` : short
}
