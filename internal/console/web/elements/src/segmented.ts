import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import { define, emit, styled } from './base.ts'
import { Field, fieldStyles } from './field.ts'
import { icon, type Icon } from './icon.ts'
import './tooltip.ts'

export interface Segment {
  value: string
  label: string
  icon?: Icon
  /** Shows only the icon; the label stays the accessible name. */
  iconOnly?: boolean
}

/** A choice of one of a few, all visible. Fires `change` with the value. */
@define('ff-segmented')
export class Segmented extends Field {
  static override styles = styled(
    fieldStyles,
    css`
    :host { align-items: start; }
    .group {
      display: inline-flex; max-width: 100%; padding: 2px; border-radius: var(--ff-radius);
      background: var(--ff-active); overflow-x: auto; scrollbar-width: none;
    }
    .segment { position: relative; display: inline-flex; }
    .segment label {
      display: inline-flex; align-items: center; gap: 6px; min-height: calc(var(--ff-control) - 4px); min-width: 24px;
      justify-content: center;
      padding: 0 10px; border-radius: calc(var(--ff-radius) - 2px); color: var(--ff-text-2); cursor: pointer;
      white-space: nowrap;
    }
    label:hover { color: var(--ff-text); }
    input { position: absolute; inset: 0; opacity: 0; margin: 0; cursor: pointer; }
    input:checked + label {
      background: light-dark(var(--ff-raised), var(--ff-border-strong)); color: var(--ff-text);
      box-shadow: 0 0 0 1px var(--ff-border-strong);
    }
    input:focus-visible + label { outline: 2px solid var(--ff-accent); outline-offset: 1px; }
    input:disabled + label { opacity: 0.5; }
  `,
  )

  @property({ attribute: false }) options: readonly Segment[] = []
  @property() value = ''

  protected override render(): unknown {
    return html`<span id="label" part="label" class="label ${this.hideLabel ? 'hidden-text' : ''}">${this.label}</span>
      <div class="group" part="group" role="radiogroup" aria-labelledby="label" aria-describedby=${this.describedBy}>
        ${this.options.map((o, i) => this.#segment(o, i))}
      </div>${this.renderNotes()}`
  }

  #segment(o: Segment, i: number): unknown {
    const id = `s${i}`
    const face = html`<span class="segment">
      <input type="radio" id=${id} name="segment" .checked=${o.value === this.value} ?disabled=${this.disabled}
        aria-label=${o.iconOnly ? o.label : nothing} @change=${() => this.#choose(o.value)}>
      <label for=${id}>${o.icon ? icon(o.icon, 15) : nothing}${o.iconOnly ? nothing : o.label}</label></span>`
    return o.iconOnly ? html`<ff-tooltip .text=${o.label}>${face}</ff-tooltip>` : face
  }

  #choose(value: string): void {
    this.value = value
    emit(this, 'change', value)
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-segmented': Segmented
  }
}
