import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import { define, BaseElement, styled } from './base.ts'
import { buttonStyles } from './button.ts'
import { icon, type Icon } from './icon.ts'
import './tooltip.ts'

/** A button with an icon. Its label is its accessible name and its tooltip. */
@define('ff-icon-button')
export class IconButton extends BaseElement {
  static override shadowRootOptions = { ...BaseElement.shadowRootOptions, delegatesFocus: true }
  static override styles = styled(
    buttonStyles,
    css`
    .button { width: var(--ff-control); padding: 0; }
    .sm { width: var(--ff-control-sm); padding: 0; }
    .button[aria-pressed='true'] { color: var(--ff-accent); }
    a { justify-content: center; }
  `,
  )

  @property({ attribute: false }) icon: Icon | undefined
  @property() label = ''
  /** A shortcut, shown in the tooltip. */
  @property() shortcut = ''
  @property() href = ''
  @property() variant: 'ghost' | 'default' | 'danger' = 'ghost'
  @property() size: 'sm' | 'md' = 'sm'
  @property({ type: Boolean, reflect: true }) disabled = false
  @property({ type: Boolean }) busy = false
  @property({ attribute: false }) pressed: boolean | undefined
  @property({ attribute: false }) expanded: boolean | undefined
  @property({ attribute: false }) haspopup: 'menu' | 'dialog' | undefined

  protected override render(): unknown {
    const classes = `button ${this.variant} ${this.size} ${this.busy ? 'busy' : ''}`
    const content = html`${this.icon ? icon(this.icon) : html`<slot></slot>`}`
    const control = this.href
      ? html`<a part="button" class=${classes} href=${this.href} aria-label=${this.label}>${content}</a>`
      : html`<button part="button" class=${classes} type="button" aria-label=${this.label}
          ?disabled=${this.disabled || this.busy} aria-pressed=${this.pressed ?? nothing}
          aria-expanded=${this.expanded ?? nothing} aria-haspopup=${this.haspopup ?? nothing}
          aria-keyshortcuts=${this.shortcut || nothing}>${content}</button>`
    return html`<ff-tooltip .text=${this.label} .shortcut=${this.shortcut}>${control}</ff-tooltip>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-icon-button': IconButton
  }
}
