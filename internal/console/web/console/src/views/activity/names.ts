import { type Client, unwrap } from '@fanfare/client'
import type { Field, Selection } from './query.ts'
import { isID } from '../../parts/is_id.ts'

const maxNames = 5000
const people: readonly Field[] = ['actor', 'target', 'owner']

/** Names holds the names of principals and resources, by their ids. */
export class Names {
  #client: Client
  #changed: () => void
  #names = new Map<string, string>()
  #asked = new Set<string>()
  /** Grows whenever a name becomes known. */
  version = 0

  constructor(client: Client, changed: () => void) {
    this.#client = client
    this.#changed = changed
  }

  get(id: string): string | undefined {
    return this.#names.get(id)
  }

  set(id: string, name: string): void {
    if (this.#names.size >= maxNames) this.#names.clear()
    if (!name || this.#names.get(id) === name) return
    this.#names.set(id, name)
    this.version++
  }

  /** textOf returns how the value of a field is shown. */
  textOf(value: string): string {
    if (!isID(value)) return value
    return this.#names.get(value) ?? `…${value.slice(-6)}`
  }

  /** ask asks for the names in a selection that are not known. */
  async ask(selection: Selection): Promise<void> {
    const ids = people.map((field) => selection[field] ?? '').filter((id) => this.#unknown(id))
    const resource = selection.resource ?? ''
    await Promise.allSettled([this.people(ids), this.resources([resource])])
  }

  /** people asks for the names of principals. */
  async people(ids: readonly string[]): Promise<void> {
    const unknown = [...new Set(ids)].filter((id) => this.#unknown(id)).slice(0, 100)
    if (unknown.length === 0) return
    for (const id of unknown) this.#asked.add(id)
    const query = { ids: unknown.join(',') }
    const { items } = await unwrap(this.#client.GET('/principals', { params: { query } }))
    for (const p of items) this.set(p.principal_id, p.display_name)
    this.#changed()
  }

  /** resources asks for the names of resources. Those that the caller may not see have none. */
  async resources(ids: readonly string[]): Promise<void> {
    const unknown = [...new Set(ids)].filter((id) => this.#unknown(id)).slice(0, 10)
    await Promise.allSettled(unknown.map((id) => this.#resource(id)))
  }

  /** all are the names by id. */
  get all(): ReadonlyMap<string, string> {
    return this.#names
  }

  async #resource(id: string): Promise<void> {
    this.#asked.add(id)
    const found = await unwrap(this.#client.GET('/resources/{id}', { params: { path: { id } } }))
    this.set(id, found.name)
    this.#changed()
  }

  #unknown(id: string): boolean {
    return isID(id) && !this.#names.has(id) && !this.#asked.has(id)
  }
}
