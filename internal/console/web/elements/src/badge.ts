import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import { BaseElement, define, styled } from './base.ts'
import { type Tone, toneStyles } from './chip.ts'

/** A count, 99+ above that; nothing at zero. `label` is what a screen reader says, such as `3 unread`. */
@define('ff-badge')
export class Badge extends BaseElement {
  static override styles = styled(
    toneStyles,
    css`
    :host { display: inline-flex; }
    .badge {
      min-width: 18px; padding: 0 5px; border-radius: var(--ff-radius-full); text-align: center;
      font: var(--ff-weight-bold) var(--ff-size-xs) / 18px var(--ff-font); font-variant-numeric: tabular-nums;
      background: var(--tone-soft); color: var(--tone);
    }
    .neutral { background: var(--ff-active); }
    .accent { background: var(--ff-accent); color: var(--ff-on-accent); }
  `,
  )

  @property({ type: Number }) count = 0
  @property({ type: Number }) max = 99
  @property() tone: Tone = 'neutral'
  @property() label = ''

  protected override render(): unknown {
    if (this.count <= 0) return nothing
    const text = this.count > this.max ? `${this.max}+` : String(this.count)
    return html`<span part="badge" class="badge ${this.tone}">${
      this.label ? html`<span aria-hidden="true">${text}</span><span class="hidden-text">${this.label}</span>` : text
    }</span>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-badge': Badge
  }
}
