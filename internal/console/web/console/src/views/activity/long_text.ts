import { BaseElement, define, styled, textStyles } from '@fanfare/elements/base'
import { linked } from '@fanfare/elements/activity-text'
import { css, html, nothing } from 'lit'
import { property, state } from 'lit/decorators.js'
import '@fanfare/elements/button'

/** A text of which only the beginning is shown until one asks for all of it. Its http(s) addresses are links. */
@define('ff-long-text')
export class LongText extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
    :host { display: block; min-width: 0; font-size: inherit; color: inherit; }
    bdi { white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; }
  `,
  )

  @property() text = ''
  /** The most characters that are shown at once. */
  @property({ type: Number }) enough = 360
  @state() private all = false

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (changed.has('text')) this.all = false
  }

  protected override render(): unknown {
    const { enough } = this
    const chars = [...this.text]
    const long = chars.length > enough
    const shown =
      long && !this.all
        ? `${chars
            .slice(0, enough - 40)
            .join('')
            .trimEnd()}…`
        : this.text
    return html`<bdi>${linked(shown)}</bdi> ${
      long
        ? html`<ff-button variant="link" size="sm" .expanded=${this.all} @click=${() => (this.all = !this.all)}
        >${this.all ? 'Show less' : `Show all ${chars.length.toLocaleString()} characters`}</ff-button>`
        : nothing
    }`
  }
}
