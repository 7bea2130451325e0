import { type Client, type components, unwrap } from '@fanfare/client'

type Schemas = components['schemas']
export type Mode = Schemas['Preferences']['filter_mode']
export type Field = 'filter_mode' | 'custom_actions' | 'muted' | 'muted_actions'
export type Origin = 'own' | 'tenant' | 'installation'

/** Preferences of a person, or of a tenant, which mute no one. */
export type Preferences = Omit<Schemas['Preferences'], 'muted_actors'> & { muted_actors?: string[] }

/** A change: values of fields, and fields to inherit. */
export type Change = Omit<Schemas['PreferencesChange'], '$schema'>

/** Whose preferences they are. */
export type Owner = 'own' | 'tenant'

export async function read(client: Client, owner: Owner): Promise<Preferences> {
  return owner === 'tenant'
    ? unwrap(client.GET('/tenant/preferences'))
    : unwrap(client.GET('/notifications/preferences'))
}

export async function write(client: Client, owner: Owner, body: Change): Promise<Preferences> {
  return owner === 'tenant'
    ? unwrap(client.PUT('/tenant/preferences', { body }))
    : unwrap(client.PUT('/notifications/preferences', { body }))
}

/** originOf returns where the value of a field comes from. */
export function originOf(preferences: Preferences, field: Field): Origin {
  return preferences.inherited[field] ?? 'own'
}

/** reverse returns the change that restores what a change changes. */
export function reverse(before: Preferences, change: Change): Change {
  const back: Change = {}
  const inherit: Field[] = []
  const fields: Field[] = ['filter_mode', 'custom_actions', 'muted', 'muted_actions']
  for (const field of fields) {
    if (change[field] === undefined && !change.inherit?.includes(field)) continue
    if (originOf(before, field) === 'own') Object.assign(back, { [field]: before[field] })
    else inherit.push(field)
  }
  if (inherit.length > 0) back.inherit = inherit
  if (change.muted_actors) back.muted_actors = before.muted_actors ?? []
  return back
}

/** apply returns preferences as they look before the API confirms a change. */
export function apply(before: Preferences, { inherit: _, ...values }: Change): Preferences {
  const inherited = { ...before.inherited }
  for (const field of Object.keys(values)) if (field !== 'muted_actors') delete inherited[field as Field]
  return { ...before, ...values, inherited } as Preferences
}
