import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import { ConnectionError, ProblemError, TokenError } from '@fanfare/client'
import { CircleAlert, Copy, Lock, RefreshCw, SearchX, WifiOff } from 'lucide'
import { BaseElement, define, emit, styled, textStyles } from './base.ts'
import { stateStyles } from './empty.ts'
import { icon, type Icon } from './icon.ts'
import './button.ts'
import './icon-button.ts'

/** The texts of the states, for other languages. */
export const errorTexts = {
  offline: 'The server cannot be reached',
  offlineText: 'Check the connection. What you see may be out of date.',
  forbidden: 'You may not see this',
  forbiddenText: 'Your account lacks the permission. Ask an administrator for it.',
  signedOut: 'You are not signed in',
  signedOutText: 'Your session has ended. Sign in again to go on.',
  missing: 'This does not exist',
  missingText: 'It was removed, or you may not see it.',
  failed: 'This could not be loaded',
  retry: 'Try again',
  request: 'Request id',
  copy: 'Copy the request id',
}

/** A failed view or list: what failed, the request id and a button that fires `retry`. */
@define('ff-error')
export class ErrorState extends BaseElement {
  static override styles = styled(
    textStyles,
    stateStyles,
    css`
    .id {
      display: flex; flex-wrap: wrap; align-items: center; justify-content: inherit; gap: 0 4px;
      margin-block-start: var(--ff-space-2); font-size: var(--ff-size-sm); color: var(--ff-text-3);
    }
    code { font-family: var(--ff-font-mono); font-size: var(--ff-size-xs); overflow-wrap: anywhere; }
    .rules {
      margin-block-start: var(--ff-space-2); text-align: start; font-size: var(--ff-size-meta);
      color: var(--ff-text-2);
    }
    :host([compact]) { display: block; min-height: 0; padding: var(--ff-space-3) var(--ff-space-4); }
    :host([compact]) .state { justify-items: start; text-align: start; max-width: none; }
    :host([compact]) .mark { display: none; }
    :host([compact]) h2 { font-size: var(--ff-size); line-height: var(--ff-line); }
    :host([compact]) .actions { justify-content: start; margin-block-start: var(--ff-space-2); }
  `,
  )

  @property({ attribute: false }) error: unknown
  /** What could not be done, such as "The activities could not be loaded". */
  @property() heading = ''
  @property({ attribute: false }) texts = errorTexts
  @property({ type: Boolean, attribute: 'no-retry' }) noRetry = false
  /** For a place inside a view. */
  @property({ type: Boolean, reflect: true }) compact = false

  protected override render(): unknown {
    const { mark, heading, text, retry } = this.#kind()
    const problem = this.error instanceof ProblemError ? this.error : undefined
    return html`<div class="state" part="state" role="alert"><span class="mark">${icon(mark, 22)}</span>
      <h2 part="heading">${heading}</h2><p part="text">${text}</p>
      ${
        problem?.problem.errors?.length
          ? html`<ul class="rules">${problem.problem.errors.map(
              (e) => html`<li><code>${e.field}</code> ${e.rule}</li>`,
            )}</ul>`
          : nothing
      }
      ${
        problem?.requestId
          ? html`<span class="id">${this.texts.request} <code>${problem.requestId}</code>
        <ff-icon-button .icon=${Copy} label=${this.texts.copy}
          @click=${() => navigator.clipboard?.writeText(problem.requestId)}></ff-icon-button></span>`
          : nothing
      }
      <div class="actions">${
        retry && !this.noRetry
          ? html`<ff-button @click=${() => emit(this, 'retry')}
        >${icon(RefreshCw, 14)} ${this.texts.retry}</ff-button>`
          : nothing
      }<slot name="actions"></slot></div></div>`
  }

  #kind(): { mark: Icon; heading: string; text: string; retry: boolean } {
    const t = this.texts
    if (this.error instanceof ConnectionError) {
      return {
        mark: WifiOff,
        heading: this.heading || t.offline,
        text: this.heading ? `${t.offline}. ${t.offlineText}` : t.offlineText,
        retry: true,
      }
    }
    if (this.error instanceof TokenError || (this.error instanceof ProblemError && this.error.status === 401)) {
      return { mark: Lock, heading: t.signedOut, text: t.signedOutText, retry: true }
    }
    if (this.error instanceof ProblemError) {
      const { status, message, problem } = this.error
      if (status === 403)
        return { mark: Lock, heading: t.forbidden, text: problem.detail || t.forbiddenText, retry: false }
      if (status === 404) return { mark: SearchX, heading: t.missing, text: t.missingText, retry: false }
      return {
        mark: CircleAlert,
        heading: this.heading || problem.title,
        text: this.heading ? `${problem.title}. ${problem.detail ?? ''}` : message,
        retry: true,
      }
    }
    const text = this.error instanceof Error ? this.error.message : ''
    return { mark: CircleAlert, heading: this.heading || t.failed, text, retry: true }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-error': ErrorState
  }
}
