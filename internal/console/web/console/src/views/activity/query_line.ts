import { BaseElement, define, emit, styled, textStyles } from '@fanfare/elements/base'
import { Debounce } from '@fanfare/elements/debounce'
import { icon } from '@fanfare/elements/icon'
import { Search, X } from '@fanfare/elements/icons'
import { place } from '@fanfare/elements/place'
import { html, nothing, type PropertyValues } from 'lit'
import { property, query, state } from 'lit/decorators.js'
import { type Suggestion, wordAt } from './completion.ts'
import type { Names } from './names.ts'
import { type Fault, type Field, fields, lineOf, type Selection } from './query.ts'
import { queryLineStyles } from './query_line_styles.ts'
import { fieldNames, isEmpty, read, without } from './selection.ts'
import type { Suggestions } from './suggestions.ts'
import '@fanfare/elements/chip'
import '@fanfare/elements/icon-button'

/** The query line: a chip for each field that selects, and an input with completion. Fires `change`: a Selection. */
@define('ff-query-line')
export class QueryLine extends BaseElement {
  static override styles = styled(textStyles, queryLineStyles)

  @property({ attribute: false }) selection: Selection = {}
  @property({ attribute: false }) names!: Names
  /** The version of the names. */
  @property({ type: Number }) named = 0
  @property({ attribute: false }) suggestions!: Suggestions
  @state() private text = ''
  @state() private faults: Fault[] = []
  @state() private list: Suggestion[] = []
  @state() private active = -1
  @state() private open = false
  @query('input') private input!: HTMLInputElement
  @query('.list') private panel!: HTMLElement
  #controller: AbortController | undefined
  #typing = new Debounce()

  protected override render(): unknown {
    const chosen = fields.filter((field) => this.selection[field])
    const faulty = this.faults.length > 0
    return html`<div class="box ${faulty ? 'faulty' : ''}" @click=${this.#focusInput}>
        ${icon(Search, 16)}
        ${chosen.map((field) => this.#chip(field))}
        <input type="text" role="combobox" aria-label="Filter activities" aria-autocomplete="list" autocomplete="off"
          autocapitalize="off" spellcheck="false" enterkeyhint="search" maxlength="1000"
          aria-expanded=${this.open} aria-controls="list" aria-invalid=${faulty} aria-describedby="faults"
          aria-activedescendant=${this.open && this.active >= 0 ? `option-${this.active}` : nothing}
          placeholder=${chosen.length ? '' : 'action:job.* since:1d'}
          .value=${this.text} @input=${this.#typed} @keydown=${this.#key} @focus=${this.#complete}
          @click=${this.#complete} @blur=${this.#blur}>
        ${
          chosen.length || this.text
            ? html`<ff-icon-button .icon=${X} label="Clear the filter" @click=${this.clear}></ff-icon-button>`
            : nothing
        }
      </div>
      <div class="list" id="list" role="listbox" aria-label="Suggestions" popover="manual"
        @pointerdown=${(e: Event) => e.preventDefault()}>${this.list.map((s, i) => this.#option(s, i))}</div>
      <div class="faults" id="faults" role="status">${
        this.faults.length
          ? html`<ul>${this.faults.map((f) => html`<li><code>${f.text}</code> ${f.reason}</li>`)}</ul>`
          : nothing
      }</div>`
  }

