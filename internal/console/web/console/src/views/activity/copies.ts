import type { Activity } from '@fanfare/client'

/** permanentLink returns the address of an activity, without the filter. */
export function permanentLink(id: string): string {
  return new URL(`/console/activity/${id}`, location.href).href
}

/** curlOf returns a command that reads a path of the API. The token is a variable of the shell. */
export function curlOf(url: string, path: string): string {
  const address = new URL(url + path, location.href).href
  return `curl -H "Authorization: Bearer $FANFARE_TOKEN" ${shellQuoted(address)}`
}

/** sqlOf returns a query that reads an activity. */
export function sqlOf(activity: Pick<Activity, 'tenant_id' | 'event_id'>): string {
  const where = `tenant_id = ${sqlQuoted(activity.tenant_id)} AND id = ${sqlQuoted(activity.event_id)}`
  return `SELECT * FROM fanfare.activities\nWHERE ${where};`
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

function sqlQuoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
