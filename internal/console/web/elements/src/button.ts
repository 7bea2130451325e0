import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import { define, BaseElement, styled } from './base.ts'

export const buttonStyles = css`
  :host { display: inline-flex; vertical-align: middle; }
  .button {
    display: inline-flex; align-items: center; justify-content: center; gap: 6px; width: 100%;
    min-height: var(--ff-control); padding: 0 var(--ff-space-3); border: 1px solid transparent;
    border-radius: var(--ff-radius); font: var(--ff-weight-medium) var(--ff-size-meta) / 18px var(--ff-font);
    color: var(--ff-text); background: var(--ff-surface); white-space: nowrap; text-decoration: none; user-select: none;
    transition: background var(--ff-motion), border-color var(--ff-motion), color var(--ff-motion);
  }
  .button:hover { text-decoration: none; }
  .sm { min-height: var(--ff-control-sm); padding: 0 var(--ff-space-2); font-size: var(--ff-size-sm); gap: 5px; }
  .default { border-color: var(--ff-border-strong); }
  .default:hover:enabled, a.default:hover { background: var(--ff-hover); }
  .primary { background: var(--ff-accent); color: var(--ff-on-accent); }
  .primary:hover:enabled, a.primary:hover { background: var(--ff-accent-hover); }
  .ghost { background: none; color: var(--ff-text-2); }
  .ghost:hover:enabled, a.ghost:hover { background: var(--ff-hover); color: var(--ff-text); }
  .danger { border-color: var(--ff-border-strong); color: var(--ff-error); }
  .danger:hover:enabled { background: var(--ff-error-soft); border-color: var(--ff-error); }
  .link { min-height: 24px; padding: 0; background: none; color: var(--ff-accent); }
  .link:hover:enabled, a.link:hover { text-decoration: underline; }
  .button:active:enabled { filter: brightness(0.96); }
  .button[aria-pressed='true'], .button[aria-expanded='true'] { background: var(--ff-active); color: var(--ff-text); }
  .button:disabled { opacity: 0.5; }
  .busy { position: relative; color: transparent !important; opacity: 1 !important; }
  .busy::after {
    content: ''; position: absolute; width: 14px; height: 14px; border-radius: 50%; border: 2px solid var(--ff-text-3);
    border-block-start-color: transparent; animation: spin 0.8s linear infinite;
  }
  .primary.busy::after { border-color: var(--ff-on-accent); border-block-start-color: transparent; }
  @keyframes spin { to { rotate: 360deg; } }
  @media (prefers-reduced-motion: reduce) { .busy::after { animation-duration: 4s; } }
`

export type ButtonVariant = 'default' | 'primary' | 'ghost' | 'danger' | 'link'

/** A button, or with href a link that looks like one. */
@define('ff-button')
export class Button extends BaseElement {
  static override shadowRootOptions = { ...BaseElement.shadowRootOptions, delegatesFocus: true }
  static override styles = styled(buttonStyles)

  @property({ reflect: true }) variant: ButtonVariant = 'default'
  @property() size: 'sm' | 'md' = 'md'
  @property() type: 'button' | 'submit' = 'button'
  @property() href = ''
  /** The accessible name, where the content is not it. */
  @property() label = ''
  /** A shortcut, which is announced. */
  @property() shortcut = ''
  @property({ type: Boolean, reflect: true }) disabled = false
  /** Shows that its action runs, and disables it. */
  @property({ type: Boolean }) busy = false
  @property({ attribute: false }) pressed: boolean | undefined
  @property({ attribute: false }) expanded: boolean | undefined
  @property({ attribute: false }) haspopup: 'menu' | 'dialog' | undefined

  protected override render(): unknown {
    const classes = `button ${this.variant} ${this.size} ${this.busy ? 'busy' : ''}`
    if (this.href) {
      return html`<a part="button" class=${classes} href=${this.href} aria-label=${this.label || nothing}
        >${this.content()}</a>`
    }
    return html`<button part="button" class=${classes} type="button" aria-label=${this.label || nothing}
      aria-busy=${this.busy ? 'true' : nothing} ?disabled=${this.disabled || this.busy}
      aria-pressed=${this.pressed ?? nothing} aria-expanded=${this.expanded ?? nothing}
      aria-haspopup=${this.haspopup ?? nothing} aria-keyshortcuts=${this.shortcut || nothing}
      @click=${this.#click}>${this.content()}</button>`
  }

  protected content(): unknown {
    return html`<slot></slot>`
  }

  #click(): void {
    if (this.type === 'submit') this.closest('form')?.requestSubmit()
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-button': Button
  }
}
