import { type Client, type components, unwrap } from '@fanfare/client'

/** The caller: the answer of GET /v1/me. */
export type Me = components['schemas']['Me']

/** whoAmI asks the API who the caller is. */
export async function whoAmI(client: Client): Promise<Me> {
  return unwrap(client.GET('/me'))
}

/** may reports whether the caller has a scope. `activity:admin` implies `activity:read`. */
export function may(me: Me, scope: string): boolean {
  return me.scopes.includes(scope) || (scope === 'activity:read' && me.scopes.includes('activity:admin'))
}
