import { unwrap } from '@fanfare/client'
import { nameOf } from '@fanfare/elements/activity-text'
import { BaseElement, define, emit, styled, textStyles } from '@fanfare/elements/base'
import { Debounce } from '@fanfare/elements/debounce'
import { icon } from '@fanfare/elements/icon'
import { Filter, Search } from '@fanfare/elements/icons'
import type { Input } from '@fanfare/elements/input'
import { reasonTexts } from '@fanfare/elements/notifications/reason'
import type { Option } from '@fanfare/elements/select'
import { css, html, nothing } from 'lit'
import { property, state } from 'lit/decorators.js'
import { app } from '../../app.ts'
import { type FilterField, filterFields, type Filters } from './query.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/chip'
import '@fanfare/elements/popover'
import '@fanfare/elements/select'

const names: Record<FilterField, string> = {
  reason: 'reason',
  severity: 'severity',
  action: 'action',
  actor: 'actor',
  resource: 'resource',
  resource_type: 'type',
  correlation_id: 'workflow',
  since: 'since',
  until: 'until',
  q: 'text',
}

const typed = 250

/**
 * The filters of the inbox: a search, a panel of choices, and a chip for each that applies. Fires `change` with the
 * fields that change; null removes one.
 */
@define('ff-inbox-filters')
export class InboxFilters extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
    :host { display: flex; flex-wrap: wrap; align-items: center; gap: var(--ff-space-2); }
    ff-input { flex: 1 1 180px; max-width: 360px; }
    .choices { display: grid; gap: var(--ff-space-3); }
    .chips { display: flex; flex-wrap: wrap; gap: var(--ff-space-1) var(--ff-space-2); flex-basis: 100%; }
  `,
  )

  @property({ attribute: false }) filters: Filters = {}
  @state() private actions: Option[] = []
  @state() private labels = new Map<string, string>()
  #typing = new Debounce()

  /** focusSearch moves the focus into the search. */
  focusSearch(): void {
    this.renderRoot.querySelector<Input>('ff-input')?.control.focus()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#typing.cancel()
  }

  protected override updated(): void {
    const { actor } = this.filters
    if (actor && !this.labels.has(actor)) void this.#name(actor)
  }

  /** name reads the name of an actor who is in no row. */
  async #name(id: string): Promise<void> {
    this.labels.set(id, `principal ${id.slice(-6)}`)
    const { data } = await app().client.GET('/principals', { params: { query: { ids: id } } })
    const found = data?.items[0]
    if (found) this.labels = new Map(this.labels).set(id, nameOf(found))
  }

  protected override render(): unknown {
    const { filters } = this
    const set = filterFields.filter((f) => filters[f] && f !== 'q')
    return html`<ff-input type="search" label="Search the inbox" hide-label clearable .icon=${Search}
        placeholder="Search" .value=${filters.q ?? ''} @input=${this.#search} @change=${this.#search}></ff-input>
      <ff-popover heading="Filters" align="end" @open=${() => void this.#load()}>
        <ff-button slot="trigger" size="sm">${icon(Filter, 14)} Filters</ff-button>
        <div class="choices">${this.#choices()}</div></ff-popover>
      <slot></slot>
      ${
        set.length > 0
          ? html`<div class="chips">${set.map(
              (f) => html`<ff-chip .key=${names[f]} removable remove-label="Remove the filter ${names[f]}"
                @remove=${() => emit(this, 'change', { [f]: null })}>${this.#value(f)}</ff-chip>`,
            )}${
              set.length > 1 || filters.q
                ? html`<ff-button variant="link" size="sm" @click=${() => emit(this, 'clear')}>Clear all</ff-button>`
                : nothing
            }</div>`
          : nothing
      }`
  }

  #value(field: FilterField): string {
    const value = this.filters[field] ?? ''
    if (field === 'reason') return reasonTexts.reasons[value as keyof typeof reasonTexts.reasons]
    if (field === 'resource') return this.#rows().find((n) => n.resource.resource_id === value)?.resource.name ?? 'one'
    return field === 'actor' ? (this.#actors().get(value) ?? this.labels.get(value) ?? value) : value
  }

  #choices(): unknown {
    const actors = [...this.#actors()].map(([value, label]) => ({ value, label }))
    const types = [...new Set(this.#rows().map((e) => e.resource.resource_type))].toSorted()
    const reasons = Object.entries(reasonTexts.reasons).map(([value, label]) => ({ value, label }))
    return [
      this.#choice('reason', 'Reason', reasons),
      this.#choice('severity', 'Severity', plain(['info', 'warning', 'error', 'critical'])),
      this.#choice('action', 'Action', this.actions),
      this.#choice('actor', 'Actor', actors),
      this.#choice('resource_type', 'Resource type', plain(types)),
    ]
  }

  #choice(field: FilterField, label: string, options: Option[]): unknown {
    const value = this.filters[field] ?? ''
    const known = value === '' || options.some((o) => o.value === value)
    const all = [{ value: '', label: 'Any' }, ...options, ...(known ? [] : [{ value, label: this.#value(field) }])]
    return html`<ff-select label=${label} .options=${all} .value=${value}
      @change=${(e: CustomEvent<string>) => emit(this, 'change', { [field]: e.detail || null })}></ff-select>`
  }

  /** rows are the events of the list, whose actors and types can be chosen. */
  #rows() {
    const { items, groups } = app().inbox.state
    return (groups ? groups.flatMap((g) => g.items) : items).slice(0, 500).map((n) => n.event)
  }

  #actors(): Map<string, string> {
    return new Map(this.#rows().map(({ actor }) => [actor.principal_id, nameOf(actor)]))
  }

  async #load(): Promise<void> {
    this.requestUpdate()
    if (this.actions.length > 0) return
    try {
      const { items } = await unwrap(app().client.GET('/taxonomy/actions'))
      this.actions = plain((items ?? []).map((a) => a.name))
    } catch (error) {
      app().failed('The actions could not be loaded', error)
    }
  }

  #search = (event: Event): void => {
    const { value } = event.target as Input
    this.#typing.after(event.type === 'change' ? 0 : typed, () => {
      if (value.trim() !== (this.filters.q ?? '').trim()) emit(this, 'change', { q: value.trim() || null })
    })
  }
}

function plain(values: readonly string[]): Option[] {
  return values.map((value) => ({ value, label: value }))
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-inbox-filters': InboxFilters
  }
}
