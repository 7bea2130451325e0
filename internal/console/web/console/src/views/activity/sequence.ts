import type { Activity } from '@fanfare/client'
import { nameOf, resourceName } from '@fanfare/elements/activity-text'
import { BaseElement, define, styled, textStyles } from '@fanfare/elements/base'
import { icon } from '@fanfare/elements/icon'
import { CircleCheck, CircleX } from '@fanfare/elements/icons'
import { css, html, nothing } from 'lit'
import { property, state } from 'lit/decorators.js'
import { partStyles } from './detail_styles.ts'
import { elapsed } from '../../parts/format.ts'
import type { Source } from './source.ts'
import '@fanfare/elements/error'
import '@fanfare/elements/skeleton'
import '@fanfare/elements/severity'

const most = 200

/** The activities of one correlation as the steps of a sequence, with the time from one to the next. */
@define('ff-activity-sequence')
export class Sequence extends BaseElement {
  static override styles = styled(
    textStyles,
    partStyles,
    css`
    ol { position: relative; padding-block-start: var(--ff-space-2); }
    li {
      position: relative; display: grid; grid-template-columns: 20px minmax(0, 1fr) auto;
      gap: 0 var(--ff-space-2); padding-block-end: var(--ff-space-3);
    }
    li:not(:last-child)::before {
      content: ''; position: absolute; inset-block: 20px 0;
      inset-inline-start: 7px; width: 1px; background: var(--ff-border-strong);
    }
    .mark { padding-block-start: 3px; color: var(--ff-success); }
    .mark.failed { color: var(--ff-error); }
    a { display: block; min-height: 24px; color: inherit; }
    .here a { color: var(--ff-accent); font-weight: var(--ff-weight-bold); }
    .at { text-align: end; color: var(--ff-text-3); font-size: var(--ff-size-sm); white-space: nowrap; }
  `,
  )

  @property({ attribute: false }) source!: Source
  @property({ attribute: false }) activity!: Activity
  @property({ attribute: false }) hrefOf: (id: string) => string = () => ''
  @state() private steps: Activity[] | undefined
  @state() private all = true
  @state() private error: unknown
  #key = ''

  protected override willUpdate(): void {
    const key = this.activity.correlation_id
    if (key === this.#key) return
    this.#key = key
    void this.#load()
  }

  async #load(): Promise<void> {
    const key = this.#key
    this.steps = undefined
    this.error = undefined
    try {
      const steps: Activity[] = []
      let cursor: string | null = null
      let pages = 0
      do {
        const page: { items: Activity[]; next: string | null } = await this.source.page(
          { correlation_id: key },
          most,
          cursor,
        )
        steps.push(...page.items)
        cursor = page.next
      } while (cursor && steps.length < most && ++pages < 10)
      if (key !== this.#key) return
      this.all = cursor === null
      this.steps = steps.sort((a, b) => (a.event_id < b.event_id ? -1 : 1))
    } catch (error) {
      if (key === this.#key) this.error = error
    }
  }

  protected override render(): unknown {
    if (this.error) {
      return html`<ff-error compact heading="The sequence could not be loaded" .error=${this.error}
        @retry=${() => void this.#load()}></ff-error>`
    }
    const { steps } = this
    if (!steps) return html`<ff-skeleton kind="text" count="4" label="Loading the sequence"></ff-skeleton>`
    const first = Date.parse(steps[0]?.created_at ?? '')
    const last = Date.parse(steps.at(-1)?.created_at ?? '')
    return html`<p class="note">${
      steps.length < 2
        ? 'No other activity has this correlation id.'
        : `${steps.length} steps in ${elapsed(last - first)}${this.all ? '' : '. There are further ones'}.`
    }</p>
      <ol>${steps.map((step, i) => this.#step(step, steps[i - 1], first))}</ol>`
  }

  #step(step: Activity, before: Activity | undefined, first: number): unknown {
    const failed = step.status === 'failure'
    const at = Date.parse(step.created_at)
    const here = step.event_id === this.activity.event_id
    return html`<li class=${here ? 'here' : ''}><span class="mark ${failed ? 'failed' : ''}"
      >${icon(failed ? CircleX : CircleCheck, 15)}
        <span class="hidden-text">${step.status}</span></span>
      <div class="one"><a class="one" href=${this.hrefOf(step.event_id)} aria-current=${here ? 'step' : nothing}
        ><bdi>${step.ui_hints.title || step.action}</bdi></a>
        <div class="faint one"><bdi>${nameOf(step.actor)}</bdi> · <bdi>${resourceName(step.resource)}</bdi></div></div>
      <div class="at" title=${step.created_at}>${before ? `+${elapsed(at - Date.parse(before.created_at))}` : 'start'}
        ${before ? html`<div class="faint">${elapsed(at - first)}</div>` : nothing}</div></li>`
  }
}
