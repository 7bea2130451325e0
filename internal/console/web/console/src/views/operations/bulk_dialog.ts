import { type Client, ConnectionError, ProblemError, unwrap } from '@fanfare/client'
import { BaseElement, define, emit, styled, textStyles } from '@fanfare/elements/base'
import { css, html, nothing, type PropertyValues } from 'lit'
import { property, state } from 'lit/decorators.js'
import { app } from '../../app.ts'
import { count, plural } from '../../parts/format.ts'
import { Bulk, type Progress } from './bulk.ts'
import { commandOf, filterOf, parametersOf, type Selection } from './dead_filter.ts'
import type { Changed, DeadFilter } from './types.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/dialog'
import '@fanfare/elements/error'
import '@fanfare/elements/progress'
import '@fanfare/elements/skeleton'
import '../../parts/code.ts'

/** What is to be done with which dead letters. With id, it is the one of that activity. */
export interface Order {
  verb: 'replay' | 'discard'
  selection: Selection
  id: string
}

const words = {
  replay: { title: 'Replay', doing: 'Replaying', done: 'Replayed' },
  discard: { title: 'Discard', doing: 'Discarding', done: 'Discarded' },
} as const

interface Counted {
  count: number
  exact: boolean
  filter: DeadFilter
}

/** Replays or discards dead letters: names how many, shows the progress, and can be stopped. Fires `close`. */
@define('ff-bulk-dialog')
export class BulkDialog extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
      .body { display: grid; gap: var(--ff-space-3); overflow-wrap: anywhere; }
      p { color: var(--ff-text-2); }
      .cli { display: grid; gap: var(--ff-space-1); color: var(--ff-text-3); font-size: var(--ff-size-sm); }
      ff-dialog { --ff-dialog-width: 560px; }
    `,
  )

  @property({ attribute: false }) order: Order | undefined
  @state() private counted: Counted | undefined
  @state() private error: unknown
  @state() private progress: Progress | undefined
  #bulk: Bulk | undefined

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('order')) return
    this.counted = this.error = this.progress = this.#bulk = undefined
    if (this.order) void this.#count(this.order)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#bulk?.cancel()
  }

  /** count counts what matches now. What dies later is not changed. */
  async #count(order: Order): Promise<void> {
    this.error = undefined
    try {
      const counted = order.id
        ? { count: 1, exact: true, filter: { activity_id: order.id } }
        : await this.#matching(filterOf(order.selection, Date.now()))
      if (this.order === order) this.counted = counted
    } catch (error) {
      if (this.order === order) this.error = error
    }
  }

  async #matching(filter: DeadFilter): Promise<Counted> {
    const query = parametersOf(filter)
    const { items, exact } = await unwrap(app().client.GET('/outbox/dead/groups', { params: { query } }))
    const newest = Math.max(...items.map((g) => Date.parse(g.newest_at)))
    const until = items.length > 0 && exact ? { until: new Date(newest + 1).toISOString() } : {}
    return { count: items.reduce((sum, g) => sum + g.count, 0), exact, filter: { ...filter, ...until } }
  }

  protected override render(): unknown {
    const { order } = this
    return html`<ff-dialog ?open=${order !== undefined} heading=${order ? this.#heading(order) : ''}
      @close=${this.#close}>${
        order ? html`<div class="body">${this.#body(order)}</div>${this.#footer(order)}` : nothing
      }
      </ff-dialog>`
  }

  #heading(order: Order): string {
    const { title, doing, done } = words[order.verb]
    const { progress, counted } = this
    if (progress?.phase === 'running') return `${doing} dead letters`
    if (progress?.phase === 'done') return `${done} ${plural(progress.changed, 'dead letter')}`
    if (progress) return progress.phase === 'failed' ? `${doing} has failed` : `${doing} is stopped`
    if (!counted) return `${title} dead letters`
    return `${title} ${counted.exact ? '' : 'at least '}${plural(counted.count, 'dead letter')}?`
  }

  #body(order: Order): unknown {
    const { progress, counted, error } = this
    if (error) {
      return html`<ff-error compact heading="The dead letters could not be counted" .error=${error}
        @retry=${() => void this.#count(order)}></ff-error>`
    }
    if (!counted) return html`<ff-skeleton kind="text" label="Counting the dead letters"></ff-skeleton>`
    if (progress) return this.#progress(order, progress)
    if (counted.count === 0) return html`<p>None matches any more. Close this, and look at the list.</p>`
    return html`<p>${
      order.verb === 'replay'
        ? 'They return to the end of the outbox and are delivered after what was recorded since. Remove the cause of ' +
          'the errors first; otherwise they die again. No inbox gets a second notification.'
        : 'They are never delivered. Their activities stay in the log. This cannot be undone.'
    }</p>
    <div class="cli">The same on the command line, for your tenant:<ff-code wrap label="the command" .text=${commandOf(
      order.verb,
      order.selection,
      order.id,
      app().me.tenant_id,
      app().me.principal_id,
    )}></ff-code></div>`
  }

  #progress(order: Order, { phase, changed, remaining, error }: Progress): unknown {
    const done = words[order.verb].done
    const bar = html`<ff-progress .value=${changed} .max=${Math.max(1, changed + remaining)} label=${done}
      text=${`${count(changed)} of ${count(changed + remaining)}`}></ff-progress>`
    switch (phase) {
      case 'running':
        return html`${bar}<p role="status">It goes on while this page is open.</p>`
      case 'done':
        return html`<p role="status">${
          order.verb === 'replay' ? 'They are in the outbox, and are delivered next.' : 'They are removed.'
        }${remaining > 0 ? ` ${plural(remaining, 'other matches', 'others match')} now.` : ''} The activity log
          records it as <code>outbox.${order.verb === 'replay' ? 'replayed' : 'discarded'}</code>.</p>`
      case 'cancelled':
        return html`${bar}<p role="status">${done} ${count(changed)}; ${count(remaining)} are left as they were.</p>`
      case 'failed':
        return html`${bar}<p role="alert">${done} ${count(changed)} before the error; ${count(remaining)} are left as
          they were. ${reasonOf(error)}</p>`
    }
  }

  #footer(order: Order): unknown {
    const { progress, counted } = this
    const close = html`<ff-button slot="footer" @click=${this.#close}>Close</ff-button>`
    const go = (text: string): unknown =>
      html`<ff-button slot="footer" variant=${order.verb === 'discard' ? 'danger' : 'primary'}
        @click=${() => void this.#run(order)}>${text}</ff-button>`
    if (progress?.phase === 'running') {
      return html`<ff-button slot="footer" @click=${() => this.#bulk?.cancel()}>Stop</ff-button>`
    }
    if (progress?.phase === 'done') return close
    if (progress) return html`${close}${go('Go on')}`
    if (!counted?.count) return close
    return html`<ff-button slot="footer" @click=${this.#close}>Cancel</ff-button>
      ${go(`${words[order.verb].title} ${counted.exact ? count(counted.count) : 'all that match'}`)}`
  }

  async #run(order: Order): Promise<void> {
    if (!this.counted) return
    this.#bulk ??= new Bulk(
      this.counted.filter,
      this.counted.count,
      requestOf(app().client, order.verb),
      (progress) => {
        if (this.order === order) this.progress = progress
      },
    )
    await this.#bulk.run()
  }

  #close = (): void => {
    this.#bulk?.cancel()
    const changed = (this.progress?.changed ?? 0) > 0
    emit(this, 'close', changed)
  }
}

function requestOf(client: Client, verb: Order['verb']): (filter: DeadFilter, limit: number) => Promise<Changed> {
  const path = verb === 'replay' ? '/outbox/dead/replay' : '/outbox/dead/discard'
  return (filter, limit) => unwrap(client.POST(path, { body: { filter, limit } }))
}

function reasonOf(error: unknown): string {
  if (error instanceof ConnectionError) return 'The server cannot be reached.'
  if (error instanceof ProblemError) return `${error.message} Request id: ${error.requestId}`
  return error instanceof Error ? error.message : String(error)
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-bulk-dialog': BulkDialog
  }
}
