import { apply, type Notification, type NotificationChanges, ProblemError, problemOf, unwrap } from '@fanfare/client'
import { linked, nameOf, resourceName } from '@fanfare/elements/activity-text'
import { BaseElement, define, emit, styled, textStyles } from '@fanfare/elements/base'
import { sayingOf } from '@fanfare/elements/excerpt'
import { icon } from '@fanfare/elements/icon'
import { Archive, ArchiveRestore, ExternalLink, Eye, EyeOff, Mail, MailOpen } from '@fanfare/elements/icons'
import { at, type JSONNode, parseJSON } from '@fanfare/elements/json-text'
import type { SnoozeMenu } from '@fanfare/elements/notifications/snooze-menu'
import { html, nothing } from 'lit'
import { property, state } from 'lit/decorators.js'
import { app } from '../../app.ts'
import { href } from '../../router.ts'
import { detailStyles } from './detail_styles.ts'
import { summaryOf } from './group_row.ts'
import '@fanfare/elements/avatar'
import '@fanfare/elements/button'
import '@fanfare/elements/chip'
import '@fanfare/elements/error'
import '@fanfare/elements/notifications/snooze-menu'
import '@fanfare/elements/notifications/why'
import '@fanfare/elements/payload'
import '@fanfare/elements/severity'
import '@fanfare/elements/skeleton'
import '@fanfare/elements/time'
import '../activity/long_text.ts'
import './sequence.ts'

interface Ancestor {
  id: string
  name: string
}

/** A notification with all that is known of it. Fires `change` with changes of it. */
@define('ff-inbox-detail')
export class InboxDetail extends BaseElement {
  static override styles = styled(textStyles, detailStyles)

  @property({ attribute: false }) notificationId = ''
  @state() private notification: Notification | undefined
  @state() private payload: JSONNode | undefined
  @state() private path: Ancestor[] = []
  @state() private error: unknown
  #loaded = ''
  #listed = false
  #unsubscribe: (() => void) | undefined

  /** The notification that is shown, once it is loaded. */
  get current(): Notification | undefined {
    return this.notification
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#unsubscribe = app().inbox.subscribe(() => this.#follow())
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#unsubscribe?.()
  }

  /** openSnooze shows the times to snooze until. */
  openSnooze(): void {
    this.renderRoot.querySelector<SnoozeMenu>('ff-snooze-menu')?.show()
  }

  /** changed shows changes at once that the list may not show. */
  changed(changes: NotificationChanges): void {
    if (this.notification) this.notification = apply(this.notification, changes)
  }

  protected override willUpdate(): void {
    if (this.notificationId === this.#loaded) return
    this.#loaded = this.notificationId
    this.notification = this.#known()
    this.#listed = this.notification !== undefined
    this.payload = undefined
    this.path = []
    void this.load()
  }

  #known(): Notification | undefined {
    const { items, groups } = app().inbox.state
    return (groups ? groups.flatMap((g) => g.items) : items).find((n) => n.id === this.notificationId)
  }

