import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import { define, emit, styled } from './base.ts'
import { Field, fieldStyles } from './field.ts'

/** A mark to set, such as of a row. Fires `change` with the new value. */
@define('ff-checkbox')
export class Checkbox extends Field {
  static override styles = styled(
    fieldStyles,
    css`
    .row { display: flex; align-items: center; gap: var(--ff-space-2); min-height: 24px; }
    label { font-weight: var(--ff-weight); font-size: var(--ff-size); cursor: pointer; }
    input {
      flex: none; width: 16px; height: 16px; margin: 4px; accent-color: var(--ff-accent); cursor: pointer;
      border-radius: 3px;
    }
    input:not(:checked, :indeterminate) { appearance: none; border: 1px solid var(--ff-border-control); }
    input:focus-visible { outline: 2px solid var(--ff-accent) !important; outline-offset: 2px; }
  `,
  )

  @property({ type: Boolean, reflect: true }) checked = false
  @property({ type: Boolean }) indeterminate = false

  protected override render(): unknown {
    return html`<div class="row" part="row">
      <input id="control" type="checkbox" name=${this.name || nothing} .checked=${this.checked}
        .indeterminate=${this.indeterminate} ?disabled=${this.disabled} aria-describedby=${this.describedBy}
        @change=${this.#change}>
      ${this.label ? this.renderLabel() : nothing}
    </div>${this.renderNotes()}`
  }

  #change(event: globalThis.Event): void {
    this.checked = (event.target as HTMLInputElement).checked
    this.indeterminate = false
    emit(this, 'change', this.checked)
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-checkbox': Checkbox
  }
}
