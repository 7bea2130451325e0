import { unwrap } from '@fanfare/client'
import { define, styled } from '@fanfare/elements/base'
import { icon } from '@fanfare/elements/icon'
import { ArrowRight, CircleAlert, CircleCheck, Send, TriangleAlert } from '@fanfare/elements/icons'
import { css, html, nothing } from 'lit'
import { state } from 'lit/decorators.js'
import { app } from '../../app.ts'
import { duration } from '../../parts/format.ts'
import { href } from '../../router.ts'
import { may } from '../../sign_in/me.ts'
import { View, viewStyles } from '../../view.ts'
import { type Report, verdict } from '../doctor/checks.ts'
import { type Ids, linesOf } from './lines.ts'
import { sendOne, type Trial } from './trial.ts'
import '../../parts/code.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/error'
import '@fanfare/elements/notifications/row'
import '@fanfare/elements/skeleton'
import '@fanfare/elements/tabs'

const marks = { ok: CircleCheck, warning: TriangleAlert, error: CircleAlert }

/** The first steps: check the installation, get a notification, record an activity, read on. */
@define('ff-start-view')
export class StartView extends View {
  static override styles = styled(
    viewStyles,
    css`
      .page { display: grid; gap: var(--ff-space-8); max-width: 820px; }
      .intro { color: var(--ff-text-2); }
      ol { display: grid; gap: var(--ff-space-8); counter-reset: step; }
      li {
        position: relative; display: grid; gap: var(--ff-space-3); min-width: 0; padding-inline-start: 40px;
        counter-increment: step;
      }
      li::before {
        content: counter(step); position: absolute; inset: -2px auto auto 0; display: grid; place-items: center;
        width: 24px; height: 24px; border-radius: 50%; background: var(--ff-accent-soft); color: var(--ff-accent);
        font-size: var(--ff-size-sm); font-weight: var(--ff-weight-bold);
      }
      li:last-child::before { content: none; }
      h2 { font-size: var(--ff-size); line-height: var(--ff-line); font-weight: var(--ff-weight-bold); }
      p { color: var(--ff-text-2); }
      .line { display: flex; flex-wrap: wrap; align-items: center; gap: var(--ff-space-2) var(--ff-space-3); }
      .state { display: flex; gap: var(--ff-space-2); align-items: center; }
      .ok svg { color: var(--ff-success); }
      .warning svg { color: var(--ff-warning); }
      .error svg { color: var(--ff-error); }
      .arrived { border: 1px solid var(--ff-border); border-radius: var(--ff-radius-lg); overflow: hidden; }
      .panel { display: grid; gap: var(--ff-space-3); padding-block-start: var(--ff-space-3); }
      p a { text-decoration: underline; }
      @media (max-width: 640px) { li { padding-inline-start: 32px; } }
    `,
  )

  @state() private report: Report | undefined
  @state() private reportError: unknown
  @state() private resource: Ids['resource']
  @state() private trial: Trial | undefined
  #leave = new AbortController()

  override connectedCallback(): void {
    super.connectedCallback()
    this.#leave = new AbortController()
    if (may(app().me, 'installation:read')) void this.#examine()
    void this.#findResource()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#leave.abort()
  }

