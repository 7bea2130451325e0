import { unwrap } from '@fanfare/client'
import { BaseElement, define, emit, styled, textStyles } from '@fanfare/elements/base'
import { CircleCheck } from '@fanfare/elements/icons'
import { html, nothing, type PropertyValues } from 'lit'
import { property, state } from 'lit/decorators.js'
import { app } from '../../app.ts'
import { loaded, type Part } from '../../parts/part.ts'
import { plural } from '../../parts/format.ts'
import { Poll } from '../../parts/poll.ts'
import { href } from '../../router.ts'
import { joined, most, type Page } from './pages.ts'
import { operatorStyles } from './styles.ts'
import type { Parked } from './types.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/empty'
import '@fanfare/elements/error'
import '@fanfare/elements/skeleton'
import '@fanfare/elements/switch'
import '@fanfare/elements/time'

/** The parked activities: those that failed and are tried again, and those that wait for them. Fires `filter`. */
@define('ff-parked')
export class ParkedList extends BaseElement {
  static override styles = styled(textStyles, operatorStyles)

  @property({ type: Boolean }) failing = false
  @state() private list: Part<Page<Parked>> = {}
  @state() private busy = false
  #pages = 1
  #poll = new Poll(this, () => this.#load(), 10_000)

  refresh(): void {
    void this.#poll.now()
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('failing') || !this.hasUpdated) return
    this.list = {}
    this.#pages = 1
    this.refresh()
  }

  async #page(cursor?: string | null): Promise<Page<Parked>> {
    const query = { limit: 50, failing: this.failing, ...(cursor ? { cursor } : {}) }
    return unwrap(app().client.GET('/outbox/parked', { params: { query } }))
  }

  async #load(): Promise<boolean> {
    if (this.#pages > 1) return true
    const { failing } = this
    const list = await loaded(this.list, this.#page())
    if (this.#pages === 1 && failing === this.failing) this.list = list
    return list.error === undefined
  }

  async #more(): Promise<void> {
    this.busy = true
    this.#pages++
    try {
      const page = await this.#page(this.list.value?.next_cursor)
      this.list = { value: joined(this.list.value, page, (p) => p.activity_id) }
    } catch (error) {
      app().failed('More parked activities could not be loaded', error)
    } finally {
      this.busy = false
    }
  }

  protected override render(): unknown {
    const { value, error } = this.list
    if (!value && error) {
      return html`<ff-error heading="The parked activities could not be loaded" .error=${error}
        @retry=${() => this.refresh()}></ff-error>`
    }
    return html`<section aria-label="Parked activities"><div class="section-head">
        <span class="note">A parked activity failed and is tried again, or waits for an earlier one of its resource.
          After the last attempt it becomes a dead letter.</span>
        <ff-switch label="Only those that failed" .checked=${this.failing}
          @change=${(e: CustomEvent<boolean>) => emit(this, 'filter', { failing: e.detail || null })}></ff-switch></div>
      ${value ? this.#rows(value) : html`<ff-skeleton count="5" label="Loading the parked activities"></ff-skeleton>`}
    </section>`
  }

  #rows(page: Page<Parked>): unknown {
    if (page.items.length === 0) {
      return html`<ff-empty .icon=${CircleCheck} heading="Nothing is parked">An activity whose delivery fails would be
        here with its error, and so would those of its resource that wait for it.</ff-empty>`
    }
    return html`<ul class="rows">${page.items.map((p) => row(p))}</ul>
      ${
        page.next_cursor && page.items.length < most
          ? html`<div class="more"><ff-button ?busy=${this.busy} @click=${() => void this.#more()}>Show
          more</ff-button></div>`
          : nothing
      }`
  }
}

function row(p: Parked): unknown {
  return html`<li class="row"><div><a href=${href('activity', [p.activity_id])}
      ><code>${p.action || p.activity_id}</code></a> <span class="muted">${p.resource_type}</span>
      <bdi>${p.resource_name || p.resource_id}</bdi>
    </div>
    ${p.error ? html`<div class="error-text">${p.error}</div>` : nothing}
    <div class="meta">${
      p.retry_at
        ? html`<span>next attempt <ff-time datetime=${p.retry_at}></ff-time></span>`
        : html`<span>waits for an earlier activity of the resource</span>`
    }<span>${p.attempts > 0 ? plural(p.attempts, 'failed attempt') : 'not attempted yet'}</span>
    <span>parked <ff-time datetime=${p.parked_at}></ff-time></span><span>lane ${p.lane}</span></div></li>`
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-parked': ParkedList
  }
}
