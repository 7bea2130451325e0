import { type Client, type Notification, unwrap } from '@fanfare/client'
import { css, html, nothing } from 'lit'
import { property, state } from 'lit/decorators.js'
import { Ban, CircleCheck } from 'lucide'
import { resourceName } from '../activity-text.ts'
import { BaseElement, define, emit, styled, textStyles } from '../base.ts'
import { icon } from '../icon.ts'
import { type Explanation, type ExplanationTexts, explanationTexts } from './explanation-texts.ts'
import { type Above, stop, type StopChoice, stopChoices, type StopTexts, stopTexts } from './stop.ts'
import '../button.ts'
import '../error.ts'
import '../skeleton.ts'
import './explanation.ts'

/** What has been stopped, and how to reverse it. */
interface Stopped {
  choice: StopChoice
  undo: () => Promise<void>
}

/**
 * "Why am I notified?" of a notification, and "Stop this" in place. It asks the API when it is shown. Fires
 * `stopped` with the choice, and `undone`.
 */
@define('ff-why')
export class Why extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
      :host { display: flex; flex-direction: column; gap: var(--ff-space-3); }
      summary {
        min-height: 24px; width: fit-content; font-size: var(--ff-size-meta); font-weight: var(--ff-weight-bold);
        cursor: pointer; border-radius: var(--ff-radius-sm);
      }
      @media (pointer: coarse) { summary { padding-block: 12px; } }
      .stop { padding-block-start: var(--ff-space-3); border-block-start: 1px solid var(--ff-border); }
      .choices { display: grid; margin: var(--ff-space-1) calc(-1 * var(--ff-space-2)); }
      .choices button {
        display: grid; grid-template-columns: 14px 1fr; gap: 0 var(--ff-space-2); width: 100%; min-height: 44px;
        padding: 5px var(--ff-space-2); border-radius: var(--ff-radius); align-items: start;
      }
      .choices button:hover:enabled { background: var(--ff-hover); }
      .choices button:disabled { opacity: 0.6; }
      .choices svg { margin-block-start: 3px; color: var(--ff-text-3); }
      .label { font-size: var(--ff-size-meta); font-weight: var(--ff-weight-medium); overflow-wrap: anywhere; }
      .hint, .rest { display: block; font-size: var(--ff-size-sm); line-height: 16px; color: var(--ff-text-2); }
      .done {
        display: flex; gap: var(--ff-space-2); align-items: center; padding: var(--ff-space-2) var(--ff-space-3);
        border-radius: var(--ff-radius); background: var(--ff-success-soft); font-size: var(--ff-size-meta);
      }
      .done svg { color: var(--ff-success); }
      .done span { flex: 1; overflow-wrap: anywhere; }
      ff-error { --ff-space-4: 0px; }
    `,
  )

  @property({ attribute: false }) client: Client | undefined
  @property({ attribute: false }) notification: Notification | undefined
  @property({ attribute: false }) texts: ExplanationTexts = explanationTexts
  /** Shows the choices of "Stop this" only when they are asked for. */
  @property({ type: Boolean }) folded = false
  @property({ attribute: false }) stopTexts: StopTexts = stopTexts

  @state() private explanation: Explanation | undefined
  @state() private names = new Map<string, string>()
  @state() private above: Above[] = []
  @state() private error: unknown
  @state() private problem: unknown
  @state() private busy = false
  @state() private stopped: Stopped[] = []
  #shown = ''

  protected override willUpdate(): void {
    const id = this.notification?.id ?? ''
    if (id === this.#shown || !this.client) return
    this.#shown = id
    this.explanation = undefined
    this.above = []
    this.stopped = []
    void this.load()
  }

  /** load reads the explanation, again after a change. */
  async load(): Promise<void> {
    const { client, notification } = this
    if (!client || !notification) return
    this.error = undefined
    const params = { path: { id: notification.id } }
    try {
      const explanation = await unwrap(client.GET('/activities/{id}/explain', { params }))
      if (this.#shown !== notification.id) return
      this.explanation = explanation
      if (this.names.size === 0 || this.above.length === 0) await this.#resources(client, notification)
    } catch (error) {
      if (this.#shown === notification.id) this.error = error
    }
  }

  /** resources reads the names of the resources above. Without them, there are fewer choices. */
  async #resources(client: Client, { id, event }: Notification): Promise<void> {
    const params = { path: { id: event.resource.resource_id } }
    const { data } = await client.GET('/resources/{id}', { params })
    if (this.#shown !== id) return
    const above = (data?.ancestors ?? []).map((a) => ({ id: a.resource_id, name: a.name || a.type }))
    this.above = above.slice(-2).reverse()
    this.names = new Map([
      ...above.map((a) => [a.id, a.name] as const),
      [event.resource.resource_id, resourceName(event.resource)],
    ])
  }

  protected override render(): unknown {
    const { texts } = this
    if (this.error) {
      return html`<ff-error compact .heading=${texts.failed} .error=${this.error}
        @retry=${() => void this.load()}></ff-error>`
    }
    if (!this.explanation) return html`<ff-skeleton kind="text" count="4" .label=${texts.loading}></ff-skeleton>`
    return html`<ff-explanation .explanation=${this.explanation} .texts=${texts} .names=${this.names}></ff-explanation>
      ${this.#stop()}`
  }

  #stop(): unknown {
    const { notification, stopTexts: t } = this
    if (!notification) return nothing
    const done = new Set(this.stopped.map(({ choice }) => choice.label))
    const choices = stopChoices(notification.event, this.above, t).filter((c) => !done.has(c.label))
    return html`<details class="stop" ?open=${!this.folded}><summary>${t.heading}</summary>
      <div role="status">${this.stopped.map(
        (s) => html`<p class="done">${icon(CircleCheck)}<span>${s.choice.done}</span>
          <ff-button size="sm" ?disabled=${this.busy} @click=${() => void this.#undo(s)}>${t.undo}</ff-button></p>`,
      )}</div>
      ${
        this.problem
          ? html`<ff-error compact no-retry .heading=${t.failed} .error=${this.problem}></ff-error>`
          : nothing
      }
      <div class="choices">${choices.map(
        (c) => html`<button type="button" ?disabled=${this.busy} @click=${() => void this.#choose(c)}>
          ${icon(Ban, 14)}<span><span class="label">${c.label}</span>
            <span class="hint">${c.hint}</span></span></button>`,
      )}</div>
      <p class="rest">${t.rest}</p></details>`
  }

  async #choose(choice: StopChoice): Promise<void> {
    const { client } = this
    if (!client) return
    await this.#run(async () => {
      const undo = await stop(client, choice)
      this.stopped = [...this.stopped, { choice, undo }]
      emit(this, 'stopped', choice)
    })
    this.renderRoot.querySelector<HTMLElement>('.done:last-child ff-button')?.focus()
  }

  async #undo(stopped: Stopped): Promise<void> {
    await this.#run(async () => {
      await stopped.undo()
      this.stopped = this.stopped.filter((s) => s !== stopped)
      emit(this, 'undone', stopped.choice)
    })
    this.renderRoot.querySelector<HTMLElement>('.choices button')?.focus()
  }

  async #run(action: () => Promise<void>): Promise<void> {
    this.busy = true
    this.problem = undefined
    try {
      await action()
      await this.load()
    } catch (error) {
      this.problem = error
    } finally {
      this.busy = false
      await this.updateComplete
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-why': Why
  }
}
