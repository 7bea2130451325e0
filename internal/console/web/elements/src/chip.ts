import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import { X } from 'lucide'
import { BaseElement, define, emit, styled } from './base.ts'
import { icon, type Icon } from './icon.ts'

export type Tone = 'neutral' | 'accent' | 'success' | 'warning' | 'error' | 'critical'

export const toneStyles = css`
  .neutral { --tone: var(--ff-text-2); --tone-soft: var(--ff-sunken); --tone-line: var(--ff-border); }
  .accent { --tone: var(--ff-accent); --tone-soft: var(--ff-accent-soft); --tone-line: transparent; }
  .success { --tone: var(--ff-success); --tone-soft: var(--ff-success-soft); --tone-line: transparent; }
  .warning { --tone: var(--ff-warning); --tone-soft: var(--ff-warning-soft); --tone-line: transparent; }
  .error { --tone: var(--ff-error); --tone-soft: var(--ff-error-soft); --tone-line: transparent; }
  .critical { --tone: var(--ff-on-critical); --tone-soft: var(--ff-critical); --tone-line: transparent; }
`

/** A small labelled mark: a reason, a filter, a state. With `action` it is a button; with `removable` it has one. */
@define('ff-chip')
export class Chip extends BaseElement {
  static override shadowRootOptions = { ...BaseElement.shadowRootOptions, delegatesFocus: true }
  static override styles = styled(
    toneStyles,
    css`
    :host { display: inline-flex; max-width: 100%; min-width: 0; vertical-align: middle; }
    .chip {
      display: inline-flex; align-items: center; gap: 4px; min-width: 0; min-height: 22px; padding: 0 7px;
      border: 1px solid var(--tone-line); border-radius: var(--ff-radius-full); background: var(--tone-soft);
      color: var(--tone); font: var(--ff-weight-medium) var(--ff-size-sm) / 18px var(--ff-font); white-space: nowrap;
    }
    button.chip { min-height: 24px; border-color: var(--ff-border-strong); }
    button.chip:hover { background: var(--ff-active); color: var(--ff-text); }
    button.chip[aria-pressed='true'] {
      background: var(--ff-accent-soft); border-color: var(--ff-accent); color: var(--ff-accent);
    }
    @media (pointer: coarse) { button.chip { min-height: 36px; padding: 0 12px; } }
    .text { overflow: hidden; text-overflow: ellipsis; }
    .key { color: var(--ff-text-3); font-weight: var(--ff-weight); }
    .remove {
      display: grid; place-items: center; width: 24px; height: 24px; margin: -1px -7px -1px -3px; border-radius: 50%;
    }
    .remove:hover { background: var(--ff-active); }
  `,
  )

  @property() tone: Tone = 'neutral'
  @property({ attribute: false }) icon: Icon | undefined
  /** A name before the content, such as `actor`. */
  @property() key = ''
  @property({ type: Boolean }) action = false
  @property({ attribute: false }) pressed: boolean | undefined
  @property({ type: Boolean }) removable = false
  /** The accessible name of the button that removes it. */
  @property({ attribute: 'remove-label' }) removeLabel = 'Remove'
  @property() label = ''
  @property({ attribute: false }) expanded: boolean | undefined
  @property({ attribute: false }) haspopup: 'menu' | 'dialog' | undefined

  protected override render(): unknown {
    const content = html`${this.icon ? icon(this.icon, 13) : nothing}${
      this.key ? html`<span class="key">${this.key}</span>` : nothing
    }<span class="text"><slot></slot></span>`
    if (this.action) {
      return html`<button part="chip" type="button" class="chip ${this.tone}" aria-label=${this.label || nothing}
        aria-pressed=${this.pressed ?? nothing} aria-expanded=${this.expanded ?? nothing}
        aria-haspopup=${this.haspopup ?? nothing}>${content}</button>`
    }
    return html`<span part="chip" class="chip ${this.tone}">${content}${
      this.removable
        ? html`<button type="button" class="remove" aria-label=${this.removeLabel}
          @click=${() => emit(this, 'remove')}>${icon(X, 12)}</button>`
        : nothing
    }</span>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-chip': Chip
  }
}
