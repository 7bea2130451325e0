import type { Icon } from '@fanfare/elements/icon'
import {
  Activity,
  FolderTree,
  Gauge,
  History,
  Inbox,
  Rocket,
  SlidersHorizontal,
  Stethoscope,
  Tags,
} from '@fanfare/elements/icons'
import { may, type Me } from './sign_in/me.ts'

/** A view of the console. */
export interface Route {
  /** The first part of the address. */
  id: string
  /** In the navigation, and in the title of the window. */
  title: string
  icon: Icon
  /** The name of its element, which load defines. */
  element: string
  load: () => Promise<unknown>
  /** Views of one group stand together in the navigation. */
  group: 'people' | 'operators' | 'none'
  /** The scope without which the view is forbidden. */
  scope?: string
  shortcut?: string
}

/** The views. Each is loaded when it is shown. */
export const routes: readonly Route[] = [
  {
    id: 'inbox',
    title: 'Inbox',
    icon: Inbox,
    element: 'ff-inbox-view',
    group: 'people',
    shortcut: 'g i',
    load: () => import('./views/inbox/view.ts'),
  },
  {
    id: 'activity',
    title: 'Activity',
    icon: Activity,
    element: 'ff-activity-view',
    group: 'people',
    shortcut: 'g a',
    load: () => import('./views/activity/view.ts'),
  },
  {
    id: 'following',
    title: 'Following',
    icon: FolderTree,
    element: 'ff-following-view',
    group: 'people',
    shortcut: 'g f',
    load: () => import('./views/following/view.ts'),
  },
  {
    id: 'preferences',
    title: 'Preferences',
    icon: SlidersHorizontal,
    element: 'ff-preferences-view',
    group: 'people',
    shortcut: 'g p',
    load: () => import('./views/preferences/view.ts'),
  },
  {
    id: 'operations',
    title: 'Operations',
    icon: Gauge,
    element: 'ff-operations-view',
    group: 'operators',
    scope: 'activity:admin',
    shortcut: 'g o',
    load: () => import('./views/operations/view.ts'),
  },
  {
    id: 'retention',
    title: 'Retention',
    icon: History,
    element: 'ff-retention-view',
    group: 'operators',
    scope: 'activity:admin',
    shortcut: 'g r',
    load: () => import('./views/retention/view.ts'),
  },
  {
    id: 'taxonomy',
    title: 'Taxonomy',
    icon: Tags,
    element: 'ff-taxonomy-view',
    group: 'operators',
    scope: 'activity:admin',
    shortcut: 'g t',
    load: () => import('./views/taxonomy/view.ts'),
  },
  {
    id: 'doctor',
    title: 'Doctor',
    icon: Stethoscope,
    element: 'ff-doctor-view',
    group: 'operators',
    scope: 'installation:read',
    shortcut: 'g d',
    load: () => import('./views/doctor/view.ts'),
  },
  {
    id: 'start',
    title: 'First steps',
    icon: Rocket,
    element: 'ff-start-view',
    group: 'none',
    load: () => import('./views/start/view.ts'),
  },
]

/** home is the view of /console/. */
export const home = 'inbox'

/** routeOf returns the view of a name. */
export function routeOf(id: string): Route | undefined {
  return routes.find((r) => r.id === (id || home))
}

/** allowed reports whether the caller may see a view. */
export function allowed(route: Route, me: Me): boolean {
  return !route.scope || may(me, route.scope)
}