  async #examine(): Promise<void> {
    this.reportError = undefined
    try {
      this.report = await unwrap(app().client.GET('/installation/doctor'))
    } catch (error) {
      this.reportError = error
    }
  }

  /** The lines name a resource of the caller; without one, or while it is unknown, an example. */
  async #findResource(): Promise<void> {
    try {
      const list = await unwrap(app().client.GET('/resources', { params: { query: { limit: 1 } } }))
      const first = list.items[0]
      if (first) this.resource = { id: first.resource_id, type: first.type }
    } catch {
      // The lines have the example.
    }
  }

  protected override render(): unknown {
    return html`${this.renderHeader('First steps')}<div class="view-body"><div class="page">
      <p class="intro">An application records what happens, in the transaction that changes its data. Fanfare
        delivers it to the people whom it concerns: here, in the application, or over the API.</p>
      <ol>${may(app().me, 'installation:read') ? this.#checks() : nothing}
        ${this.#send()}${this.#record()}${this.#read()}
      </ol></div></div>`
  }

  #checks(): unknown {
    return html`<li><h2>Check the installation</h2>${this.#checked()}</li>`
  }

  #checked(): unknown {
    if (this.reportError) {
      return html`<ff-error compact heading="The checks could not be run" .error=${this.reportError}
        @retry=${() => void this.#examine()}></ff-error>`
    }
    if (!this.report) return html`<p role="status">The checks run. They take up to 20 seconds.</p>`
    const { tone, text } = verdict(this.report.checks)
    return html`<div class="line"><span class="state ${tone}" role="status">${icon(marks[tone], 16)} ${text}</span>
      <ff-button size="sm" href=${href('doctor')}>${tone === 'ok' ? 'Show the checks' : 'Show what to do'}</ff-button>
      </div>`
  }

  #send(): unknown {
    const busy = this.trial?.phase === 'sending' || this.trial?.phase === 'waiting'
    return html`<li><h2>See a notification arrive</h2>
      <p>It goes the way of every notification: outbox, worker, Centrifugo, this page. No other person is notified.</p>
      <div class="line"><ff-button variant="primary" ?busy=${busy} @click=${() => this.#try()}>${icon(Send, 14)} Send me
        ${this.trial ? 'another one' : 'one'}</ff-button>${this.#progress()}</div>
      ${
        this.trial?.phase === 'arrived'
          ? html`<div class="arrived" role="list"><div role="listitem"><ff-notification-row .client=${app().client}
              .notification=${this.trial.notification} href=${href('inbox', [this.trial.activity])}
              ></ff-notification-row></div></div>`
          : nothing
      }</li>`
  }

  #progress(): unknown {
    const { trial } = this
    switch (trial?.phase) {
      case undefined:
        return nothing
      case 'sending':
      case 'waiting':
        return html`<span role="status">On its way…</span>`
      case 'arrived':
        return html`<span class="state ok" role="status">${icon(CircleCheck, 16)} ${arrived(
          trial.live,
          duration(trial.milliseconds / 1000),
        )}</span>`
      case 'missing':
        return html`<span class="state warning" role="status">${icon(TriangleAlert, 16)} Nothing arrived in
          30 seconds. Is a worker running? <a href=${href('activity', [trial.activity])}>Show the activity</a></span>`
      case 'failed':
        return html`<ff-error compact heading="It could not be sent" .error=${trial.error} no-retry></ff-error>`
    }
  }

  #try(): void {
    void sendOne(
      app(),
      (trial) => {
        if (this.isConnected) this.trial = trial
      },
      this.#leave.signal,
    )
  }

  #record(): unknown {
    const { tenant_id: tenant, principal_id: principal } = app().me
    const all = linesOf({ tenant, principal, resource: this.resource, origin: location.origin })
    const one = all.find((l) => l.id === this.query.get('in')) ?? all[0]
    if (!one) return nothing
    return html`<li><h2>Record an activity</h2>
      <p>The example contains your ids. You are the actor, so the activity appears in
        <a href=${href('activity')}>Activity</a>, and notifies those who follow the resource, but not you.</p>
      <ff-tabs label="Language" .tabs=${all.map(({ id, label }) => ({ id, label }))} .selected=${one.id}
        @change=${(e: CustomEvent<string>) => this.#choose(e.detail)}
        ><div class="panel"><p>${one.needs}</p>
        <ff-code label=${`the lines in ${one.label}`} .text=${one.text}></ff-code>
        </div></ff-tabs></li>`
  }

  #choose(language: string): void {
    this.setQuery({ in: language === 'sql' ? null : language }, { replace: true })
  }

  #read(): unknown {
    return html`<li><h2>Next</h2><div class="line">
      <ff-button href=${href('following')}>Choose what to follow ${icon(ArrowRight, 14)}</ff-button>
      <ff-button href=${href('preferences')}>Choose what notifies you ${icon(ArrowRight, 14)}</ff-button>
      <ff-button href="/v1/docs">API reference ${icon(ArrowRight, 14)}</ff-button></div></li>`
  }
}

function arrived(live: boolean, after: string): string {
  return live
    ? `Arrived live after ${after}.`
    : `In the inbox after ${after}, but not live: this page has no connection to Centrifugo.`
}
