import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import { Bell, BellOff, Check, Minus } from 'lucide'
import { BaseElement, define, styled, textStyles } from '../base.ts'
import { icon } from '../icon.ts'
import '../time.ts'
import { clause, type Explanation, type ExplanationTexts, explanationTexts } from './explanation-texts.ts'

/** Why a principal is notified, or is not: the decision, what sent it, and all rules in their order. */
@define('ff-explanation')
export class ExplanationPanel extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
      :host { display: flex; flex-direction: column; gap: var(--ff-space-3); }
      .decision { display: flex; gap: var(--ff-space-2); }
      .decision svg { margin-block-start: 2px; color: var(--ff-accent); }
      .decision.not svg { color: var(--ff-text-3); }
      .why { font-weight: var(--ff-weight-medium); }
      .meta { color: var(--ff-text-2); font-size: var(--ff-size-meta); }
      summary { min-height: 24px; color: var(--ff-text-2); font-size: var(--ff-size-meta); cursor: pointer; }
      ol { display: grid; gap: 2px; margin-block-start: var(--ff-space-2); }
      li {
        display: grid; grid-template-columns: 16px minmax(96px, 36%) 1fr; gap: 0 var(--ff-space-2);
        padding: 3px var(--ff-space-2); font-size: var(--ff-size-meta);
      }
      li svg { margin-block-start: 3px; color: var(--ff-text-3); }
      li.decides { border-radius: var(--ff-radius-sm); background: var(--ff-accent-soft); }
      li.decides svg { color: var(--ff-accent); }
      li.not_reached { color: var(--ff-text-3); }
      .result { min-width: 0; color: var(--ff-text-2); overflow-wrap: anywhere; }
      li.not_reached .result { color: inherit; }
      code { font-family: var(--ff-font-mono); font-size: var(--ff-size-sm); }
    `,
  )

  @property({ attribute: false }) explanation: Explanation | undefined
  @property({ attribute: false }) texts: ExplanationTexts = explanationTexts

  protected override render(): unknown {
    const { explanation, texts } = this
    if (!explanation) return nothing
    const { now, then, rules } = explanation
    return html`<div class="decision ${now.notified ? '' : 'not'}">${icon(now.notified ? Bell : BellOff)}
        <div><p class="why">${now.notified ? texts.notified : texts.notNotified} ${now.why}.</p>
        ${now.notified ? html`<p class="meta">${now.push ? texts.pushed : texts.inboxOnly}.</p>` : nothing}
        ${then?.at ? html`<p class="meta">${texts.sent} <ff-time datetime=${then.at}></ff-time>${then.read_at
          ? html`, ${texts.read} <ff-time datetime=${then.read_at}></ff-time>` : then.seen_at
            ? html`, ${texts.seen} <ff-time datetime=${then.seen_at}></ff-time>` : nothing}</p>` : nothing}</div></div>
      <details><summary>${texts.showRules(rules.length)}</summary>
        <ol>${rules.map((r) => this.#rule(r))}</ol></details>`
  }

  #rule(rule: Explanation['rules'][number]): unknown {
    const decides = rule.result === 'notified' || rule.result === 'not_notified'
    return html`<li class=${decides ? 'decides' : rule.result}>
      ${icon(decides ? (rule.result === 'notified' ? Bell : BellOff) : rule.result === 'passed' ? Check : Minus, 14)}
      <span>${this.texts.rules[rule.rule]}${decides
        ? html`<span class="hidden-text"> (${this.texts.decided})</span>` : nothing}</span>
      <span class="result">${clause(rule.why)}${rule.pattern
        ? html` <code>${rule.pattern.pattern}</code>` : nothing}</span>
    </li>`
  }
}

declare global {
  interface HTMLElementTagNameMap { 'ff-explanation': ExplanationPanel }
}
