import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import { CircleAlert, Info, TriangleAlert, WifiOff } from 'lucide'
import { BaseElement, define, styled, textStyles } from './base.ts'
import { toneStyles } from './chip.ts'
import { icon } from './icon.ts'

const icons = { offline: WifiOff, info: Info, warning: TriangleAlert, error: CircleAlert }

/** A line above content: offline, a warning, a note. A button goes into the slot `actions`. */
@define('ff-banner')
export class Banner extends BaseElement {
  static override styles = styled(
    textStyles,
    toneStyles,
    css`
    .banner {
      display: flex; flex-wrap: wrap; align-items: center; gap: var(--ff-space-2); min-height: 40px;
      padding: 6px var(--ff-space-4); background: var(--tone-soft); font-size: var(--ff-size-meta);
      border-radius: var(--ff-banner-radius, 0);
    }
    svg { color: var(--tone); }
    .text { flex: 1 1 200px; }
  `,
  )

  @property() kind: keyof typeof icons = 'info'

  protected override render(): unknown {
    const tone = { offline: 'warning', info: 'neutral', warning: 'warning', error: 'error' }[this.kind]
    return html`<div class="banner ${tone}" part="banner" role=${this.kind === 'error' ? 'alert' : 'status'}>
      ${icon(icons[this.kind])}<span class="text"><slot>${
        this.kind === 'offline' ? 'Offline. What you see may be out of date.' : nothing
      }</slot></span><slot name="actions"></slot></div>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-banner': Banner
  }
}
