import { type Client, ConnectionError, ProblemError, unwrap } from '@fanfare/client'
import { BaseElement, define, emit, styled, textStyles } from '@fanfare/elements/base'
import { icon } from '@fanfare/elements/icon'
import { CircleCheck } from '@fanfare/elements/icons'
import { css, html, nothing } from 'lit'
import { property, state } from 'lit/decorators.js'
import { bytes } from '../../parts/format.ts'
import { exportTo, type Format, type Progress, sinkFor, TooLargeError } from './export.ts'
import type { Names } from './names.ts'
import { fields, type Selection } from './query.ts'
import { filterOf, isEmpty } from './selection.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/chip'
import '@fanfare/elements/dialog'
import '@fanfare/elements/error'
import '@fanfare/elements/progress'
import '@fanfare/elements/segmented'

const formats = [
  { value: 'csv', label: 'CSV' },
  { value: 'jsonl', label: 'JSON Lines' },
]
const types = { csv: 'text/csv', jsonl: 'application/x-ndjson' }

type State =
  | { step: 'ready' }
  | { step: 'running'; progress: Progress }
  | { step: 'done'; progress: Progress }
  | { step: 'failed'; error: unknown; progress: Progress | undefined }

/** Exports the activities of a selection as a file. Fires `close`. */
@define('ff-export-dialog')
export class ExportDialog extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
    .body { display: grid; gap: var(--ff-space-4); justify-items: start; }
    .chips { display: flex; flex-wrap: wrap; gap: 4px; }
    .meta { color: var(--ff-text-2); font-size: var(--ff-size-meta); }
    .done { display: flex; gap: var(--ff-space-2); align-items: center; }
    .done svg { color: var(--ff-success); }
    ff-progress, ff-error { width: 100%; }
    ff-error { --ff-space-4: 0px; }
  `,
  )

  @property({ type: Boolean }) open = false
  @property({ attribute: false }) client!: Client
  @property({ attribute: false }) selection: Selection = {}
  @property({ attribute: false }) names!: Names
  @state() private format: Format = 'csv'
  @state() private count: { count: number; exact: boolean } | undefined
  @state() private current: State = { step: 'ready' }
  #controller: AbortController | undefined
  #shown = 0

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has('open')) return
    if (this.open) {
      this.current = { step: 'ready' }
      void this.#count()
    }
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#controller?.abort()
  }

  /** count asks how many activities there are. Without the number, the export goes on. */
  async #count(): Promise<void> {
    this.count = undefined
    const query = filterOf(this.selection, new Date()) as Record<string, never>
    this.count = await unwrap(this.client.GET('/audit/count', { params: { query } })).catch(() => undefined)
  }

  protected override render(): unknown {
    const { step } = this.current
    const choose = step === 'ready' || step === 'failed'
    return html`<ff-dialog heading="Export activities" ?open=${this.open} @close=${this.#close}>
      <div class="body">${this.#what()}${choose ? this.#choose() : nothing}
        <div class="state" role="status">${this.#state()}</div></div>
      <div slot="footer">${this.#buttons()}</div></ff-dialog>`
  }

  #what(): unknown {
    const chosen = fields.filter((field) => this.selection[field])
    const number = this.count
      ? `${this.count.exact ? '' : 'More than '}${this.count.count.toLocaleString()} activities`
      : 'All activities'
    return html`<div><p>${number}${isEmpty(this.selection) ? ', the whole log.' : ' that match the filter:'}</p>
      <div class="chips">${chosen.map(
        (field) =>
          html`<ff-chip key=${field === 'q' ? 'text' : field}><bdi>${this.names.textOf(
            this.selection[field] ?? '',
          )}</bdi></ff-chip>`,
      )}</div></div>`
  }

  #choose(): unknown {
    return html`<ff-segmented label="Format" .options=${formats} value=${this.format}
      @change=${(e: CustomEvent<Format>) => (this.format = e.detail)}></ff-segmented>
      <p class="meta">The oldest first, up to the newest activity now. The export is recorded in the log.</p>`
  }

  #state(): unknown {
    const { current } = this
    switch (current.step) {
      case 'running': {
        const { rows, bytes: size } = current.progress
        const total = this.count?.exact ? Math.max(this.count.count, rows, 1) : undefined
        return html`<ff-progress label="Exporting" .value=${total ? rows : undefined} max=${total ?? 1}
          text="${rows.toLocaleString()} activities, ${bytes(size)}"></ff-progress>`
      }
      case 'done':
        return html`<p class="done">${icon(CircleCheck)} Saved ${current.progress.rows.toLocaleString()} activities,
          ${bytes(current.progress.bytes)}.</p>`
      case 'failed':
        return this.#failure(current.error, current.progress)
      default:
        return nothing
    }
  }

  #failure(error: unknown, progress: Progress | undefined): unknown {
    if (error instanceof ProblemError && error.status === 503) {
      const wait = error.retryAfter ? ` Try again in ${error.retryAfter} seconds.` : ''
      return html`<ff-error compact no-retry heading="Another export is running"
        .error=${new Error(`A tenant has one export at a time.${wait}`)}></ff-error>`
    }
    if (error instanceof TooLargeError) {
      const why = new Error('Nothing was saved. Narrow the filter, or use the command fanfare activity export.')
      return html`<ff-error compact no-retry heading="The export is too large for this browser"
        .error=${why}></ff-error>`
    }
    if (!(error instanceof ProblemError || error instanceof ConnectionError)) {
      const rows = (progress?.rows ?? 0).toLocaleString()
      const why = new Error(`It stopped after ${rows} activities, and nothing was saved. Start it again.`)
      return html`<ff-error compact no-retry heading="The export ended early" .error=${why}></ff-error>`
    }
    return html`<ff-error compact no-retry heading="The export could not be made" .error=${error}></ff-error>`
  }

  #buttons(): unknown {
    const { step } = this.current
    if (step === 'running') return html`<ff-button @click=${() => this.#controller?.abort()}>Cancel</ff-button>`
    if (step === 'done') return html`<ff-button variant="primary" @click=${this.#close}>Close</ff-button>`
    return html`<ff-button variant="primary"
      @click=${() => void this.#start()}>${step === 'failed' ? 'Try again' : 'Export'}</ff-button>`
  }

  async #start(): Promise<void> {
    const now = new Date()
    const name = `activities-${now.toISOString().slice(0, 16).replaceAll(/[T:]/gu, '-')}.${this.format}`
    const controller = (this.#controller = new AbortController())
    let last: Progress | undefined
    try {
      const sink = await sinkFor(name, types[this.format])
      this.current = { step: 'running', progress: { rows: 0, bytes: 0 } }
      const progress = await exportTo(
        this.client,
        this.format,
        filterOf(this.selection, now),
        sink,
        (p) => {
          last = p
          this.#report(p)
        },
        controller.signal,
      )
      this.current = { step: 'done', progress }
    } catch (error) {
      const cancelled = controller.signal.aborted || (error instanceof DOMException && error.name === 'AbortError')
      this.current = cancelled ? { step: 'ready' } : { step: 'failed', error, progress: last }
    }
  }

  /** report shows the progress ten times a second at most. */
  #report(progress: Progress): void {
    const now = performance.now()
    if (now - this.#shown < 100) return
    this.#shown = now
    this.current = { step: 'running', progress }
  }

  #close = (): void => {
    this.#controller?.abort()
    emit(this, 'close')
  }
}
