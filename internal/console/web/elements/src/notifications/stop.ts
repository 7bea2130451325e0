import { type Client, type Event, unwrap } from '@fanfare/client'
import { nameOf, resourceName } from '../activity-text.ts'

/** What a person can stop being notified of, of an activity at hand. */
export type StopKind = 'resource' | 'descendants' | 'action' | 'actor'

/** One choice of "Stop this", with exactly what it changes. */
export interface StopChoice {
  kind: StopKind
  /** The id of the resource or actor, or the action. */
  target: string
  label: string
  hint: string
  /** What has been done, after it. */
  done: string
}

type Text = (name: string) => Pick<StopChoice, 'label' | 'hint' | 'done'>

/** The texts of the choices, with the name of the resource, the action or the actor. */
export type StopTexts = Record<StopKind, Text> & {
  heading: string
  /** Below the choices. */
  rest: string
  undo: string
  failed: string
  undone: string
}

export const stopTexts: StopTexts = {
  heading: 'Stop this',
  rest: 'Mandatory activities, and those addressed to you, still notify you.',
  undo: 'Undo',
  failed: 'This could not be changed',
  undone: 'Undone. You are notified as before.',
  resource: (name) => ({
    label: `Ignore ${name}`,
    hint: 'Only this resource, not what is under it.',
    done: `${name} no longer notifies you.`,
  }),
  descendants: (name) => ({
    label: `Ignore everything under ${name}`,
    hint: `And ${name} itself.`,
    done: `${name} and everything under it no longer notify you.`,
  }),
  action: (name) => ({
    label: `Mute ${name}`,
    hint: 'This action, of all resources.',
    done: `${name} no longer notifies you.`,
  }),
  actor: (name) => ({
    label: `Mute ${name}`,
    hint: 'What they do, on all resources.',
    done: `What ${name} does no longer notifies you.`,
  }),
}

/** A resource above that of an activity. */
export interface Above {
  id: string
  name: string
}

/** stopChoices returns what can be stopped after an activity. */
export function stopChoices(event: Event, above: readonly Above[] = [], texts: StopTexts = stopTexts): StopChoice[] {
  const choice = (kind: StopKind, target: string, name: string): StopChoice => ({ kind, target, ...texts[kind](name) })
  const { resource, actor, action } = event
  return [
    choice('resource', resource.resource_id, resourceName(resource)),
    choice('descendants', resource.resource_id, resourceName(resource)),
    ...above.map((a) => choice('descendants', a.id, a.name)),
    choice('action', action, action),
    choice('actor', actor.principal_id, nameOf(actor)),
  ]
}

/** stop makes a choice, and returns the function that reverses it. */
export function stop(client: Client, { kind, target }: StopChoice): Promise<() => Promise<void>> {
  if (kind === 'action') return mute(client, 'muted_actions', literal(target))
  if (kind === 'actor') return mute(client, 'muted_actors', target)
  return ignore(client, target, kind)
}

/** literal returns the pattern that matches a text alone. */
export function literal(text: string): string {
  return text.replace(/[[*?]/gu, '[$&]')
}

async function ignore(client: Client, id: string, scope: 'resource' | 'descendants'): Promise<() => Promise<void>> {
  const params = { path: { resource_id: id } }
  const had = await unwrap(client.GET('/watch-levels/{resource_id}', { params }))
  await unwrap(client.PUT('/watch-levels/{resource_id}', { params, body: { level: 'ignore', scope } }))
  return async () => {
    const { level, scope: before, patterns } = had
    if (had.from !== id || !level || !before) await unwrap(client.DELETE('/watch-levels/{resource_id}', { params }))
    else await unwrap(client.PUT('/watch-levels/{resource_id}', { params, body: { level, scope: before, patterns } }))
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
  const inherited = field === 'muted_actions' && had.inherited.muted_actions !== undefined
  return async () => {
    const now = (await unwrap(client.GET('/notifications/preferences')))[field]
    const body =
      inherited && now.length === list.length + 1
        ? { inherit: ['muted_actions' as const] }
        : { [field]: now.filter((entry) => entry !== value) }
    await unwrap(client.PUT('/notifications/preferences', { body }))
  }
}
