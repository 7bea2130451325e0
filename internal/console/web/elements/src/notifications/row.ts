import type { Client, Notification } from '@fanfare/client'
import { html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import { Archive, ArchiveRestore, Clock, Mail, MailOpen } from 'lucide'
import { nameOf, resourceName } from '../activity-text.ts'
import { BaseElement, define, emit, styled, textStyles } from '../base.ts'
import { excerptOf } from '../excerpt.ts'
import { icon } from '../icon.ts'
import { rowStyles } from './row-styles.ts'
import { type SnoozeTexts, snoozeTexts } from './snooze.ts'
import type { SnoozeMenu } from './snooze-menu.ts'
import { type ReasonTexts, reasonTexts } from './reason.ts'
import { type SeverityTexts, severityTexts } from '../severity.ts'
import '../avatar.ts'
import '../icon-button.ts'
import '../time.ts'
import './reason.ts'
import './snooze-menu.ts'

export interface RowTexts {
  unread: string
  markRead: string
  markUnread: string
  archive: string
  restore: string
  snoozedUntil: string
  archived: string
  severity: SeverityTexts
  snooze: SnoozeTexts
  reason: ReasonTexts
}

export const rowTexts: RowTexts = {
  unread: 'Unread',
  markRead: 'Mark as read',
  markUnread: 'Mark as unread',
  archive: 'Archive',
  restore: 'Move to the inbox',
  snoozedUntil: 'Until',
  archived: 'Archived',
  severity: severityTexts,
  snooze: snoozeTexts,
  reason: reasonTexts,
}

/**
 * A notification as a row: who, what, where, when, why, and its actions. The slot `start` is for a checkbox. Fires
 * `open` and `change` with changes of the notification.
 */
@define('ff-notification-row')
export class NotificationRow extends BaseElement {
  static override shadowRootOptions = { ...BaseElement.shadowRootOptions, delegatesFocus: true }
  static override styles = styled(textStyles, rowStyles)

  @property({ attribute: false }) client: Client | undefined
  @property({ attribute: false }) notification: Notification | undefined
  @property({ attribute: false }) texts: RowTexts = rowTexts
  /** The address of the notification. Without it, the title is a button. */
  @property() href = ''
  /** It is open, in the detail. */
  @property({ type: Boolean, reflect: true }) current = false
  @property({ type: Boolean, reflect: true }) selected = false
  /** Shows the keys of the console in tooltips. */
  @property({ type: Boolean }) keys = false

  /** openSnooze shows the times to snooze until. */
  openSnooze(): void {
    this.renderRoot.querySelector<SnoozeMenu>('ff-snooze-menu')?.show()
  }

  override focus(options?: FocusOptions): void {
    this.renderRoot.querySelector<HTMLElement>('.title')?.focus(options)
  }

  protected override render(): unknown {
    const n = this.notification
    if (!n) return nothing
    const { actor, resource, ui_hints, action } = n.event
    const unread = n.read_at === null
    const { texts } = this
    const where = resourceName(resource)
    const title = html`${unread ? html`<bdi class="hidden-text">${texts.unread}: </bdi>` : nothing}${
      ui_hints.summary || ui_hints.title || action
    }`
    const spoken = ui_hints.summary.includes(where)
    const excerpt = excerptOf(n.event)
    return html`<div class="row ${unread ? 'unread' : ''}" part="row">
      <span class="start"><slot name="start"></slot></span>
      <ff-avatar .name=${nameOf(actor)} .kind=${actor.kind}></ff-avatar>
      <div class="text">
        <div class="first">${
          this.href
            ? html`<a class="title" part="title" dir="auto" href=${this.href}
                aria-current=${this.current ? 'true' : nothing} @click=${this.#open}>${title}</a>`
            : html`<button type="button" class="title" part="title" dir="auto" @click=${this.#open}>${title}</button>`
        }<span class="time" part="time"><ff-time datetime=${n.created_at}></ff-time></span></div>
        <div class="second">
          <div class="meta ${excerpt ? 'long' : ''}" part="meta">
            ${
              ui_hints.severity === 'info'
                ? nothing
                : html`<ff-severity text level=${ui_hints.severity} label=${texts.severity[ui_hints.severity]}
                    ></ff-severity>`
            }
            <bdi class="where ${spoken && !excerpt ? 'kind' : ''}">${
              excerpt || (spoken ? resource.resource_type : where)
            }</bdi>
            ${this.#state(n)}</div>
          <ff-reason part="reason" .client=${this.client} .notification=${n} .texts=${texts.reason}
            align="end"></ff-reason>
          <div class="actions" part="actions">${this.#actions(n, unread)}</div>
        </div>
      </div>
    </div>`
  }

  #state(n: Notification): unknown {
    const { texts } = this
    if (n.archived_at) return html`<span class="state">${icon(Archive, 13)}${texts.archived}</span>`
    if (!n.snoozed_until) return nothing
    return html`<span class="state">${icon(Clock, 13)}${texts.snoozedUntil}
      <ff-time format="short" datetime=${n.snoozed_until}></ff-time></span>`
  }

  #actions(n: Notification, unread: boolean): unknown {
    const { texts, keys } = this
    const filed = n.archived_at !== null || n.snoozed_until !== null
    return html`<ff-icon-button .icon=${unread ? MailOpen : Mail} label=${unread ? texts.markRead : texts.markUnread}
        shortcut=${keys ? 'u' : ''} @click=${() => emit(this, 'change', { read: unread })}></ff-icon-button>
      ${
        n.archived_at
          ? nothing
          : html`<ff-snooze-menu .texts=${texts.snooze} @snooze=${(e: CustomEvent<Date>) =>
              emit(this, 'change', { snoozed_until: e.detail.toISOString() })}></ff-snooze-menu>`
      }
      ${
        filed
          ? html`<ff-icon-button .icon=${ArchiveRestore} label=${texts.restore} shortcut=${keys ? 'e' : ''}
              @click=${() => emit(this, 'change', { archived: false, snoozed_until: null })}></ff-icon-button>`
          : html`<ff-icon-button .icon=${Archive} label=${texts.archive} shortcut=${keys ? 'e' : ''}
              @click=${() => emit(this, 'change', { archived: true })}></ff-icon-button>`
      }`
  }

  #open = (): void => void emit(this, 'open')
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-notification-row': NotificationRow
  }
}
