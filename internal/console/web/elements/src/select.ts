import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import { ChevronsUpDown } from 'lucide'
import { define, emit, styled } from './base.ts'
import { Field, fieldStyles } from './field.ts'
import { icon } from './icon.ts'

export interface Option {
  value: string
  label: string
  disabled?: boolean
}

/** A choice of one from a list. Fires `change` with the value. */
@define('ff-select')
export class Select extends Field {
  static override styles = styled(
    fieldStyles,
    css`
    .control { position: relative; padding: 0; }
    select {
      appearance: none; min-height: calc(var(--ff-control) - 2px); padding: 0 30px 0 10px; cursor: pointer;
      text-overflow: ellipsis;
    }
    option { background: var(--ff-raised); color: var(--ff-text); }
    svg { position: absolute; inset-inline-end: 9px; pointer-events: none; }
  `,
  )

  @property({ attribute: false }) options: readonly Option[] = []
  @property() value = ''

  protected override render(): unknown {
    return html`${this.renderLabel()}
      <div class=${this.controlClass} part="control">
        <select id="control" name=${this.name} ?disabled=${this.disabled} aria-describedby=${this.describedBy}
          aria-invalid=${this.error ? 'true' : nothing} @change=${this.#change}>
          ${this.options.map(
            (o) => html`<option value=${o.value} ?disabled=${o.disabled ?? false}
            .selected=${o.value === this.value}>${o.label}</option>`,
          )}
        </select>${icon(ChevronsUpDown, 14)}
      </div>${this.renderNotes()}`
  }

  #change(event: globalThis.Event): void {
    this.value = (event.target as HTMLSelectElement).value
    emit(this, 'change', this.value)
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-select': Select
  }
}