  /** follow shows what the list has now. What has left the list is read again: the caller may no longer see it. */
  #follow(): void {
    const known = this.#known()
    const left = this.#listed && !known && app().inbox.state.phase === 'ready'
    this.#listed = known !== undefined
    if (known && this.notification) this.notification = known
    else if (left) void this.load()
  }

  /** load reads the notification as a text, in which the numbers of the payload have all their digits. */
  async load(): Promise<void> {
    const id = this.notificationId
    this.error = undefined
    try {
      const text = await app().inbox.read(() => this.#read(id))
      if (id !== this.notificationId || !this.isConnected) return
      this.notification = app().inbox.withChanges(JSON.parse(text) as Notification)
      this.payload = at(parseJSON(text), 'event', 'payload')
      emit(this, 'loaded', this.notification)
      if (this.path.length === 0) await this.#ancestors(this.notification)
    } catch (error) {
      if (id !== this.notificationId) return
      if (error instanceof ProblemError || !this.notification) this.error = error
    }
  }

  async #read(id: string): Promise<string> {
    const response = await app().client.send(`/notifications/${encodeURIComponent(id)}`)
    if (!response.ok) throw await problemOf(response)
    return response.text()
  }

  async #ancestors({ id, event }: Notification): Promise<void> {
    const params = { path: { id: event.resource.resource_id } }
    const found = await unwrap(app().client.GET('/resources/{id}', { params })).catch(() => undefined)
    if (id !== this.notificationId) return
    this.path = (found?.ancestors ?? []).map((a) => ({ id: a.resource_id, name: a.name || a.type }))
  }

  protected override render(): unknown {
    const n = this.notification
    if (this.error) {
      return html`<ff-error heading="The notification could not be loaded" .error=${this.error}
        @retry=${() => void this.load()}></ff-error>`
    }
    if (!n) return html`<ff-skeleton kind="text" count="6"></ff-skeleton>`
    const { event } = n
    const summary = summaryOf(n)
    const title = event.ui_hints.title
    const said = sayingOf(event)
    return html`${this.#actions(n)}
      <div class="head">
        <h3><bdi>${linked(summary)}</bdi></h3>
        <p class="facts">
          ${title && title !== summary ? html`<bdi>${title}</bdi>` : nothing}
          ${
            event.ui_hints.severity === 'info'
              ? nothing
              : html`<ff-severity text level=${event.ui_hints.severity}></ff-severity>`
          }
          <ff-time datetime=${n.created_at} format="long"></ff-time>
          ${n.archived_at ? html`<ff-chip .icon=${Archive}>Archived</ff-chip>` : nothing}
          ${
            n.snoozed_until
              ? html`<ff-chip>Snoozed until <ff-time format="exact" datetime=${n.snoozed_until}></ff-time></ff-chip>`
              : nothing
          }</p>
      </div>
      ${said ? html`<ff-long-text enough="2000" .text=${said}></ff-long-text>` : nothing}
      <dl>
        <dt>Who</dt><dd class="actor"><ff-avatar size="sm" .name=${nameOf(event.actor)}
          .kind=${event.actor.kind}></ff-avatar><a href=${href('activity', [], { actor: event.actor.principal_id })}
          ><bdi>${nameOf(event.actor)}</bdi></a><span class="kind">${event.actor.kind}</span></dd>
        <dt>Where</dt><dd class="path">${this.#path(n)}</dd>
        <dt>Action</dt><dd><a href=${href('activity', [], { action: event.action })}
          ><code>${event.action}</code></a></dd>
        <dt>When</dt><dd><ff-time datetime=${event.created_at} format="exact"></ff-time></dd>
      </dl>
      <section aria-labelledby="why"><h4 id="why">Why am I notified?</h4>
        <ff-why folded .client=${app().client} .notification=${n}></ff-why></section>
      <ff-inbox-sequence .notification=${n}></ff-inbox-sequence>
      <section aria-labelledby="payload"><h4 id="payload">Payload</h4>
        <ff-payload .value=${this.payload}></ff-payload></section>
      <p class="links"><a href=${href('activity', [n.id])}>${icon(ExternalLink, 14)} Open in the activity view</a></p>`
  }

  #path({ event }: Notification): unknown {
    const all = [...this.path, { id: event.resource.resource_id, name: resourceName(event.resource) }]
    return html`${all.map(
      (r, i) => html`${i > 0 ? html`<span class="slash" aria-hidden="true">/</span>` : nothing}<a
        href=${href('activity', [], { resource: r.id })}><bdi>${r.name}</bdi></a>`,
    )} <span class="kind">${event.resource.resource_type}</span>`
  }

  #actions(n: Notification): unknown {
    const filed = n.archived_at !== null || n.snoozed_until !== null
    const button = (text: string, mark: typeof Mail, changes: NotificationChanges, hidden = false): unknown =>
      html`<ff-button size="sm" variant=${hidden ? 'ghost' : 'default'}
        @click=${() => emit(this, 'change', changes)}>${icon(mark, 14)} ${text}</ff-button>`
    return html`<div class="actions" role="group" aria-label="Actions">
      ${
        filed
          ? button('Move to the inbox', ArchiveRestore, { archived: false, snoozed_until: null })
          : button('Archive', Archive, { archived: true })
      }
      ${
        n.archived_at
          ? nothing
          : html`<ff-snooze-menu text align="start" @snooze=${(e: CustomEvent<Date>) =>
              emit(this, 'change', { snoozed_until: e.detail.toISOString() })}></ff-snooze-menu>`
      }
      ${
        n.read_at
          ? button('Mark as unread', Mail, { read: false }, true)
          : button('Mark as read', MailOpen, { read: true }, true)
      }
      ${
        n.read_at
          ? nothing
          : n.seen_at
            ? button('Mark as unseen', EyeOff, { seen: false }, true)
            : button('Mark as seen', Eye, { seen: true }, true)
      }</div>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-inbox-detail': InboxDetail
  }
}
