import { css, html, nothing } from 'lit'
import { property, query } from 'lit/decorators.js'
import { X } from 'lucide'
import { define, emit, styled } from './base.ts'
import { Field, fieldStyles } from './field.ts'
import { icon, type Icon } from './icon.ts'
import './icon-button.ts'

/** A line, or with `rows` several lines, of text. Fires the browser's `input`, and `change` with the value. */
@define('ff-input')
export class Input extends Field {
  static override styles = styled(
    fieldStyles,
    css`
    textarea { resize: vertical; line-height: var(--ff-line); }
    .mono { font-family: var(--ff-font-mono); font-size: var(--ff-size-meta); }
    input::-webkit-search-cancel-button { display: none; }
    ff-icon-button { margin-inline-end: -6px; }
  `,
  )

  @property() value = ''
  @property() type: 'text' | 'search' | 'email' | 'url' | 'number' | 'password' | 'datetime-local' | 'date' = 'text'
  @property() placeholder = ''
  @property() autocomplete = 'off'
  @property({ attribute: false }) icon: Icon | undefined
  @property({ type: Number }) rows = 0
  @property({ type: Boolean }) mono = false
  @property({ type: Boolean }) clearable = false
  @property({ attribute: 'clear-label' }) clearLabel = 'Clear'
  @query('#control') readonly control!: HTMLInputElement | HTMLTextAreaElement

  protected override render(): unknown {
    return html`${this.renderLabel()}
      <div class=${this.controlClass} part="control">
        <slot name="prefix">${this.icon ? icon(this.icon) : nothing}</slot>
        ${this.rows > 0 ? this.#lines() : this.#line()}
        ${
          this.clearable && this.value
            ? html`<ff-icon-button .icon=${X} label=${this.clearLabel}
          @click=${this.#clear}></ff-icon-button>`
            : nothing
        }
        <slot name="suffix"></slot>
      </div>${this.renderNotes()}`
  }

  #line(): unknown {
    return html`<input id="control" class=${this.mono ? 'mono' : ''} .value=${this.value} type=${this.type}
      name=${this.name} placeholder=${this.placeholder || nothing} autocomplete=${this.autocomplete as 'off'}
      spellcheck="false" ?required=${this.required} ?disabled=${this.disabled}
      aria-invalid=${this.error ? 'true' : nothing} aria-describedby=${this.describedBy}
      @input=${this.#input} @change=${this.#change} @keydown=${this.#key}>`
  }

  #lines(): unknown {
    return html`<textarea id="control" class=${this.mono ? 'mono' : ''} .value=${this.value} rows=${this.rows}
      name=${this.name} placeholder=${this.placeholder || nothing} ?required=${this.required}
      ?disabled=${this.disabled} aria-invalid=${this.error ? 'true' : nothing}
      aria-describedby=${this.describedBy} @input=${this.#input} @change=${this.#change}></textarea>`
  }

  #input(): void {
    this.value = this.control.value
  }

  #change(): void {
    emit(this, 'change', this.value)
  }

  #clear(): void {
    this.value = ''
    this.control.focus()
    this.dispatchEvent(new InputEvent('input', { bubbles: true, composed: true }))
    this.#change()
  }

  #key(event: KeyboardEvent): void {
    if (event.key === 'Enter' && !event.isComposing) this.closest('form')?.requestSubmit()
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-input': Input
  }
}
