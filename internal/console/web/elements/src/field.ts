import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import { BaseElement } from './base.ts'

export const fieldStyles = css`
  :host {
    display: flex; flex-direction: column; gap: 4px; min-width: 0;
    font: var(--ff-weight) var(--ff-size) / var(--ff-line) var(--ff-font); color: var(--ff-text);
  }
  label, .label { font-weight: var(--ff-weight-medium); font-size: var(--ff-size-meta); }
  .hint { font-size: var(--ff-size-sm); line-height: var(--ff-line-sm); color: var(--ff-text-3); }
  .error { font-size: var(--ff-size-sm); line-height: var(--ff-line-sm); color: var(--ff-error); }
  .control {
    display: flex; align-items: center; gap: var(--ff-space-2); min-height: var(--ff-control); padding: 0 10px;
    border: 1px solid var(--ff-border-control); border-radius: var(--ff-radius); background: var(--ff-surface);
    transition: border-color var(--ff-motion);
  }
  .control:focus-within { border-color: var(--ff-accent); outline: 2px solid var(--ff-accent); outline-offset: -1px; }
  .control.invalid { border-color: var(--ff-error); }
  .control.disabled { background: var(--ff-sunken); color: var(--ff-text-3); }
  .control svg { color: var(--ff-text-3); }
  input, select, textarea {
    flex: 1; min-width: 0; width: 100%; padding: 5px 0; border: 0; background: none; outline: none !important;
  }
  ::placeholder { color: var(--ff-text-3); opacity: 1; }
  @media (pointer: coarse) { input, select, textarea { font-size: 16px; } }
`

/** Field is the base of controls with a label, a hint and an error. */
export abstract class Field extends BaseElement {
  static override shadowRootOptions = { ...BaseElement.shadowRootOptions, delegatesFocus: true }

  @property() label = ''
  /** Keeps the label for screen readers only. */
  @property({ type: Boolean, attribute: 'hide-label' }) hideLabel = false
  @property() hint = ''
  /** What is wrong with the value, and what to do about it. */
  @property() error = ''
  @property() name = ''
  @property({ type: Boolean }) required = false
  @property({ type: Boolean, reflect: true }) disabled = false

  protected renderLabel(): unknown {
    return html`<label part="label" for="control" class=${this.hideLabel ? 'hidden-text' : ''}>${this.label}</label>`
  }

  protected renderNotes(): unknown {
    return html`${this.hint ? html`<span id="hint" class="hint">${this.hint}</span>` : nothing}
      ${this.error ? html`<span id="error" class="error" role="alert">${this.error}</span>` : nothing}`
  }

  protected get describedBy(): string | typeof nothing {
    return [this.hint && 'hint', this.error && 'error'].filter(Boolean).join(' ') || nothing
  }

  protected get controlClass(): string {
    return `control ${this.error ? 'invalid' : ''} ${this.disabled ? 'disabled' : ''}`
  }
}
