import { BaseElement, define, emit, styled, textStyles } from '@fanfare/elements/base'
import { icon } from '@fanfare/elements/icon'
import { ChevronRight, X } from '@fanfare/elements/icons'
import { css, html, nothing } from 'lit'
import { property, state } from 'lit/decorators.js'
import { type FacetField, facetFields, type Facets, type FacetValue } from './facet_model.ts'
import type { Names } from './names.ts'
import type { Selection } from './query.ts'
import { fieldNames } from './selection.ts'
import '@fanfare/elements/severity'

const few = 6

/** The most frequent values of each field. Fires `change` with a field and its value, or without one to remove it. */
@define('ff-activity-facets')
export class FacetRail extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
    :host {
      display: block; overflow: auto; overscroll-behavior: contain;
      padding: var(--ff-space-2) 0 var(--ff-space-6);
    }
    .note {
      padding: var(--ff-space-2) var(--ff-space-4); color: var(--ff-text-3);
      font-size: var(--ff-size-sm); line-height: 16px;
    }
    summary {
      display: flex; align-items: center; gap: 4px; min-height: 28px; padding: 0 var(--ff-space-4) 0 10px;
      font-size: var(--ff-size-sm); font-weight: var(--ff-weight-bold); color: var(--ff-text-2); cursor: pointer;
      list-style: none;
    }
    summary::-webkit-details-marker { display: none; }
    summary:focus-visible { outline-offset: -2px; }
    summary svg { color: var(--ff-text-3); transition: rotate var(--ff-motion); }
    details[open] > summary svg { rotate: 90deg; }
    ul { padding: 0 var(--ff-space-2) var(--ff-space-2); }
    button {
      display: flex; align-items: center; gap: var(--ff-space-2); width: 100%; min-height: 26px; padding: 0 8px 0 18px;
      border-radius: var(--ff-radius-sm); font-size: var(--ff-size-meta);
    }
    @media (pointer: coarse) { button, summary { min-height: 44px; } }
    button:hover { background: var(--ff-hover); }
    button[aria-pressed='true'] { background: var(--ff-accent-soft); color: var(--ff-accent); }
    .label { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    .count { color: var(--ff-text-3); font-size: var(--ff-size-sm); }
    .all { color: var(--ff-text-3); font-size: var(--ff-size-sm); }
  `,
  )

  @property({ attribute: false }) facets: Facets = {}
  @property({ attribute: false }) selection: Selection = {}
  @property({ attribute: false }) names!: Names
  /** The version of the names. */
  @property({ type: Number }) named = 0
  /** What was counted. */
  @property() note = ''
  @state() private all = new Set<FacetField>()

  protected override render(): unknown {
    return html`${this.note ? html`<p class="note">${this.note}</p>` : nothing}
      ${facetFields.map((field) => this.#facet(field))}`
  }

  #facet(field: FacetField): unknown {
    const values = this.#values(field)
    if (values.length === 0) return nothing
    const shown = this.all.has(field) ? values : values.slice(0, few)
    const open = field !== 'category' && field !== 'resource'
    return html`<details ?open=${open}><summary>${icon(ChevronRight, 12)}${fieldNames[field]}</summary>
      <ul aria-label=${fieldNames[field]}>${shown.map((value) => html`<li>${this.#value(field, value)}</li>`)}
      ${
        values.length > shown.length
          ? html`<li><button type="button" class="all" @click=${() => {
              this.all = new Set([...this.all, field])
            }}>${values.length - shown.length} more</button></li>`
          : nothing
      }</ul></details>`
  }

  /** values returns those of a facet, the chosen one first. */
  #values(field: FacetField): FacetValue[] {
    const values = this.facets[field] ?? []
    const chosen = this.selection[field]
    if (!chosen || values.some((v) => v.value === chosen)) return values
    return [{ value: chosen, label: this.names.textOf(chosen), count: -1 }, ...values]
  }

  #value(field: FacetField, { value, label, count }: FacetValue): unknown {
    const pressed = this.selection[field] === value
    return html`<button type="button" aria-pressed=${pressed} title=${label}
      @click=${() => emit(this, 'change', { field, value: pressed ? undefined : value })}>
      <span class="label"><bdi>${label}</bdi></span>${pressed ? icon(X, 12) : nothing}
      ${count >= 0 ? html`<span class="count">${count.toLocaleString()}</span>` : nothing}</button>`
  }
}
