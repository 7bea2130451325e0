import type { components, paths } from './schema.d.ts'

type Schemas = components['schemas']

export type Notification = Schemas['Notification']
export type NotificationGroup = Schemas['NotificationGroup']
export type NotificationChanges = Schemas['NotificationChanges']
export type Counts = Schemas['NotificationCounts']
export type Event = Schemas['Event']
export type Activity = Schemas['Activity']
export type Bootstrap = Schemas['Bootstrap']

/** The filter of a list of notifications, without its paging. */
export type InboxQuery = Omit<NonNullable<paths['/notifications']['get']['parameters']['query']>, 'cursor' | 'limit'>

/** The state of the connection over which events arrive. */
export type Connection = 'idle' | 'connecting' | 'live' | 'ended'
