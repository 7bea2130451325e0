import type {
  FanfareActivity as Activity,
  FanfareFollow as Follow,
  FanfareInbox as Inbox,
  FanfarePreferences as Preferences,
  FanfareProvider as Provider,
} from '@fanfare/widgets'
import '@fanfare/widgets'
import { wrap } from './wrap.ts'

export type { OpenDetail, TextOverrides } from '@fanfare/widgets'
export type { FollowedDetail } from './wrap.ts'

/** The client and the texts of the widgets in it. */
export const FanfareProvider = wrap<Provider, 'apiUrl' | 'getToken' | 'client' | 'texts'>('fanfare-provider')

/** A bell with the number of unread notifications, which opens the inbox. */
export const FanfareInbox = wrap<Inbox, Common | 'badge' | 'linkFor'>('fanfare-inbox')

/** The recent activities of a resource, of a principal or of the tenant. */
export const FanfareActivity = wrap<Activity, Common | 'resource' | 'principal' | 'tenant' | 'limit' | 'channel'>(
  'fanfare-activity',
)

/** What the signed-in person wants to be notified of. */
export const FanfarePreferences = wrap<Preferences, Common>('fanfare-preferences')

/** A button that shows how the signed-in person follows a resource, and a menu that changes it. */
export const FanfareFollow = wrap<Follow, Common | 'resource'>('fanfare-follow')

type Common = 'apiUrl' | 'getToken' | 'client' | 'texts' | 'theme'
