import type { Client } from '@fanfare/client'
import { css, html, nothing } from 'lit'
import { property, query, state } from 'lit/decorators.js'
import { Ban, Search, X } from 'lucide'
import { BaseElement, define, emit, styled, textStyles } from '../base.ts'
import { Debounce } from '../debounce.ts'
import type { Input } from '../input.ts'
import { find, type Found, named, type Person } from './people.ts'
import { type PeopleTexts, preferencesTexts } from './texts.ts'
import '../avatar.ts'
import '../icon-button.ts'
import '../input.ts'

const maxMuted = 1_000

/** The muted people, and a search for others. Fires `mute` and `unmute` with a Person. */
@define('ff-muted-people')
export class MutedPeople extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
    :host { display: block; min-width: 0; }
    ul { margin-block-start: var(--ff-space-2); border: 1px solid var(--ff-border); border-radius: var(--ff-radius); }
    li {
      display: flex; align-items: center; gap: var(--ff-space-2); min-height: 40px;
      padding: 2px 4px 2px var(--ff-space-3); font-size: var(--ff-size-meta);
    }
    li + li { border-block-start: 1px solid var(--ff-border); }
    .name { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    .meta, .note { font-size: var(--ff-size-sm); color: var(--ff-text-3); }
    .note { margin-block-start: var(--ff-space-2); }
    .found { border-color: var(--ff-border-strong); }
    .error { color: var(--ff-error); }
  `,
  )

  @property({ attribute: false }) client: Client | undefined
  @property({ attribute: false }) muted: readonly string[] = []
  @property({ attribute: false }) texts: PeopleTexts = preferencesTexts.people
  @state() private names = new Map<string, Person>()
  @state() private q = ''
  @state() private found: Found | undefined
  @state() private error = ''
  @query('ff-input') private input!: Input
  #typing = new Debounce()
  #abort: AbortController | undefined

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#typing.cancel()
    this.#abort?.abort()
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (changed.has('muted') || changed.has('client')) void this.#name()
  }

  async #name(): Promise<void> {
    const unnamed = this.muted.filter((id) => !this.names.has(id))
    if (!this.client || unnamed.length === 0) return
    try {
      const names = await named(this.client, unnamed)
      this.names = new Map([...this.names, ...names])
    } catch {
      // The ids stand for the names.
    }
  }

  protected override render(): unknown {
    const { texts } = this
    return html`<ff-input type="search" label=${texts.search} .placeholder=${texts.placeholder}
      .icon=${Search} clearable
        .value=${this.q} @input=${this.#write}></ff-input>
      <div role="status">${this.#results()}</div>
      ${this.error ? html`<p class="note error" role="alert">${this.error}</p>` : nothing}
      ${
        this.muted.length === 0
          ? html`<p class="note">${texts.none}</p>`
          : html`<ul aria-label=${texts.label}>${this.muted.map((id) => this.#muted(id))}</ul>`
      }`
  }

  #muted(id: string): unknown {
    const { texts } = this
    const person = this.names.get(id) ?? { principal_id: id, kind: 'user', display_name: '', active: true }
    const name = person.display_name || texts.unknown(id)
    return html`<li><ff-avatar size="sm" .name=${person.display_name} .kind=${person.kind}></ff-avatar>
      <span class="name" title=${name}><bdi>${name}</bdi></span>
      ${person.active ? nothing : html`<span class="meta">${texts.inactive}</span>`}
      <ff-icon-button .icon=${X} label=${texts.remove(name)} @click=${() => {
        emit(this, 'unmute', { ...person, display_name: name })
        this.input.focus()
      }}></ff-icon-button></li>`
  }

  #results(): unknown {
    const { texts, found } = this
    if (!this.q.trim() || !found) return nothing
    const items = found.items.filter((p) => !this.muted.includes(p.principal_id))
    return html`${
      items.length > 0
        ? html`<ul class="found">${items.map((p) => {
            const name = p.display_name || texts.unknown(p.principal_id)
            return html`<li><ff-avatar size="sm" .name=${p.display_name} .kind=${p.kind}></ff-avatar>
              <span class="name" title=${name}><bdi>${name}</bdi></span><span class="meta">${p.kind}</span>
              <ff-icon-button .icon=${Ban} label=${texts.add(name)}
                @click=${() => this.#mute(p)}></ff-icon-button></li>`
          })}</ul>`
        : html`<p class="note">${texts.noMatch}</p>`
    }${found.everyone ? nothing : html`<p class="note">${texts.recent}</p>`}`
  }

  #mute(person: Person): void {
    if (this.muted.length >= maxMuted) {
      this.error = this.texts.tooMany
      return
    }
    this.names = new Map(this.names).set(person.principal_id, person)
    this.q = ''
    this.input.focus()
    emit(this, 'mute', person)
  }

  #write = (): void => {
    this.q = this.input.value
    this.error = ''
    this.#typing.cancel()
    this.#abort?.abort()
    if (this.q.trim()) this.#typing.after(200, () => void this.#search(this.q))
  }

  async #search(q: string): Promise<void> {
    const abort = new AbortController()
    this.#abort = abort
    if (!this.client) return
    try {
      const found = await find(this.client, q.trim(), abort.signal)
      if (!abort.signal.aborted) this.found = found
    } catch (error) {
      if (!abort.signal.aborted) this.error = `${this.texts.failed} ${error instanceof Error ? error.message : ''}`
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-muted-people': MutedPeople
  }
}
