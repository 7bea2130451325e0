import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import { CircleX, Info, OctagonAlert, TriangleAlert } from 'lucide'
import { BaseElement, define, styled } from './base.ts'
import { icon } from './icon.ts'

const marks = { info: Info, warning: TriangleAlert, error: CircleX, critical: OctagonAlert }

export type SeverityLevel = keyof typeof marks
export type SeverityTexts = Record<SeverityLevel, string>

export const severityTexts: SeverityTexts = { info: 'info', warning: 'warning', error: 'error', critical: 'critical' }

/** The severity of an activity: an icon with its name, which `text` shows. */
@define('ff-severity')
export class Severity extends BaseElement {
  static override styles = styled(css`
    :host { display: inline-flex; vertical-align: middle; }
    .severity {
      display: inline-flex; align-items: center; gap: 4px;
      font: var(--ff-weight-medium) var(--ff-size-sm) / 18px var(--ff-font);
    }
    .info { color: var(--ff-text-3); }
    .warning { color: var(--ff-warning); }
    .error { color: var(--ff-error); }
    .critical {
      padding: 1px 6px 1px 4px; border-radius: var(--ff-radius-full); background: var(--ff-critical);
      color: var(--ff-on-critical);
    }
    .critical.bare { padding: 3px; }
  `)

  @property() level: string = 'info'
  @property({ type: Boolean }) text = false
  /** The name in another language. */
  @property() label = ''

  protected override render(): unknown {
    const known = this.level in marks ? (this.level as SeverityLevel) : 'info'
    const name = this.label || this.level
    return html`<span part="severity" class="severity ${known} ${this.text ? '' : 'bare'}"
      role=${this.text ? nothing : 'img'}
      aria-label=${this.text ? nothing : name} title=${this.text ? nothing : name}
      >${icon(marks[known], 14)}${this.text ? name : nothing}</span>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-severity': Severity
  }
}
