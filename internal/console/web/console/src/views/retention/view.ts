import { unwrap } from '@fanfare/client'
import { define, styled } from '@fanfare/elements/base'
import { icon } from '@fanfare/elements/icon'
import { RefreshCw } from '@fanfare/elements/icons'
import { css, html, nothing } from 'lit'
import { state } from 'lit/decorators.js'
import { app } from '../../app.ts'
import { loaded, type Part } from '../../parts/part.ts'
import { href } from '../../router.ts'
import { View, viewStyles } from '../../view.ts'
import { operatorStyles } from '../operations/styles.ts'
import { type ActivityEvent, holdsTable, namesOf, removedText } from './holds.ts'
import type { Retention } from './limits.ts'
import './form.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/error'
import '@fanfare/elements/skeleton'
import '@fanfare/elements/time'

const actions: Record<string, string> = {
  'retention.changed': 'Limits changed',
  'retention.hold_placed': 'Hold placed',
  'retention.hold_released': 'Hold released',
}

/** How long what is kept: the limits, the legal holds, and what retention has done. */
@define('ff-retention-view')
export class RetentionView extends View {
  static override styles = styled(
    viewStyles,
    operatorStyles,
    css`
      .page { display: grid; gap: var(--ff-space-8); }
      .intro { color: var(--ff-text-2); }
      td.any { overflow-wrap: anywhere; min-width: 140px; }
      td.command { min-width: 220px; }
    `,
  )

  @state() private policy: Part<Retention> = {}
  @state() private names = new Map<string, string>()
  @state() private history: Part<ActivityEvent[]> = {}

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#load()
  }

  async #load(): Promise<void> {
    const { client } = app()
    this.policy = await loaded<Retention>({}, unwrap(client.GET('/retention')))
    if (this.policy.value) void this.#follow(this.policy.value)
  }

  /** follow loads what belongs to a policy: the names in its holds, and what retention has done. */
  async #follow(policy: Retention): Promise<void> {
    const { client } = app()
    const query = { action: 'retention.*', limit: 10 }
    const [names, history] = await Promise.all([
      namesOf(client, policy.holds),
      loaded(
        this.history,
        unwrap(client.GET('/audit', { params: { query } })).then((page) => page.items),
      ),
    ])
    this.names = names
    this.history = history
  }

  protected override render(): unknown {
    const refresh = html`<ff-button @click=${() => void this.#load()}>${icon(RefreshCw, 14)} Refresh
      </ff-button>`
    return html`${this.renderHeader('Retention', refresh)}
      <div class="view-body"><div class="page">${this.#content()}</div></div>`
  }

  #content(): unknown {
    const { value, error } = this.policy
    if (error) {
      return html`<ff-error heading="The retention could not be loaded" .error=${error}
        @retry=${() => void this.#load()}
        ></ff-error>`
    }
    if (!value) return html`<ff-skeleton count="8" label="Loading the retention"></ff-skeleton>`
    return html`<section aria-labelledby="limits"><div class="section-head"><h2 id="limits">Limits</h2>
        <span class="note">${this.#changed(value)}</span></div>
        <p class="intro">A day is 24 hours; 0 is no limit.</p>
        <ff-retention-form .policy=${value} @saved=${this.#saved}></ff-retention-form></section>
      <section aria-labelledby="holds"><h2 id="holds">Legal holds</h2>
        ${holdsTable(value.holds, this.names, app().me.tenant_id)}</section>
      <section aria-labelledby="history"><div class="section-head"><h2 id="history">What retention has done</h2>
        <span class="note"></span><ff-button size="sm" href=${href('activity', [], { action: 'retention.*' })}>Show
          all</ff-button></div>${this.#history()}</section>`
  }

  #changed(policy: Retention): unknown {
    if (!policy.updated_at) return nothing
    return html`Changed <ff-time datetime=${policy.updated_at}></ff-time>`
  }

  #saved = (event: CustomEvent<Retention>): void => {
    this.policy = { value: event.detail }
    void this.#follow(event.detail)
  }

  #history(): unknown {
    const { value, error } = this.history
    if (!value) {
      return error
        ? html`<ff-error compact heading="The records could not be loaded" .error=${error} no-retry></ff-error>`
        : html`<ff-skeleton count="2" label="Loading the records"></ff-skeleton>`
    }
    if (value.length === 0) {
      return html`<p class="muted">No run has removed anything of your tenant yet, and no one has changed a limit.</p>`
    }
    return html`<ul class="rows">${value.map(
      (event) => html`<li class="row"><div><a href=${href('activity', [event.event_id])}>${
        actions[event.action] ?? removedText(event.payload)
      }</a></div><div class="meta"><ff-time datetime=${event.created_at}></ff-time>
        ${event.actor.display_name ? html`<bdi>${event.actor.display_name}</bdi>` : nothing}</div></li>`,
    )}</ul>`
  }
}
