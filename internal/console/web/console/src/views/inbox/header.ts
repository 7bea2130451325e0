import { BaseElement, define, emit, styled, textStyles } from '@fanfare/elements/base'
import { icon } from '@fanfare/elements/icon'
import { CheckCheck, Layers } from '@fanfare/elements/icons'
import type { MenuItem } from '@fanfare/elements/menu'
import { css, html } from 'lit'
import { property, state } from 'lit/decorators.js'
import { many } from './actions.ts'
import type { Grouping } from './query.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/dialog'
import '@fanfare/elements/menu'

const groupNames = { resource: 'Resource', correlation: 'Workflow', burst: 'Burst' } as const

/** As many changes can be undone. */
const undoable = 1000

/** How the inbox is grouped, and "Mark all as read". Fires `group` with the grouping or '', and `mark-all`. */
@define('ff-inbox-header')
export class InboxHeader extends BaseElement {
  static override styles = styled(textStyles, css`:host { display: contents; } ff-dialog { position: absolute; }`)

  @property({ attribute: false }) grouping: Grouping | undefined
  @property({ type: Number }) unread = 0
  @state() private confirming = false

  protected override render(): unknown {
    const { grouping, unread } = this
    const items: MenuItem[] = [
      { id: '', label: 'Not grouped', checked: !grouping },
      ...Object.entries(groupNames).map(([id, label]) => ({ id, label, checked: id === grouping })),
    ]
    const close = (): void => void (this.confirming = false)
    return html`<ff-menu align="end" label="Group by" .items=${items}
        @select=${(e: CustomEvent<string>) => emit(this, 'group', e.detail)}>
        <ff-button slot="trigger" size="sm" variant="ghost">${icon(Layers, 14)}
          ${grouping ? `By ${groupNames[grouping].toLowerCase()}` : 'Group'}</ff-button></ff-menu>
      <ff-button size="sm" @click=${this.#markAll}>${icon(CheckCheck, 14)} Mark all as read</ff-button>
      <ff-dialog heading="Mark all as read?" .open=${this.confirming} @close=${close}>
        <p>${unread >= 10_000 ? '10,000 or more notifications are' : `${many(unread)} are`} unread.
          More than ${undoable.toLocaleString()} changes cannot be undone.</p>
        <ff-button slot="footer" @click=${close}>Cancel</ff-button>
        <ff-button slot="footer" variant="primary" @click=${() => {
          close()
          emit(this, 'mark-all')
        }}>Mark all as read</ff-button></ff-dialog>`
  }

  #markAll = (): void => {
    if (this.unread > undoable) this.confirming = true
    else emit(this, 'mark-all')
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-inbox-header': InboxHeader
  }
}
