import { css, html } from 'lit'
import { property } from 'lit/decorators.js'
import { define, styled } from './base.ts'
import { Button, type ButtonVariant, buttonStyles } from './button.ts'
import { icon, type Icon } from './icon.ts'
import './tooltip.ts'

/** A button with an icon. Its label is its accessible name and its tooltip. */
@define('ff-icon-button')
export class IconButton extends Button {
  static override styles = styled(
    buttonStyles,
    css`
    .button { width: var(--ff-control); padding: 0; }
    .sm { width: var(--ff-control-sm); padding: 0; }
    .button[aria-pressed='true'] { color: var(--ff-accent); }
  `,
  )

  @property({ attribute: false }) icon: Icon | undefined
  override variant: ButtonVariant = 'ghost'
  override size: 'sm' | 'md' = 'sm'

  protected override render(): unknown {
    return html`<ff-tooltip .text=${this.label} .shortcut=${this.shortcut}>${super.render()}</ff-tooltip>`
  }

  protected override content(): unknown {
    return this.icon ? icon(this.icon) : super.content()
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-icon-button': IconButton
  }
}
