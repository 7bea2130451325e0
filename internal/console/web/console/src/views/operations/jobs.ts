import { unwrap } from '@fanfare/client'
import { BaseElement, define, styled, textStyles } from '@fanfare/elements/base'
import { Users } from '@fanfare/elements/icons'
import { css, html, nothing } from 'lit'
import { state } from 'lit/decorators.js'
import { app } from '../../app.ts'
import { loaded, type Part } from '../../parts/part.ts'
import { count, duration, plural, rate, since } from '../../parts/format.ts'
import { Poll } from '../../parts/poll.ts'
import { href } from '../../router.ts'
import type { Page } from './pages.ts'
import { operatorStyles } from './styles.ts'
import type { Job } from './types.ts'
import '@fanfare/elements/empty'
import '@fanfare/elements/error'
import '@fanfare/elements/progress'
import '@fanfare/elements/skeleton'
import '@fanfare/elements/time'

/** The fan-out jobs, which notify wide audiences step by step. */
@define('ff-jobs')
export class Jobs extends BaseElement {
  static override styles = styled(textStyles, operatorStyles, css`ff-progress { margin-block: var(--ff-space-1); }`)

  @state() private list: Part<Page<Job>> = {}
  #poll = new Poll(this, () => this.#load(), 5000)

  refresh(): void {
    void this.#poll.now()
  }

  async #load(): Promise<boolean> {
    const query = { limit: 100 }
    this.list = await loaded(this.list, unwrap(app().client.GET('/outbox/jobs', { params: { query } })))
    return this.list.error === undefined
  }

  protected override render(): unknown {
    const { value, error } = this.list
    if (!value) {
      return error
        ? html`<ff-error heading="The fan-out jobs could not be loaded" .error=${error}
          @retry=${() => this.refresh()}></ff-error>`
        : html`<ff-skeleton count="3" label="Loading the fan-out jobs"></ff-skeleton>`
    }
    if (value.items.length === 0) {
      return html`<ff-empty .icon=${Users} heading="No fan-out job">An activity whose audience is wider than
        --wide-audience is notified in steps. It would be here, with its progress, until all are notified.</ff-empty>`
    }
    return html`<section aria-label="Fan-out jobs"><ul class="rows">${value.items.map(row)}</ul>
      ${value.next_cursor ? html`<p class="note muted">The latest 100 are shown.</p>` : nothing}</section>`
  }
}

/** progressText describes how far a job is. Its audience and progress are estimates. */
function progressText(job: Job, perSecond: string): string {
  const notified = `${count(job.notified)} notified${perSecond}`
  if (job.progress === null || job.audience === null) return notified
  return `${notified}, about ${Math.round(job.progress * 100)} % of ${count(job.audience)} examined`
}

function row(job: Job): unknown {
  const seconds = since(job.started_at)
  const perSecond = job.attempts === 0 && seconds > 0 ? `, ${rate(job.notified / seconds)}/s` : ''
  return html`<li class="row"><div><a href=${href('activity', [job.activity_id])}
      ><code>${job.action || job.activity_id}</code></a> ${job.resource_type}
      <bdi>${job.resource_name || job.resource_id}</bdi></div>
    <ff-progress .value=${job.progress ?? undefined} label=${job.error ? 'Waits for its next attempt' : 'Notifies'}
      text=${progressText(job, perSecond)}></ff-progress>
    ${job.error ? html`<div class="error-text">${job.error}</div>` : nothing}
    <div class="meta"><span>began ${duration(seconds)} ago</span>${
      job.attempts > 0
        ? html`<span>${plural(job.attempts, 'failed attempt')}</span>
          <span>next attempt <ff-time datetime=${job.retry_at}></ff-time></span>`
        : nothing
    }</div></li>`
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-jobs': Jobs
  }
}
