import type { NotificationChanges } from '@fanfare/client'
import { BaseElement, define, emit, styled, textStyles } from '@fanfare/elements/base'
import { icon } from '@fanfare/elements/icon'
import { Archive, ArchiveRestore, Mail, MailOpen } from '@fanfare/elements/icons'
import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import '@fanfare/elements/button'
import '@fanfare/elements/notifications/snooze-menu'

/** The actions on what is selected. Fires `change` with changes, `all` (all that match) and `clear`. */
@define('ff-inbox-bulk')
export class InboxBulk extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
    :host {
      display: flex; flex-wrap: wrap; align-items: center; gap: var(--ff-space-1) var(--ff-space-2);
      min-height: var(--ff-control);
    }
    .count { margin-inline-end: var(--ff-space-2); font-weight: var(--ff-weight-medium); }
  `,
  )

  @property({ type: Number }) count = 0
  /** All that match the filter are selected, not only those that are shown. */
  @property({ type: Boolean }) all = false
  /** There are more that match. */
  @property({ type: Boolean }) more = false
  @property({ type: Boolean }) filed = false

  protected override render(): unknown {
    return html`<span class="count" role="status">${this.all ? 'All that match' : this.count} selected</span>
      ${
        this.more && !this.all
          ? html`<ff-button variant="link" size="sm" @click=${() => emit(this, 'all')}
              >Select all that match</ff-button>`
          : nothing
      }
      ${this.#button('Read', 'Mark as read', MailOpen, { read: true })}
      ${this.#button('Unread', 'Mark as unread', Mail, { read: false })}
      ${
        this.filed
          ? this.#button('To the inbox', 'Move to the inbox', ArchiveRestore, { archived: false, snoozed_until: null })
          : html`<ff-snooze-menu text align="start" @snooze=${(e: CustomEvent<Date>) =>
              this.#change({ snoozed_until: e.detail.toISOString() })}></ff-snooze-menu>
            ${this.#button('Archive', 'Archive', Archive, { archived: true })}`
      }
      <ff-button variant="ghost" size="sm" @click=${() => emit(this, 'clear')}>Clear</ff-button>`
  }

  #button(text: string, label: string, mark: typeof Mail, changes: NotificationChanges): unknown {
    return html`<ff-button size="sm" label=${label} @click=${() => this.#change(changes)}
      >${icon(mark, 14)} ${text}</ff-button>`
  }

  #change(changes: NotificationChanges): void {
    emit(this, 'change', changes)
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-inbox-bulk': InboxBulk
  }
}
