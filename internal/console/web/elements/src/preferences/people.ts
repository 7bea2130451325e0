import { type Client, type components, ProblemError, unwrap } from '@fanfare/client'

export type Person = components['schemas']['DirectoryPrincipal']

/** named returns the names of principals by their ids, in pages of 100. */
export async function named(client: Client, ids: readonly string[]): Promise<Map<string, Person>> {
  const names = new Map<string, Person>()
  for (let from = 0; from < ids.length; from += 100) {
    const query = { ids: ids.slice(from, from + 100).join(',') }
    const { items } = await unwrap(client.GET('/principals', { params: { query } }))
    for (const person of items) names.set(person.principal_id, person)
  }
  return names
}

/** What a search finds: everyone of the tenant, or where that is not permitted those of recent notifications. */
export interface Found {
  items: Person[]
  everyone: boolean
}

/** find searches for principals by a text in the name. */
export async function find(client: Client, q: string, signal?: AbortSignal): Promise<Found> {
  try {
    const call = client.GET('/principals', { params: { query: { q, limit: 20 } }, ...(signal ? { signal } : {}) })
    return { items: (await unwrap(call)).items.filter((p) => p.kind !== 'group'), everyone: true }
  } catch (error) {
    if (!(error instanceof ProblemError) || error.status !== 403) throw error
    return { items: search(await lately(client, signal), q), everyone: false }
  }
}

/** lately returns the actors of the newest notifications. */
async function lately(client: Client, signal?: AbortSignal): Promise<Person[]> {
  const call = client.GET('/notifications', { params: { query: { limit: 200 } }, ...(signal ? { signal } : {}) })
  const people = new Map<string, Person>()
  for (const { event } of (await unwrap(call)).items) {
    const { principal_id, kind, display_name } = event.actor
    if (!people.has(principal_id)) people.set(principal_id, { principal_id, kind, display_name, active: true })
  }
  return [...people.values()]
}

/** search returns those whose name contains a text. */
export function search(people: readonly Person[], q: string): Person[] {
  const text = q.trim().toLocaleLowerCase()
  return people.filter((p) => p.display_name.toLocaleLowerCase().includes(text)).slice(0, 20)
}
