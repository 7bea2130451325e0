import { css, type CSSResultGroup, html } from 'lit'
import { property, query } from 'lit/decorators.js'
import { BaseElement, baseStyles, emit, textStyles } from './base.ts'
import { type Align, place, type Side } from './place.ts'

export const floatingStyles = css`
  :host { display: inline-flex; }
  .panel {
    position: fixed; inset: auto; margin: 0; scroll-margin-block-end: var(--ff-covered, 0px); padding: 0;
    overflow: auto; text-align: start;
    border: 1px solid var(--ff-border);
    border-radius: var(--ff-radius-lg); background: var(--ff-raised); color: var(--ff-text);
    box-shadow: var(--ff-shadow); overscroll-behavior: contain;
    transition: opacity var(--ff-motion) var(--ff-ease), translate var(--ff-motion) var(--ff-ease),
      display var(--ff-motion) allow-discrete, overlay var(--ff-motion) allow-discrete;
    opacity: 0; translate: 0 -2px;
  }
  .panel:popover-open { opacity: 1; translate: 0 0; }
  @starting-style { .panel:popover-open { opacity: 0; translate: 0 -2px; } }
`

/** Floating is the base of elements that open a panel (Popover API) beside what is in the slot `trigger`. */
export abstract class Floating extends BaseElement {
  static override styles: CSSResultGroup = [baseStyles, textStyles, floatingStyles]

  @property() side: Side = 'bottom'
  @property() align: Align = 'start'
  @property({ type: Boolean, reflect: true }) open = false

  @query('.panel') protected panel!: HTMLElement
  #wasOpen: boolean | undefined
  #anchor: DOMRect | undefined
  #moved = (): void => this.place()

  protected abstract popup: 'menu' | 'dialog'

  protected trigger(): HTMLElement | undefined {
    const slot = this.renderRoot.querySelector<HTMLSlotElement>('slot[name=trigger]')
    return slot?.assignedElements()[0] as HTMLElement | undefined
  }

  /** show opens the panel, at the trigger or at a place such as that of a context menu. */
  show(at?: DOMRect): void {
    this.#anchor = at
    if (!this.panel.matches(':popover-open')) this.panel.showPopover()
    this.place()
  }

  hide(): void {
    if (this.panel?.matches(':popover-open')) this.panel.hidePopover()
  }

  protected place(): void {
    const anchor = this.#anchor ?? this.trigger()?.getBoundingClientRect() ?? this.getBoundingClientRect()
    place(anchor, this.panel, this.side, this.align)
  }

  protected renderTrigger(): unknown {
    return html`<slot name="trigger" @slotchange=${this.#describe} @pointerdown=${this.#down}
      @click=${this.#click}></slot>`
  }

  /** opened is called when the panel is open. */
  protected opened(): void {}

  protected toggled = (event: ToggleEvent): void => {
    this.open = event.newState === 'open'
    this.#describe()
    const change = this.open ? 'addEventListener' : 'removeEventListener'
    window[change]('resize', this.#moved)
    window[change]('scroll', this.#moved, true)
    if (this.open) {
      this.place()
      this.opened()
    } else if (this.shadowRoot?.activeElement) {
      this.trigger()?.focus() // the browser has not returned it
    }
    emit(this, this.open ? 'open' : 'close')
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    window.removeEventListener('resize', this.#moved)
    window.removeEventListener('scroll', this.#moved, true)
  }

  #describe(): void {
    const trigger = this.trigger()
    if (!trigger) return
    if ('expanded' in trigger) Object.assign(trigger, { expanded: this.open, haspopup: this.popup })
    else {
      trigger.setAttribute('aria-expanded', String(this.open))
      trigger.setAttribute('aria-haspopup', this.popup)
    }
  }

  /** A press outside closes the panel before the click comes; the click must not open it again. */
  #down(): void {
    this.#wasOpen = this.open
  }

  #click(): void {
    const wasOpen = this.#wasOpen ?? this.open
    this.#wasOpen = undefined
    if (wasOpen) this.hide()
    else this.show()
  }
}
