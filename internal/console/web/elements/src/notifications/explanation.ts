import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import { Bell, BellOff, Check, Minus } from 'lucide'
import { BaseElement, define, styled, textStyles } from '../base.ts'
import { icon } from '../icon.ts'
import { type Explanation, type ExplanationTexts, explanationTexts, type Rule } from './explanation-texts.ts'
import '../time.ts'

/** Why a principal is notified, or is not: the decision, what it rests on, and all rules in their order. */
@define('ff-explanation')
export class ExplanationPanel extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
      :host { display: flex; flex-direction: column; gap: var(--ff-space-3); }
      .decision { display: grid; grid-template-columns: 16px 1fr; gap: 0 var(--ff-space-2); }
      .decision svg { margin-block-start: 2px; color: var(--ff-accent); }
      .not svg { color: var(--ff-text-3); }
      .why { font-weight: var(--ff-weight-medium); overflow-wrap: anywhere; }
      .meta { color: var(--ff-text-2); font-size: var(--ff-size-meta); }
      .grounds { padding-inline-start: 24px; }
      .meta, .grounds { overflow-wrap: anywhere; }
      summary {
        min-height: 24px; width: fit-content; color: var(--ff-text-2); font-size: var(--ff-size-meta); cursor: pointer;
        border-radius: var(--ff-radius-sm);
      }
      @media (pointer: coarse) { summary { padding-block: 12px; } }
      ol { display: grid; gap: 1px; margin-block-start: var(--ff-space-1); }
      ol > li {
        display: grid; grid-template-columns: 14px minmax(88px, 34%) 1fr; gap: 0 var(--ff-space-2);
        padding: 3px var(--ff-space-2); font-size: var(--ff-size-sm); line-height: 18px;
      }
      ol svg { margin-block-start: 2px; color: var(--ff-text-3); }
      li.decides { border-radius: var(--ff-radius-sm); background: var(--ff-accent-soft); }
      li.decides .name { font-weight: var(--ff-weight-bold); }
      li.decides svg { color: var(--ff-accent); }
      li.not_reached { color: var(--ff-text-3); }
      .result { min-width: 0; color: var(--ff-text-2); overflow-wrap: anywhere; }
      .not_reached .result { color: inherit; }
      .by { color: var(--ff-text-3); }
      .decides .result, .decides .by { color: var(--ff-text); }
    `,
  )

  @property({ attribute: false }) explanation: Explanation | undefined
  @property({ attribute: false }) texts: ExplanationTexts = explanationTexts
  /** Names of the resources of the grounds, by their ids. */
  @property({ attribute: false }) names: ReadonlyMap<string, string> = new Map()

  protected override render(): unknown {
    const { explanation, texts } = this
    if (!explanation) return nothing
    const { now, rules, grounds } = explanation
    const push = now.push ? texts.pushed : texts.inboxOnly
    return html`<div class="decision ${now.notified ? '' : 'not'}">${icon(now.notified ? Bell : BellOff)}
        <div><p class="why">${now.notified ? texts.notified : texts.notNotified}.</p>
          <p class="meta">${texts.sentence(now.why)}.${now.notified ? ` ${push}.` : nothing}</p>
          ${this.#then()}</div></div>
      ${
        grounds.length > 0
          ? html`<div class="grounds meta"><span>${texts.grounds}:</span>
            <ul>${grounds.map((g) => html`<li>${this.#ground(g)}</li>`)}</ul></div>`
          : nothing
      }
      <details><summary>${texts.showRules(rules.length)}</summary>
        <ol>${rules.map((r) => this.#rule(r))}</ol></details>`
  }

  #then(): unknown {
    const { texts } = this
    const then = this.explanation?.then
    if (!then?.at) return nothing
    const later = then.read_at ? [texts.read, then.read_at] : then.seen_at ? [texts.seen, then.seen_at] : undefined
    return html`<p class="meta">${texts.delivered} <ff-time datetime=${then.at}></ff-time>${
      later ? html`, ${later[0]} <ff-time datetime=${later[1] ?? ''}></ff-time>` : nothing
    }.</p>`
  }

  #ground(ground: Explanation['grounds'][number]): string {
    const { texts } = this
    const name = this.names.get(ground.resource_id ?? '') ?? (ground.withheld ? texts.withheld : undefined)
    return texts.ground(ground, name ?? '…') + (ground.group_id ? `, ${texts.through}` : '')
  }

  #rule(rule: Rule): unknown {
    const { texts } = this
    const decides = rule.result === 'notified' || rule.result === 'not_notified'
    const mark = decides ? (rule.result === 'notified' ? Bell : BellOff) : rule.result === 'passed' ? Check : Minus
    return html`<li class=${decides ? 'decides' : rule.result} aria-current=${decides ? 'step' : nothing}>
      ${icon(mark, 14)}
      <span class="name">${texts.rules[rule.rule]}${
        decides ? html`<span class="hidden-text"> (${texts.decides})</span>` : nothing
      }</span>
      <span class="result">${texts.sentence(rule.why)}${
        rule.set_by && rule.result !== 'not_reached'
          ? html`<span class="by"> (${texts.setBy[rule.set_by]})</span>`
          : nothing
      }</span>
    </li>`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-explanation': ExplanationPanel
  }
}
