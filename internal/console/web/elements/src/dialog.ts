import { css, html, type PropertyValues } from 'lit'
import { property, query } from 'lit/decorators.js'
import { X } from 'lucide'
import { BaseElement, define, emit, styled, textStyles } from './base.ts'
import './icon-button.ts'

/** A modal dialog. Set `open`; it fires `close` when the person closes it. */
@define('ff-dialog')
export class Dialog extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
    dialog {
      width: min(var(--ff-dialog-width, 480px), calc(100vw - 32px)); max-height: min(85dvh, 800px); margin: auto;
      padding: 0; border: 1px solid var(--ff-border); border-radius: var(--ff-radius-lg); overflow: hidden;
      background: var(--ff-raised); color: inherit; box-shadow: var(--ff-shadow);
    }
    dialog[open] { display: flex; flex-direction: column; animation: in var(--ff-motion) var(--ff-ease); }
    dialog::backdrop { background: var(--ff-backdrop); }
    @keyframes in { from { opacity: 0; translate: 0 4px; } }
    header {
      display: flex; align-items: center; gap: var(--ff-space-2);
      padding: var(--ff-space-4) var(--ff-space-4) 0 var(--ff-space-6);
    }
    h2:focus { outline: none; }
    h2 {
      flex: 1; min-width: 0; font-size: var(--ff-size-lg); line-height: 24px; font-weight: var(--ff-weight-bold);
      overflow-wrap: anywhere;
    }
    .body { padding: var(--ff-space-3) var(--ff-space-6) var(--ff-space-6); overflow: auto; }
    footer {
      display: flex; flex-wrap: wrap; justify-content: flex-end; gap: var(--ff-space-2);
      padding: var(--ff-space-3) var(--ff-space-6); border-block-start: 1px solid var(--ff-border);
    }
    footer.empty { display: none; }
    @media (max-width: 600px) {
      header { padding-inline-start: var(--ff-space-4); }
      .body, footer { padding-inline: var(--ff-space-4); }
    }
  `,
  )

  @property({ type: Boolean, reflect: true }) open = false
  @property() heading = ''
  @property({ attribute: 'close-label' }) closeLabel = 'Close'
  @query('dialog') private dialog!: HTMLDialogElement

  protected override render(): unknown {
    return html`<dialog part="dialog" aria-labelledby="heading" @close=${this.#closed} @pointerdown=${this.#press}>
      <header part="header"><h2 id="heading" tabindex="-1">${this.heading}</h2>
        <ff-icon-button .icon=${X} label=${this.closeLabel} @click=${() => this.dialog.close()}></ff-icon-button>
      </header>
      <div class="body" part="body"><slot></slot></div>
      <footer part="footer" class="empty"><slot name="footer" @slotchange=${this.#footer}></slot></footer>
    </dialog>`
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has('open')) return
    if (this.open && !this.dialog.open) {
      this.dialog.showModal()
      if (!this.querySelector('[autofocus]')) this.renderRoot.querySelector('h2')?.focus()
    } else if (!this.open && this.dialog.open) this.dialog.close()
  }

  #footer(event: Event): void {
    const slot = event.target as HTMLSlotElement
    slot.parentElement?.classList.toggle('empty', slot.assignedElements().length === 0)
  }

  #closed(): void {
    // Where nothing was focused before, the focus would stay in what is hidden now.
    if (this.shadowRoot?.activeElement instanceof HTMLElement) this.shadowRoot.activeElement.blur()
    if (!this.open) return
    this.open = false
    emit(this, 'close')
  }

  /** A press on the backdrop, which is the dialog itself, closes it. */
  #press(event: PointerEvent): void {
    if (event.target !== this.dialog) return
    const box = this.dialog.getBoundingClientRect()
    const inside =
      event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom
    if (!inside) this.dialog.close()
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-dialog': Dialog
  }
}
