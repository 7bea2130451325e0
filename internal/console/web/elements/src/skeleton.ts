import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import { BaseElement, define, styled } from './base.ts'

/** What is shown while rows, text or a block load. `label` is what a screen reader says. */
@define('ff-skeleton')
export class Skeleton extends BaseElement {
  static override styles = styled(css`
    :host { display: block; }
    .row {
      display: flex; align-items: center; gap: var(--ff-space-3); padding: var(--ff-space-3) var(--ff-space-4);
      border-block-end: 1px solid var(--ff-border);
    }
    .lines { display: grid; gap: 8px; flex: 1; }
    .bar { height: 10px; border-radius: 5px; }
    .disc { width: 28px; height: 28px; border-radius: 50%; flex: none; }
    .block { height: var(--ff-skeleton-height, 120px); border-radius: var(--ff-radius); }
    .fill {
      background: linear-gradient(90deg, var(--ff-active) 25%, var(--ff-hover) 50%, var(--ff-active) 75%);
      background-size: 200% 100%;
      animation: shimmer 1.6s linear infinite;
    }
    .w0 { width: 62%; } .w1 { width: 48%; } .w2 { width: 74%; } .short { width: 30%; }
    .text .bar { margin-block-end: 10px; }
    @keyframes shimmer { from { background-position: 200% 0; } to { background-position: 0 0; } }
    @media (prefers-reduced-motion: reduce) { .fill { animation: none; } }
  `)

  @property() kind: 'rows' | 'text' | 'block' = 'rows'
  @property({ type: Number }) count = 6
  @property() label = 'Loading'

  protected override render(): unknown {
    const each = Array.from({ length: this.kind === 'block' ? 1 : this.count }, (_, i) => i % 3)
    return html`<div role="status" class=${this.kind}><span class="hidden-text">${this.label}</span>
      ${this.kind === 'block' ? html`<div class="block fill"></div>` : nothing}
      ${this.kind === 'text' ? each.map((i) => html`<div class="bar fill w${i}"></div>`) : nothing}
      ${
        this.kind === 'rows'
          ? each.map(
              (i) => html`<div class="row"><div class="disc fill"></div>
        <div class="lines"><div class="bar fill w${i}"></div><div class="bar fill short"></div></div></div>`,
            )
          : nothing
      }
    </div>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-skeleton': Skeleton
  }
}
