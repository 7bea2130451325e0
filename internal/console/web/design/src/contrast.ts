import { BaseElement, define, styled, textStyles } from '@fanfare/elements/base'
import { css, html } from 'lit'
import { property } from 'lit/decorators.js'
import { styleMap } from 'lit/directives/style-map.js'

/** Colours with their names. */
@define('ff-swatches')
export class Swatches extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
    :host {
      display: grid; grid-template-columns: repeat(auto-fill, minmax(96px, 1fr)); gap: var(--ff-space-2);
      margin-block-end: var(--ff-space-4);
    }
    .colour { height: 44px; border: 1px solid var(--ff-border); border-radius: var(--ff-radius); }
    span { font-size: var(--ff-size-sm); color: var(--ff-text-2); }
  `,
  )

  @property({ attribute: false }) names: string[] = []

  protected override render(): unknown {
    return this.names.map(
      (n) =>
        html`<div><div class="colour" style=${styleMap({ background: `var(--ff-${n})` })}></div>
        <span>${n}</span></div>`,
    )
  }
}

/** Pairs of colours with their contrast, measured, and whether it suffices. */
@define('ff-contrasts')
export class Contrasts extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
    :host { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: var(--ff-space-1); }
    .pair { padding: 4px 8px; border-radius: var(--ff-radius-sm); font-size: var(--ff-size-sm); }
    .bad { outline: 2px solid red; }
  `,
  )

  @property({ attribute: false }) pairs: [string, string, number][] = []

  protected override render(): unknown {
    return this.pairs.map(([ink, ground, needed]) => {
      const found = this.#contrast(ink, ground)
      const line = needed < 4.5 // a colour of lines and marks
      return html`<div class="pair ${found < needed ? 'bad' : ''}" style=${styleMap({
        color: `var(--ff-${line ? 'text' : ink})`,
        background: `var(--ff-${ground})`,
        borderLeft: line ? `6px solid var(--ff-${ink})` : '',
      })}
        >${ink} on ${ground} ${found.toFixed(1)}</div>`
    })
  }

  #contrast(ink: string, ground: string): number {
    const [a, b] = [this.#luminance(ink), this.#luminance(ground)]
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
  }

  #luminance(name: string): number {
    const probe = document.createElement('span')
    probe.style.color = `var(--ff-${name})`
    this.renderRoot.append(probe)
    const channels = getComputedStyle(probe)
      .color.match(/[\d.]+/g)
      ?.slice(0, 3)
      .map(Number) ?? [0, 0, 0]
    probe.remove()
    const [r = 0, g = 0, b = 0] = channels.map((v) =>
      v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4,
    )
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
}

/** The sizes of text. */
@define('ff-type-scale')
export class TypeScale extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
    .xl { font-size: var(--ff-size-xl); line-height: 28px; font-weight: 600; }
    .lg { font-size: var(--ff-size-lg); line-height: 24px; font-weight: 600; }
    .md { font-weight: 500; }
    .meta { font-size: var(--ff-size-meta); color: var(--ff-text-2); }
    .sm { font-size: var(--ff-size-sm); color: var(--ff-text-3); }
    .mono { font: 13px/20px var(--ff-font-mono); }
  `,
  )

  protected override render(): unknown {
    return html`<p class="xl">20 · The inbox of Grace Lindqvist</p><p class="lg">16 · Who is notified, and why</p>
      <p class="md">14 medium · Grace updated Atlas grip</p>
      <p>14 · The mode is mutations, and *.updated* matches plan.updated.</p>
      <p class="meta">13 · 4 minutes ago in Atlas, by Grace Lindqvist</p><p
        class="sm">12 · 0123456789 1,204 notifications</p>
      <p class="mono">13 mono · 0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f</p>`
  }
}
