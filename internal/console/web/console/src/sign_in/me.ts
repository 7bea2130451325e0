import { type Client, problemOf } from '@fanfare/client'

/** The caller: the answer of GET /v1/me. */
export interface Me {
  tenant_id: string
  principal_id: string
  kind: string
  display_name: string
  scopes: string[]
  credential: 'jwt' | 'service_token' | 'gateway' | 'session'
  expires_at: string | null
  realtime_url: string
}

/** whoAmI asks the API who the caller is. */
export async function whoAmI(client: Client): Promise<Me> {
  const response = await client.send('/me')
  if (!response.ok) throw await problemOf(response)
  return (await response.json()) as Me
}

/** may reports whether the caller has a scope. `activity:admin` implies `activity:read`. */
export function may(me: Me, scope: string): boolean {
  return me.scopes.includes(scope) || (scope === 'activity:read' && me.scopes.includes('activity:admin'))
}
