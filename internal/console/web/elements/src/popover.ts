import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import { define, styled, textStyles } from './base.ts'
import { Floating, floatingStyles } from './floating.ts'

/** A panel with any content beside its trigger. */
@define('ff-popover')
export class Popover extends Floating {
  static override styles = styled(
    textStyles,
    floatingStyles,
    css`
    .panel { width: var(--ff-popover-width, 320px); }
    .panel:has(header)::after {
      content: ''; position: sticky; inset-block-end: 0; display: block; height: 16px; margin-block-start: -16px;
      background: linear-gradient(transparent, var(--ff-raised)); pointer-events: none;
    }
    header { padding: var(--ff-space-3) var(--ff-space-4) 0; font-weight: var(--ff-weight-bold); }
    .body { padding: var(--ff-popover-padding, var(--ff-space-3) var(--ff-space-4) var(--ff-space-4)); }
  `,
  )

  @property() heading = ''
  /** The accessible name, where the content has the heading. */
  @property() label = ''
  protected override popup = 'dialog' as const

  protected override render(): unknown {
    return html`${this.renderTrigger()}
      <div class="panel" part="panel" popover role="dialog" aria-label=${this.heading || this.label || nothing}
        tabindex="-1"
        @toggle=${this.toggled}>
        ${this.heading ? html`<header part="heading">${this.heading}</header>` : nothing}
        <div class="body" part="body"><slot></slot></div>
      </div>`
  }

  protected override opened(): void {
    this.panel.focus()
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-popover': Popover
  }
}
