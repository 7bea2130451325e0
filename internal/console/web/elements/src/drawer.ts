import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import { X } from 'lucide'
import { BaseElement, define, emit, styled, textStyles } from './base.ts'
import './icon-button.ts'

/**
 * A panel at the end of a view: beside the list on wide screens, over it on narrow ones. Escape closes it. Give it
 * the place of a flex or grid child of a container with `position: relative`.
 */
@define('ff-drawer')
export class Drawer extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
    :host { display: none; }
    :host([open]) {
      display: flex; flex-direction: column; flex: none; width: var(--ff-drawer-width, 480px); min-height: 0;
      border-inline-start: 1px solid var(--ff-border); background: var(--ff-surface);
    }
    @media (max-width: 1099px) {
      :host([open]) { position: absolute; inset: 0; width: auto; border: 0; z-index: 20; }
    }
    header {
      display: flex; align-items: center; gap: var(--ff-space-2); min-height: 48px;
      padding: 0 var(--ff-space-3) 0 var(--ff-space-4); border-block-end: 1px solid var(--ff-border);
    }
    h2 {
      flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
      font-size: var(--ff-size); font-weight: var(--ff-weight-bold);
    }
    h2:focus { outline: none; }
    .body { flex: 1; min-height: 0; overflow: auto; overscroll-behavior: contain; }
  `,
  )

  @property({ type: Boolean, reflect: true }) open = false
  @property() heading = ''
  @property({ attribute: 'close-label' }) closeLabel = 'Close'

  protected override render(): unknown {
    if (!this.open) return nothing
    return html`<header part="header"><h2 tabindex="-1">${this.heading}</h2><slot name="actions"></slot>
        <ff-icon-button .icon=${X} label=${this.closeLabel} shortcut="Escape" @click=${this.#close}></ff-icon-button>
      </header>
      <div class="body" part="body"><slot></slot></div>`
  }

  constructor() {
    super()
    this.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || event.defaultPrevented) return
      event.stopPropagation()
      this.#close()
    })
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.role ??= 'complementary'
  }

  protected override updated(changed: Map<PropertyKey, unknown>): void {
    if (changed.has('heading')) this.ariaLabel = this.heading
    if (changed.has('open') && this.open) this.focusHeading()
  }

  /** focusHeading moves the focus to the heading, for what has just opened. */
  focusHeading(): void {
    this.renderRoot.querySelector('h2')?.focus()
  }

  #close = (): void => {
    if (emit(this, 'close')) this.open = false
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-drawer': Drawer
  }
}
