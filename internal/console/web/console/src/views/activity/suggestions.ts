import { type Client, unwrap } from '@fanfare/client'
import { nameOf, resourceName } from '@fanfare/elements/activity-text'
import { actionsFor, choicesFor, fieldsFor, type Known, type Suggestion, valuesFor, type Word } from './completion.ts'
import type { Names } from './names.ts'
import type { Field } from './query.ts'
import type { Row } from './rows.ts'

/** Suggestions finds what completes a word: in the taxonomy, the directory and the rows that are loaded. */
export class Suggestions {
  #client: Client
  #names: Names
  #all: boolean
  #rows: () => readonly Row[]
  #actions: Promise<Known[]> | undefined
  #categories: string[] = []

  constructor(client: Client, names: Names, all: boolean, rows: () => readonly Row[]) {
    this.#client = client
    this.#names = names
    this.#all = all
    this.#rows = rows
  }

  /** at returns what is known at once. */
  async of(word: Word, signal: AbortSignal): Promise<Suggestion[]> {
    const { field, text } = word
    if (!field) return this.#words(text, signal)
    switch (field) {
      case 'action':
        return actionsFor(await this.#known(), text)
      case 'actor':
      case 'target':
      case 'owner':
        return this.#people(field, text, signal)
      case 'resource':
        return this.#resources(text, signal)
      case 'resource_type':
        return valuesFor(
          field,
          this.#seen((row) => row.resource.resource_type),
          text,
        )
      case 'category':
        await this.#known()
        return valuesFor(
          field,
          this.#categories.map((name) => ({ name, hint: '' })),
          text,
        )
      default:
        return choicesFor(field, text)
    }
  }

  /** words suggests fields, actions and people for a word without a field. */
  async #words(text: string, signal: AbortSignal): Promise<Suggestion[]> {
    if (text.length < 2) return fieldsFor(text)
    const [actions, people] = await Promise.all([this.#known(), this.#people('actor', text, signal)])
    const search: Suggestion = { field: 'q', value: text, label: `“${text}”`, hint: 'search this text' }
    return [search, ...fieldsFor(text), ...actionsFor(actions, text, 5), ...people.slice(0, 4)]
  }

  #known(): Promise<Known[]> {
    this.#actions ??= unwrap(this.#client.GET('/taxonomy/actions')).then(({ items }) => {
      const list = items ?? []
      this.#categories = [...new Set(list.map((a) => a.category).filter(Boolean))].sort()
      return list.map((a) => ({ name: a.name, hint: a.description }))
    })
    this.#actions.catch(() => (this.#actions = undefined))
    return this.#actions
  }

  async #people(field: Field, text: string, signal: AbortSignal): Promise<Suggestion[]> {
    if (!this.#all || text === '') {
      const seen = new Map(
        this.#rows()
          .slice(0, 2000)
          .map((r) => [r.actor.principal_id, r.actor]),
      )
      return [...seen.values()]
        .filter((a) => nameOf(a).toLowerCase().includes(text.toLowerCase()))
        .slice(0, 12)
        .map((a) => this.#one(field, a.principal_id, nameOf(a), a.kind))
    }
    const query = { q: text, limit: 12 }
    const { items } = await unwrap(this.#client.GET('/principals', { params: { query }, signal }))
    return items.map((p) =>
      this.#one(field, p.principal_id, p.display_name || p.principal_id, p.active ? p.kind : `${p.kind}, inactive`),
    )
  }

  async #resources(text: string, signal: AbortSignal): Promise<Suggestion[]> {
    if (text === '') {
      const seen = new Map(
        this.#rows()
          .slice(0, 2000)
          .map((r) => [r.resource.resource_id, r.resource]),
      )
      return [...seen.values()]
        .slice(0, 12)
        .map((r) => this.#one('resource', r.resource_id, resourceName(r), r.resource_type))
    }
    const query = { q: text, limit: 12 }
    const { items } = await unwrap(this.#client.GET('/resources', { params: { query }, signal }))
    return items.map((r) => this.#one('resource', r.resource_id, r.name || r.resource_id, r.type))
  }

  #one(field: Field, id: string, label: string, hint: string): Suggestion {
    this.#names.set(id, label)
    return { field, value: id, label, hint }
  }

  #seen(of: (row: Row) => string): Known[] {
    const counts = new Map<string, number>()
    for (const row of this.#rows().slice(0, 5000)) counts.set(of(row), (counts.get(of(row)) ?? 0) + 1)
    return [...counts].sort((a, b) => b[1] - a[1]).map(([name]) => ({ name, hint: '' }))
  }
}