  #chip(field: Field): unknown {
    const value = this.selection[field] ?? ''
    const text = this.names.textOf(value)
    return html`<ff-chip key=${field === 'q' ? 'text' : field} removable tone="accent"
      title=${`${fieldNames[field]}: ${text}`} remove-label="Remove ${fieldNames[field]}: ${text}"
      @remove=${() => this.#set(without(this.selection, field))}
      @dblclick=${() => this.#edit(field)}><bdi>${text}</bdi></ff-chip>`
  }

  #option(s: Suggestion, i: number): unknown {
    const named = s.value !== undefined && s.field !== 'q'
    return html`<div role="option" id="option-${i}" class="option ${i === this.active ? 'active' : ''}"
      aria-selected=${i === this.active} @click=${() => this.#choose(s)}>
      <span class="label">${named ? html`<span class="field">${s.field}:</span>` : nothing}<bdi>${s.label}</bdi></span>
      <span class="hint">${s.hint}</span></div>`
  }

  protected override updated(changed: PropertyValues): void {
    if (!this.open && !changed.has('open')) return
    const shown = this.panel.matches(':popover-open')
    if (this.open && !shown) this.panel.showPopover()
    if (!this.open && shown) this.panel.hidePopover()
    if (this.open) {
      place(this.renderRoot.querySelector('.box')!.getBoundingClientRect(), this.panel, 'bottom', 'start')
      this.renderRoot.querySelector('.option.active')?.scrollIntoView({ block: 'nearest' })
    }
  }

  override focus(): void {
    this.input.focus()
  }

  clear = (): void => {
    this.text = ''
    this.#set({})
    this.focus()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#controller?.abort()
    this.#typing.cancel()
  }

  #focusInput(event: Event): void {
    if (event.target === event.currentTarget) this.input.focus()
  }

  #typed(): void {
    this.text = this.input.value
    this.faults = []
    this.active = -1
    this.#complete()
  }

  #complete = (): void => {
    this.#typing.after(60, () => void this.#suggest())
  }

  async #suggest(): Promise<void> {
    this.#controller?.abort()
    const controller = (this.#controller = new AbortController())
    const word = wordAt(this.text, this.input.selectionStart ?? this.text.length)
    try {
      const list = await this.suggestions.of(word, controller.signal)
      if (controller.signal.aborted) return
      this.list = list
    } catch {
      if (controller.signal.aborted) return
      this.list = [] // without suggestions, the line still works
    }
    if (this.active >= this.list.length) this.active = -1
    this.open = this.list.length > 0 && this.shadowRoot?.activeElement === this.input
  }

  #blur(): void {
    this.#typing.cancel()
    this.#controller?.abort()
    this.open = false
  }

  #key(event: KeyboardEvent): void {
    const { key } = event
    const stay = (): void => event.preventDefault()
    if (key === 'ArrowDown' || key === 'ArrowUp') {
      stay()
      if (!this.open) return this.#complete()
      const count = this.list.length + 1
      this.active = ((this.active + 1 + (key === 'ArrowDown' ? 1 : -1) + count) % count) - 1
    } else if (key === 'Enter') {
      stay()
      const chosen = this.open ? this.list[this.active] : undefined
      if (chosen) this.#choose(chosen)
      else this.#submit()
    } else if (key === 'Escape' && this.open) {
      stay()
      event.stopPropagation()
      this.open = false
    } else if (key === 'Escape') this.input.blur()
    else if (key === 'Backspace' && this.text === '' && !isEmpty(this.selection)) {
      stay()
      const last = fields.filter((field) => this.selection[field]).at(-1)
      if (last) this.#edit(last)
    }
  }

  /** edit makes a chip text again. */
  #edit(field: Field): void {
    const line = lineOf({ [field]: this.selection[field] })
    this.#set(without(this.selection, field))
    this.text = line
    void this.updateComplete.then(() => {
      this.focus()
      this.#complete()
    })
  }

  #choose(s: Suggestion): void {
    const word = wordAt(this.text, this.input.selectionStart ?? this.text.length)
    const rest = (this.text.slice(0, word.start) + this.text.slice(word.end)).trim()
    if (s.value === undefined) {
      const before = this.text.slice(0, word.start)
      this.text = `${before}${s.field}:${this.text.slice(word.end)}`
      const caret = before.length + s.field.length + 1
      void this.updateComplete.then(() => {
        this.input.setSelectionRange(caret, caret)
        this.active = -1
        void this.#suggest()
      })
      return
    }
    this.text = ''
    this.#commit(rest, { ...this.selection, [s.field]: s.value })
  }

  #submit(): void {
    if (this.text.trim()) this.#commit(this.text, this.selection)
    this.open = false
  }

  /** commit adds what a line selects, or shows its faults and keeps it. */
  #commit(line: string, onto: Selection): void {
    const { selection, faults } = read(line, onto)
    this.faults = faults
    this.text = faults.length ? line : ''
    this.open = false
    if (faults.length === 0) this.#set(selection)
    else if (onto !== this.selection) this.#set(onto)
  }

  #set(selection: Selection): void {
    this.faults = this.text ? this.faults : []
    this.open = false
    emit(this, 'change', selection)
  }
}
