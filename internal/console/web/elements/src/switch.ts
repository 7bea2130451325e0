import { css, html } from 'lit'
import { property } from 'lit/decorators.js'
import { define, emit, styled } from './base.ts'
import { Field, fieldStyles } from './field.ts'

/** Something that is on or off at once. Fires `change` with the new value; preventDefault keeps the old one. */
@define('ff-switch')
export class Switch extends Field {
  static override styles = styled(
    fieldStyles,
    css`
    .row { display: flex; align-items: start; gap: var(--ff-space-3); }
    .texts { display: flex; flex-direction: column; flex: 1; min-width: 0; }
    button {
      position: relative; flex: none; width: 34px; height: 20px; margin: 2px 0; border-radius: 10px;
      background: var(--ff-border-control); transition: background var(--ff-motion);
    }
    button::before { content: ''; position: absolute; inset: -4px -2px; }
    button::after {
      content: ''; position: absolute; inset-block-start: 2px; inset-inline-start: 2px; width: 16px; height: 16px;
      border-radius: 50%; background: light-dark(#fff, #131211);
      transition: inset-inline-start var(--ff-motion) var(--ff-ease);
    }
    button[aria-checked='true'] { background: var(--ff-accent); }
    button[aria-checked='true']::after { inset-inline-start: 16px; }
    button:disabled { opacity: 0.5; }
    label { cursor: pointer; }
  `,
  )

  @property({ type: Boolean, reflect: true }) checked = false

  protected override render(): unknown {
    return html`<div class="row" part="row">
      <span class="texts">${this.renderLabel()}${this.renderNotes()}</span>
      <button id="control" type="button" role="switch" part="switch" aria-checked=${String(this.checked)}
        aria-describedby=${this.describedBy} ?disabled=${this.disabled} @click=${this.#toggle}></button>
    </div>`
  }

  #toggle(): void {
    if (emit(this, 'change', !this.checked)) this.checked = !this.checked
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-switch': Switch
  }
}
