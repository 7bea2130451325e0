import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import { Inbox } from 'lucide'
import { BaseElement, define, styled, textStyles } from './base.ts'
import { icon, type Icon } from './icon.ts'

export const stateStyles = css`
  :host { display: grid; place-items: center; padding: var(--ff-space-8) var(--ff-space-4); min-height: 240px; }
  .state { display: grid; justify-items: center; gap: var(--ff-space-1); max-width: 420px; text-align: center; }
  .mark {
    display: grid; place-items: center; width: 44px; height: 44px; margin-block-end: var(--ff-space-2);
    border-radius: 50%; background: var(--ff-sunken); color: var(--ff-text-3);
  }
  h2 { font-size: var(--ff-size-lg); line-height: 24px; font-weight: var(--ff-weight-bold); }
  p { color: var(--ff-text-2); overflow-wrap: anywhere; }
  .actions {
    display: flex; flex-wrap: wrap; justify-content: center; gap: var(--ff-space-2);
    margin-block-start: var(--ff-space-3);
  }
`

/** A view or list without content: why it is empty in the slot, what to do next in the slot `actions`. */
@define('ff-empty')
export class Empty extends BaseElement {
  static override styles = styled(textStyles, stateStyles)

  @property({ attribute: false }) icon: Icon = Inbox
  @property() heading = ''

  protected override render(): unknown {
    return html`<div class="state" part="state"><span class="mark" part="mark">${icon(this.icon, 22)}</span>
      ${this.heading ? html`<h2 part="heading">${this.heading}</h2>` : nothing}
      <p part="text"><slot></slot></p><div class="actions"><slot name="actions"></slot></div></div>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-empty': Empty
  }
}
