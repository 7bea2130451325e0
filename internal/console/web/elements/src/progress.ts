import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import { BaseElement, define, styled } from './base.ts'
import { inlineStyle } from './inline-style.ts'

/** How far work is: `value` of `max`; without a value, that it goes on. `text` is shown beside the label. */
@define('ff-progress')
export class Progress extends BaseElement {
  static override styles = styled(css`
    :host {
      display: block; font: var(--ff-weight) var(--ff-size-sm) / var(--ff-line-sm) var(--ff-font);
      color: var(--ff-text-2); font-variant-numeric: tabular-nums;
    }
    .texts { display: flex; justify-content: space-between; gap: var(--ff-space-2); margin-block-end: 4px; }
    .track { height: 6px; border-radius: 3px; background: var(--ff-active); overflow: hidden; }
    .bar { height: 100%; border-radius: 3px; background: var(--ff-accent); transition: width var(--ff-motion) linear; }
    .going { width: 30%; animation: going 1.4s ease-in-out infinite alternate; }
    @keyframes going { from { margin-inline-start: 0; } to { margin-inline-start: 70%; } }
    @media (prefers-reduced-motion: reduce) { .going { animation: none; width: 100%; opacity: 0.5; } }
  `)

  @property({ attribute: false }) value: number | undefined
  @property({ type: Number }) max = 1
  @property() label = ''
  @property() text = ''

  protected override render(): unknown {
    const share = this.value === undefined || this.max <= 0 ? undefined : Math.min(1, this.value / this.max)
    const texts = html`<div class="texts" part="texts"><span>${this.label}</span><span>${this.text}</span></div>`
    return html`${this.text ? texts : nothing}
      <div class="track" part="track" role="progressbar" aria-label=${this.label || nothing} aria-valuemin="0"
        aria-valuemax=${this.max} aria-valuenow=${this.value ?? nothing} aria-valuetext=${this.text || nothing}>
        <div class="bar ${share === undefined ? 'going' : ''}" part="bar"
          ${inlineStyle(share === undefined ? {} : { width: `${share * 100}%` })}></div></div>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-progress': Progress
  }
}
