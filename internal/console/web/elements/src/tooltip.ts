import { css, html, nothing } from 'lit'
import { property, query } from 'lit/decorators.js'
import { define, BaseElement, styled } from './base.ts'
import { place, type Side } from './place.ts'

/** Shows a short text beside what is in it, on hover and keyboard focus. It repeats what is visible or labelled. */
@define('ff-tooltip')
export class Tooltip extends BaseElement {
  static override styles = styled(css`
    :host { display: contents; }
    .tip {
      position: fixed; inset: auto; margin: 0; padding: 3px var(--ff-space-2); border: 0; pointer-events: none;
      border-radius: var(--ff-radius-sm); background: light-dark(#2a2725, #3b3835); color: #f7f5f3;
      font: var(--ff-weight) var(--ff-size-sm) / 18px var(--ff-font); width: max-content; max-width: 280px;
      overflow-wrap: anywhere;
    }
    ff-kbd { margin-inline-start: var(--ff-space-2); }
  `)

  @property() text = ''
  /** Its keys. A page that gives some defines ff-kbd. */
  @property() shortcut = ''
  @property() side: Side = 'bottom'
  @query('.tip') private tip!: HTMLElement | null
  #timer: ReturnType<typeof setTimeout> | undefined
  #shown = false

  protected override render(): unknown {
    return html`<slot @pointerenter=${this.#enter} @pointerleave=${this.#hide} @pointerdown=${this.#hide}
        @focusin=${this.#focus} @focusout=${this.#hide} @keydown=${this.#key}></slot>
      ${
        this.text && this.#shown
          ? html`<div class="tip" popover="manual" aria-hidden="true">${this.text}${
              this.shortcut ? html`<ff-kbd plain .keys=${this.shortcut}></ff-kbd>` : nothing
            }</div>`
          : nothing
      }`
  }

  #enter = (event: PointerEvent): void => {
    if (event.pointerType === 'mouse') this.#later(400)
  }

  #focus = (event: FocusEvent): void => {
    if ((event.target as HTMLElement).matches(':focus-visible')) this.#later(100)
  }

  #key = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') this.#hide()
  }

  #later(delay: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      const anchor = this.shadowRoot?.querySelector('slot')?.assignedElements()[0]
      this.#shown = true
      this.requestUpdate()
      this.performUpdate()
      if (!this.tip || !anchor?.isConnected) return
      this.tip.showPopover()
      place(anchor.getBoundingClientRect(), this.tip, this.side, 'center', 6)
    }, delay)
  }

  #hide = (): void => {
    clearTimeout(this.#timer)
    if (this.tip?.matches(':popover-open')) this.tip.hidePopover()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#hide()
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-tooltip': Tooltip
  }
}
