import { css, html, nothing } from 'lit'
import { state } from 'lit/decorators.js'
import { X } from 'lucide'
import { define } from '@fanfare/elements/base'
import type { Input } from '@fanfare/elements/input'
import { Edits } from '@fanfare/elements/preferences/edits'
import type { Change, Mode } from '@fanfare/elements/preferences/values'
import type { Shared } from './shared.ts'
import { Widget, widgetStyles } from './widget.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/error'
import '@fanfare/elements/icon-button'
import '@fanfare/elements/input'
import '@fanfare/elements/segmented'
import '@fanfare/elements/skeleton'
import '@fanfare/elements/switch'

type List = 'custom_actions' | 'muted_actions' | 'muted_actors'

/** What the caller wants to be notified of. Each change is stored at once. Fires `fanfare-saved`. */
@define('fanfare-preferences')
export class FanfarePreferences extends Widget {
  static override styles = widgetStyles(css`
    :host { display: block; min-width: 0; }
    .preferences { display: grid; gap: var(--ff-space-6); }
    h2 { font-size: var(--ff-size); font-weight: var(--ff-weight-bold); }
    .hint { color: var(--ff-text-2); font-size: var(--ff-size-meta); }
    section { display: grid; gap: var(--ff-space-2); }
    li {
      display: flex; align-items: center; gap: var(--ff-space-2); min-height: 32px; padding-inline-start: 8px;
      border-block-end: 1px solid var(--ff-border); overflow-wrap: anywhere;
    }
    li bdi { flex: 1; min-width: 0; }
    li code { font-family: var(--ff-font-mono); font-size: var(--ff-size-meta); }
    form { display: flex; align-items: end; gap: var(--ff-space-2); }
    form ff-input { flex: 1; }
    [role='status'] { min-height: 20px; color: var(--ff-text-2); font-size: var(--ff-size-meta); }
  `)

  @state() private names = new Map<string, string>()
  @state() private error: unknown
  @state() private problem: unknown
  @state() private saved = false
  #edits: Edits | undefined

  protected override joined(shared: Shared): void {
    this.#edits = new Edits(shared.client, 'own', () => this.requestUpdate())
    this.error = this.problem = undefined
    this.saved = false
    void this.#load()
  }

  protected override back(): void {
    void this.#load()
  }

  async #load(): Promise<void> {
    const edits = this.#edits
    try {
      await edits?.load()
      if (edits !== this.#edits) return
      this.error = undefined
      await this.#name(edits?.value?.muted_actors ?? [])
    } catch (error) {
      if (edits === this.#edits && !edits?.value) this.error = error
    }
  }

  /** Without a name, an id is shown. */
  async #name(ids: string[]): Promise<void> {
    if (ids.length === 0 || !this.shared) return
    const params = { query: { ids: ids.slice(0, 100).join(',') } }
    const { data } = await this.shared.client.GET('/principals', { params })
    this.names = new Map(data?.items.map((p) => [p.principal_id, p.display_name]))
  }

  /** save shows a change at once, and takes it back if it cannot be stored. It reports whether it is. */
  async #save(change: Change): Promise<boolean> {
    const edits = this.#edits
    this.saved = false
    this.problem = undefined
    try {
      await edits?.save(change)
    } catch (error) {
      if (edits === this.#edits) this.problem = error
      return false
    }
    if (edits === this.#edits) this.saved = true
    this.dispatchEvent(new CustomEvent('fanfare-saved', { detail: change, bubbles: true, composed: true }))
    return true
  }

  protected override render(): unknown {
    const p = this.#edits?.value
    const t = this.t.preferences
    if (this.error) {
      return html`<ff-error .heading=${t.failed} .texts=${this.t.error} .error=${this.error}
        @retry=${() => void this.#load()}></ff-error>`
    }
    if (!p) return html`<ff-skeleton kind="text" count="6" .label=${t.loading}></ff-skeleton>`
    const modes = (['all', 'mutations', 'custom'] as const).map((value) => ({ value, label: t.modes[value] }))
    return html`<div class="preferences" part="preferences" role="group" aria-label=${t.label}>
      <ff-switch part="muted" .label=${t.muted} .hint=${t.mutedHint} .checked=${p.muted}
        @change=${(e: CustomEvent<boolean>) => void this.#save({ muted: e.detail })}></ff-switch>
      <ff-segmented part="mode" .label=${t.mode} .hint=${t.modeHints[p.filter_mode]} .options=${modes}
        .value=${p.filter_mode}
        @change=${(e: CustomEvent<Mode>) => void this.#save({ filter_mode: e.detail })}
      ></ff-segmented>
      ${p.filter_mode === 'custom' ? this.#list('custom_actions', t.patterns, t.patternsHint) : nothing}
      ${this.#list('muted_actions', t.mutedActions, t.mutedActionsHint)}
      ${this.#list('muted_actors', t.mutedActors, '')}
      <div role="status">${this.saved ? t.saved : nothing}</div>
      ${
        this.problem
          ? html`<ff-error compact no-retry .heading=${t.saveFailed} .texts=${this.t.error} .error=${this.problem}
            ></ff-error>`
          : nothing
      }</div>`
  }

  #list(field: List, heading: string, hint: string): unknown {
    const t = this.t.preferences
    const entries = this.#edits?.value?.[field] ?? []
    const name = (entry: string): string => (field === 'muted_actors' ? (this.names.get(entry) ?? entry) : entry)
    return html`<section part="list" aria-labelledby=${field}><h2 id=${field}>${heading}</h2>
      ${
        entries.length > 0
          ? html`<ul>${entries.map(
              (entry) => html`<li><bdi>${
                field === 'muted_actors' ? name(entry) : html`<code>${entry}</code>`
              }</bdi><ff-icon-button .icon=${X} label=${t.remove(name(entry))}
                @click=${() => void this.#save({ [field]: entries.filter((e) => e !== entry) })}
              ></ff-icon-button></li>`,
            )}</ul>`
          : html`<p class="hint">${t.none}</p>`
      }
      ${
        field === 'muted_actors'
          ? nothing
          : html`<form @submit=${(e: SubmitEvent) => void this.#add(e, field)}>
            <ff-input .label=${hint}></ff-input>
            <ff-button type="submit">${t.add}</ff-button></form>`
      }</section>`
  }

  async #add(event: SubmitEvent, field: List): Promise<void> {
    event.preventDefault()
    const input = (event.target as HTMLFormElement).querySelector<Input>('ff-input')
    const entry = input?.value.trim()
    if (!input || !entry) return
    const entries = this.#edits?.value?.[field] ?? []
    if (entries.includes(entry) || (await this.#save({ [field]: [...entries, entry] }))) input.value = ''
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'fanfare-preferences': FanfarePreferences
  }
}
