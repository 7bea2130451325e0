import type { Notification, NotificationChanges, NotificationGroup } from '@fanfare/client'
import { nameOf, resourceName } from '@fanfare/elements/activity-text'
import { BaseElement, define, emit, styled, textStyles } from '@fanfare/elements/base'
import { icon } from '@fanfare/elements/icon'
import { Archive, ChevronDown, ChevronRight, MailOpen } from '@fanfare/elements/icons'
import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import type { Grouping } from './query.ts'
import '@fanfare/elements/badge'
import '@fanfare/elements/icon-button'
import '@fanfare/elements/time'

/** groupTitle returns what the notifications of a group have in common. */
function groupTitle(group: NotificationGroup, by: Grouping): string {
  const [newest] = group.items
  if (!newest) return 'Notifications'
  if (by === 'resource') return resourceName(newest.event.resource)
  if (by === 'burst') return `${nameOf(newest.event.actor)} in ${resourceName(newest.event.resource)}`
  return summaryOf(newest)
}

/** summaryOf returns the line that describes a notification. */
export function summaryOf({ event }: Notification): string {
  return event.ui_hints.summary || event.ui_hints.title || event.action
}

/** A group of notifications: opens and closes, and is changed as one. Fires `toggle` and `change` with changes. */
@define('ff-group-row')
export class GroupRow extends BaseElement {
  static override shadowRootOptions = { ...BaseElement.shadowRootOptions, delegatesFocus: true }
  static override styles = styled(
    textStyles,
    css`
    :host { display: block; }
    .row {
      position: relative; display: flex; align-items: center; gap: var(--ff-space-3); min-height: 56px;
      padding: var(--ff-space-1) var(--ff-space-4) var(--ff-space-1) var(--ff-space-3);
      border-block-end: 1px solid var(--ff-border);
    }
    .row:hover { background: var(--ff-hover); }
    .toggle { display: flex; align-items: center; gap: var(--ff-space-2); flex: 1; min-width: 0; min-height: 44px; }
    .toggle::after { content: ''; position: absolute; inset: 0; }
    .toggle:focus-visible { outline: none; }
    .toggle:focus-visible::after { outline: 2px solid var(--ff-accent); outline-offset: -2px; }
    .toggle > svg { color: var(--ff-text-3); }
    :dir(rtl) .closed { scale: -1 1; }
    .mark { flex: none; width: 8px; height: 8px; border-radius: 50%; }
    .unread .mark { background: var(--ff-accent); }
    .text { min-width: 0; }
    .title, .who { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    .title { font-weight: var(--ff-weight-medium); }
    .unread .title { font-weight: var(--ff-weight-bold); }
    .who { color: var(--ff-text-2); font-size: var(--ff-size-meta); }
    .time { color: var(--ff-text-3); font-size: var(--ff-size-sm); white-space: nowrap; }
    .actions { display: flex; position: relative; z-index: 1; }
    @media (max-width: 640px) { .time { display: none; } }
  `,
  )

  @property({ attribute: false }) group: NotificationGroup | undefined
  @property() by: Grouping = 'resource'
  @property({ type: Boolean }) open = false

  override focus(options?: FocusOptions): void {
    this.renderRoot.querySelector<HTMLElement>('.toggle')?.focus(options)
  }

  protected override render(): unknown {
    const { group, open } = this
    if (!group) return nothing
    const names = group.actors.slice(0, 3).map(nameOf)
    const others = group.actor_count - names.length
    const who = names.join(', ') + (others > 0 ? ` and ${others} more` : '')
    const unread = group.unread > 0 ? `, ${group.unread} unread` : ''
    return html`<div class="row ${group.unread > 0 ? 'unread' : ''}">
      <button type="button" class="toggle" aria-expanded=${open} @click=${() => emit(this, 'toggle')}>
        <span class=${open ? '' : 'closed'}>${icon(open ? ChevronDown : ChevronRight)}</span>
        <span class="mark"></span>
        <span class="text"><bdi class="title">${groupTitle(group, this.by)}</bdi>
          <bdi class="who">${who}</bdi></span></button>
      <ff-badge .count=${group.total} .max=${9999} label="${group.total} notifications${unread}"
        ></ff-badge>
      <span class="time"><ff-time datetime=${group.newest_at}></ff-time></span>
      <span class="actions">
        ${group.unread > 0 ? this.#action(MailOpen, 'Mark all of them as read', { read: true }) : nothing}
        ${this.#action(Archive, 'Archive all of them', { archived: true })}</span>
    </div>`
  }

  #action(mark: typeof Archive, label: string, changes: NotificationChanges): unknown {
    return html`<ff-icon-button .icon=${mark} label=${label}
      @click=${() => emit(this, 'change', changes)}></ff-icon-button>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-group-row': GroupRow
  }
}
