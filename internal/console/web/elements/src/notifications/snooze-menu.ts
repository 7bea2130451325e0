import { css, html, nothing } from 'lit'
import { property, query, state } from 'lit/decorators.js'
import { Calendar, Clock } from 'lucide'
import { BaseElement, define, emit, styled } from '../base.ts'
import { icon } from '../icon.ts'
import { localeOf } from '../locale.ts'
import type { Menu, MenuItem } from '../menu.ts'
import { customSnooze, localValue, snoozeChoices, type SnoozeTexts, snoozeTexts } from './snooze.ts'
import '../button.ts'
import '../icon-button.ts'
import '../input.ts'
import '../menu.ts'

/** A button that offers times to snooze until. Fires `snooze` with the Date. */
@define('ff-snooze-menu')
export class SnoozeMenu extends BaseElement {
  static override shadowRootOptions = { ...BaseElement.shadowRootOptions, delegatesFocus: true }
  static override styles = styled(css`
    :host { display: inline-flex; }
  `)

  @property({ attribute: false }) texts: SnoozeTexts = snoozeTexts
  /** Shows the name beside the icon. */
  @property({ type: Boolean }) text = false
  @property() align: 'start' | 'end' = 'end'
  @state() private choosing = false
  @state() private value = ''
  @state() private refused = false
  @query('ff-menu') private menu!: Menu

  /** show opens the menu, at its button or at a place. */
  show(rect?: DOMRect): void {
    this.menu.show(rect)
  }

  protected override render(): unknown {
    const t = this.texts
    return html`<ff-menu .align=${this.align} .label=${t.label} .items=${this.#items} @select=${this.#select}>
        ${
          this.text
            ? html`<ff-button slot="trigger" size="sm">${icon(Clock, 14)} ${t.label}</ff-button>`
            : html`<ff-icon-button slot="trigger" .icon=${Clock} label=${t.label}></ff-icon-button>`
        }</ff-menu>
      ${this.choosing ? this.#dialog() : nothing}`
  }

  #items = (): MenuItem[] => {
    const locale = localeOf(this)
    return [
      { heading: this.texts.label },
      ...snoozeChoices(new Date(), this.texts, locale).map((c) => ({
        id: c.until.toISOString(),
        label: c.label,
        hint: c.hint,
        icon: Clock,
      })),
      { separator: true },
      { id: 'custom', label: this.texts.custom, icon: Calendar },
    ]
  }

  #dialog(): unknown {
    const t = this.texts
    return html`<ff-dialog open .heading=${t.customHeading} @close=${() => (this.choosing = false)}>
      <ff-input type="datetime-local" .label=${t.customField} .hint=${t.customHint} .value=${this.value}
        .error=${this.refused ? t.past : ''} @change=${this.#typed} @input=${this.#typed}></ff-input>
      <ff-button slot="footer" @click=${() => (this.choosing = false)}>${t.cancel}</ff-button>
      <ff-button slot="footer" variant="primary" @click=${this.#confirm}>${t.snooze}</ff-button>
    </ff-dialog>`
  }

  #typed = (event: Event): void => {
    const from = event.target as HTMLInputElement
    this.value = from.value
    this.refused = false
  }

  #select = (event: CustomEvent<string>): void => {
    if (event.detail !== 'custom') {
      emit(this, 'snooze', new Date(event.detail))
      return
    }
    this.value = localValue(new Date(Date.now() + 86_400_000))
    this.refused = false
    void import('../dialog.ts')
    this.choosing = true
  }

  #confirm = (): void => {
    const until = customSnooze(this.value, new Date())
    this.refused = !until
    if (!until) return
    this.choosing = false
    emit(this, 'snooze', until)
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-snooze-menu': SnoozeMenu
  }
}
