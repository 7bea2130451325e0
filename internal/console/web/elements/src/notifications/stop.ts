import { type Client, type Event, unwrap } from '@fanfare/client'
import { nameOf, resourceName } from '../activity-text.ts'

/** What a person can stop being notified of, of an activity at hand. */
export type StopKind = 'resource' | 'descendants' | 'action' | 'actor'

/** One choice of "Stop this", with exactly what it changes. */
export interface StopChoice {
  kind: StopKind
  label: string
  hint: string
  /** What has been done, after it. */
  done: string
}

/** The texts of the choices, with the name of the resource, the action or the actor. */
export interface StopTexts {
  resource: (name: string) => StopChoice
  descendants: (name: string) => StopChoice
  action: (name: string) => StopChoice
  actor: (name: string) => StopChoice
}

export const stopTexts: StopTexts = {
  resource: (name) => ({
    kind: 'resource',
    label: name,
    done: `${name} no longer notifies you.`,
    hint: 'Sets your level of this resource to ignore. Mentions and mandatory activities still notify you.',
  }),
  descendants: (name) => ({
    kind: 'descendants',
    label: `${name} and everything under it`,
    done: `${name} and what is under it no longer notify you.`,
    hint: 'Sets your level to ignore, here and below. Mentions and mandatory activities still notify you.',
  }),
  action: (name) => ({
    kind: 'action',
    label: `The action ${name}`,
    done: `${name} no longer notifies you.`,
    hint: 'Adds it to your muted actions, for all resources.',
  }),
  actor: (name) => ({
    kind: 'actor',
    label: `Activities of ${name}`,
    done: `Activities of ${name} no longer notify you.`,
    hint: 'Adds them to your muted people, for all resources.',
  }),
}

/** stopChoices returns what can be stopped after an activity. */
export function stopChoices(event: Event, texts: StopTexts = stopTexts): StopChoice[] {
  const resource = resourceName(event.resource)
  return [
    texts.resource(resource),
    texts.descendants(resource),
    texts.action(event.action),
    texts.actor(nameOf(event.actor)),
  ]
}

/** stop makes a choice, and returns the function that reverses it. */
export function stop(client: Client, event: Event, kind: StopKind): Promise<() => Promise<void>> {
  switch (kind) {
    case 'action':
      return mute(client, 'muted_actions', event.action)
    case 'actor':
      return mute(client, 'muted_actors', event.actor.principal_id)
    default:
      return ignore(client, event.resource.resource_id, kind)
  }
}

async function ignore(client: Client, id: string, scope: 'resource' | 'descendants'): Promise<() => Promise<void>> {
  const params = { path: { resource_id: id } }
  const had = await client.GET('/watch-levels/{resource_id}', { params })
  if (had.response.status !== 404 && !had.data) await unwrap(Promise.resolve(had))
  await unwrap(client.PUT('/watch-levels/{resource_id}', { params, body: { level: 'ignore', scope } }))
  return async () => {
    if (!had.data) {
      await unwrap(client.DELETE('/watch-levels/{resource_id}', { params }))
      return
    }
    const { level, scope: before, patterns } = had.data
    await unwrap(client.PUT('/watch-levels/{resource_id}', { params, body: { level, scope: before, patterns } }))
  }
}

/** mute adds a value to a list of the preferences. A list that was inherited is inherited again afterwards. */
async function mute(
  client: Client,
  field: 'muted_actions' | 'muted_actors',
  value: string,
): Promise<() => Promise<void>> {
  const had = await unwrap(client.GET('/notifications/preferences'))
  const list = had[field]
  if (list.includes(value)) return async () => {}
  await unwrap(client.PUT('/notifications/preferences', { body: { [field]: [...list, value] } }))
  return async () => {
    const now = await unwrap(client.GET('/notifications/preferences'))
    const inherited = field === 'muted_actions' && had.inherited.muted_actions !== undefined
    await unwrap(
      client.PUT('/notifications/preferences', {
        body:
          inherited && now[field].length === list.length + 1
            ? { inherit: ['muted_actions'] }
            : { [field]: now[field].filter((entry) => entry !== value) },
      }),
    )
  }
}
