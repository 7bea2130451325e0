import { errorTexts } from '@fanfare/elements/error'
import type { ExplanationTexts } from '@fanfare/elements/notifications/explanation-texts'
import type { ReasonTexts } from '@fanfare/elements/notifications/reason'
import type { RowTexts } from '@fanfare/elements/notifications/row'
import type { StopTexts } from '@fanfare/elements/notifications/stop'
import { severityTexts } from '@fanfare/elements/severity'

/** The texts in English, which is the default. */
export const english = {
  inbox: {
    label: 'Notifications',
    /** The accessible name of the button with the bell. */
    bell: (unread: number) => (unread > 0 ? `Notifications, ${unread} unread` : 'Notifications'),
    tabs: { inbox: 'Inbox', unread: 'Unread', archived: 'Archived' },
    markAll: 'Mark all as read',
    markedAll: 'All are marked as read.',
    loading: 'Loading notifications',
    failed: 'The notifications could not be loaded',
    changeFailed: 'This could not be changed. It is as before.',
    more: 'Load more',
    undo: 'Undo',
    undone: 'Undone.',
    archived: 'Archived.',
    snoozed: 'Snoozed.',
    restored: 'Moved to the inbox.',
    offline: 'Offline. The list may be out of date.',
    ended: 'Live updates have ended. Sign in again to resume them.',
    empty: {
      inbox: { heading: 'You are up to date', text: 'What concerns you appears here as it happens.' },
      unread: { heading: 'Nothing is unread', text: 'You have read everything in your inbox.' },
      archived: { heading: 'Nothing is archived', text: 'Notifications that you archive are kept here.' },
    },
  },
  activity: {
    label: 'Recent activity',
    loading: 'Loading activity',
    failed: 'The activity could not be loaded',
    more: 'Load more',
    empty: { heading: 'No activity yet', text: 'What happens here appears as it happens.' },
    live: 'New activity appears as it happens',
    noSource: 'Set the attribute resource, principal or tenant.',
  },
  preferences: {
    label: 'Notification preferences',
    loading: 'Loading the preferences',
    failed: 'The preferences could not be loaded',
    saveFailed: 'This could not be saved',
    saved: 'Saved.',
    muted: 'Mute everything',
    mutedHint: 'Mandatory activities, and those addressed to you, still notify you.',
    mode: 'Notify me of',
    modes: { all: 'Everything', mutations: 'Changes', custom: 'Chosen actions' },
    modeHints: {
      all: 'Every activity of what you follow, own or manage.',
      mutations: 'Activities that change something.',
      custom: 'Activities whose action matches one of the patterns below.',
    },
    patterns: 'Patterns of actions',
    patternsHint: 'One pattern, such as order.* or *.failed',
    mutedActions: 'Muted actions',
    mutedActionsHint: 'An action or a pattern, such as comment.*',
    mutedActors: 'Muted people',
    none: 'None',
    add: 'Add',
    remove: (name: string) => `Remove ${name}`,
    inherited: 'Set by your organisation',
  },
  follow: {
    follow: 'Follow',
    following: 'Following',
    menu: 'Notifications about this',
    failed: 'This could not be changed. Try again.',
    levels: {
      none: { label: 'Do not follow', hint: 'Only what is addressed to you or what you own.' },
      following: { label: 'Follow', hint: 'By your preferences.' },
      all: { label: 'All activity', hint: 'Everything, whatever your preferences are.' },
      participating: { label: 'Participating', hint: 'As owner or delegator only.' },
      ignore: { label: 'Ignore', hint: 'Nothing but mandatory activities and those addressed to you.' },
      custom: { label: 'Custom', hint: 'Actions that match the patterns of this level.' },
    },
  },
  severity: severityTexts,
  error: errorTexts,
}

/** The texts of the rows of an inbox, whose English ones are loaded with the rows. */
interface RowOverrides {
  row: RowTexts
  reason: ReasonTexts
  explanation: ExplanationTexts
  stop: StopTexts
}

type Override<T> = T extends (...args: never[]) => unknown
  ? T
  : T extends object
    ? { [K in keyof T]?: Override<T[K]> | undefined }
    : T

/** Texts that replace the English ones; each one may be missing. */
export type TextOverrides = Override<typeof english & RowOverrides>

/** All texts but those of rows, and what replaces texts of rows. */
export type Texts = typeof english & Override<RowOverrides>

/** merged returns the texts with what overrides replace, the last one first. */
export function merged(...overrides: (TextOverrides | undefined)[]): Texts {
  return overrides.reduce<Texts>((all, next) => (next ? (combine(all, next) as Texts) : all), english)
}

/** merge returns an object with what another one replaces, also in the objects within. */
export function merge<T>(base: T, over: object | undefined): T {
  return combine(base, over) as T
}

function combine(base: unknown, over: unknown): unknown {
  if (!isRecord(base) || !isRecord(over)) return over ?? base
  const keys = new Set([...Object.keys(base), ...Object.keys(over)])
  return Object.fromEntries([...keys].map((key) => [key, combine(base[key], over[key])]))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
