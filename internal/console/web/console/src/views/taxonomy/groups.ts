import type { components } from '@fanfare/client'

export type Action = components['schemas']['Action']

/** The actions of one resource, such as those of `file`. */
export interface ActionGroup {
  resource: string
  actions: Action[]
}

/** search returns the actions that contain every word of a text, in groups by the first part of their names. */
export function search(actions: readonly Action[], text: string): ActionGroup[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const groups = new Map<string, Action[]>()
  for (const action of actions) {
    const all = `${action.name} ${action.description} ${action.category} ${action.severity}`.toLowerCase()
    if (!words.every((word) => all.includes(word))) continue
    const resource = action.name.slice(0, action.name.indexOf('.'))
    groups.set(resource, [...(groups.get(resource) ?? []), action])
  }
  return [...groups].map(([resource, list]) => ({ resource, actions: list }))
}

/** whom describes whom an action notifies by its entry in the taxonomy. */
export function whom(notify: Action['notify']): string {
  switch (notify) {
    case 'mandatory':
      return 'Notifies every watcher, whatever their filter is.'
    case 'default':
      return 'Notifies watchers whose filter is “mutations”.'
    case 'optional':
      return 'Does not notify watchers whose filter is “mutations”.'
    default:
      return 'The installation’s patterns of mutations decide for the filter “mutations”.'
  }
}

export const enforcements = {
  off: 'Services may record any action.',
  warn: 'An action that the taxonomy does not know, or does not allow, is recorded with a warning.',
  strict: 'The database refuses an action that the taxonomy does not know or does not allow.',
} as const
