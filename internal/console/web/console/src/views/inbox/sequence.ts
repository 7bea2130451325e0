import { type Activity, type Event, type Notification, unwrap } from '@fanfare/client'
import { nameOf } from '@fanfare/elements/activity-text'
import { BaseElement, define, styled, textStyles } from '@fanfare/elements/base'
import { css, html, nothing } from 'lit'
import { property, state } from 'lit/decorators.js'
import { app } from '../../app.ts'
import { href } from '../../router.ts'
import { may } from '../../sign_in/me.ts'
import '@fanfare/elements/time'

type Step = Event | Activity

const most = 20

/** The activities of the same workflow, the oldest first. It shows nothing where there is only one. */
@define('ff-inbox-sequence')
export class InboxSequence extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
    section { display: grid; gap: var(--ff-space-2); }
    h4 { font-size: var(--ff-size-meta); font-weight: var(--ff-weight-bold); }
    ol { border-inline-start: 2px solid var(--ff-border); margin-inline-start: 5px; }
    li {
      position: relative; padding: 4px 0 4px var(--ff-space-4); padding-inline: var(--ff-space-4) 0;
      font-size: var(--ff-size-meta); overflow-wrap: anywhere;
    }
    li::before {
      content: ''; position: absolute; inset-block-start: 11px; inset-inline-start: -5px; width: 8px; height: 8px;
      border-radius: 50%; background: var(--ff-border-strong);
    }
    li.here::before { background: var(--ff-accent); }
    .here { font-weight: var(--ff-weight-medium); }
    .meta { color: var(--ff-text-3); font-size: var(--ff-size-sm); font-weight: var(--ff-weight); }
    .all { font-size: var(--ff-size-meta); }
  `,
  )

  @property({ attribute: false }) notification: Notification | undefined
  @state() private steps: Step[] = []
  @state() private more = false
  #of = ''

  protected override willUpdate(): void {
    const { notification } = this
    if (!notification || notification.id === this.#of) return
    this.#of = notification.id
    this.steps = []
    this.#load(notification).catch(() => {}) // the detail is complete without it
  }

  /** load reads the sequence: with activity:read that of the tenant, else of the caller's inbox, which is quick. */
  async #load({ id, event }: Notification): Promise<void> {
    const { client, me } = app()
    const query = { correlation_id: event.correlation_id, limit: most }
    const whole = may(me, 'activity:read')
    const page = whole
      ? await unwrap(client.GET('/activities', { params: { query } }))
      : await unwrap(client.GET('/notifications', { params: { query: { ...query, state: 'all' } } }))
    if (id !== this.#of) return
    this.more = page.next_cursor !== null
    this.steps = page.items.map((item) => ('event' in item ? item.event : item)).toReversed()
  }

  protected override render(): unknown {
    const { notification, steps } = this
    if (!notification || steps.length < 2) return nothing
    const all = href('activity', [], { correlation_id: notification.event.correlation_id })
    return html`<section aria-labelledby="sequence"><h4 id="sequence">In the same workflow</h4>
      <ol>${steps.map((s) => this.#step(s, s.event_id === notification.id))}</ol>
      <a class="all" href=${all}>${this.more ? `More than ${most}: show all` : 'Show the workflow'}</a></section>`
  }

  #step(step: Step, here: boolean): unknown {
    const text = step.ui_hints.summary || step.ui_hints.title || step.action
    return html`<li class=${here ? 'here' : ''} aria-current=${here ? 'step' : nothing}>
      ${here ? html`<bdi>${text}</bdi>` : html`<a href=${href('activity', [step.event_id])}><bdi>${text}</bdi></a>`}
      <div class="meta"><bdi>${nameOf(step.actor)}</bdi> ·
        <ff-time datetime=${step.created_at} format="exact"></ff-time></div>
    </li>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-inbox-sequence': InboxSequence
  }
}
