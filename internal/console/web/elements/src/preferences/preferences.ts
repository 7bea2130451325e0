import type { Client } from '@fanfare/client'
import { html, nothing } from 'lit'
import { property, state } from 'lit/decorators.js'
import { BaseElement, define, emit, styled, textStyles } from '../base.ts'
import { Edits } from './edits.ts'
import type { Person } from './people.ts'
import { preferencesStyles } from './preferences-styles.ts'
import { preferencesTexts, type PreferencesTexts, tenantPreferencesTexts } from './texts.ts'
import { type Change, type Field, type Mode, originOf, type Owner, type Preferences, reverse } from './values.ts'
import '../button.ts'
import '../error.ts'
import '../skeleton.ts'
import '../switch.ts'
import './muted-people.ts'
import './patterns.ts'

const modes: readonly Mode[] = ['all', 'mutations', 'custom']

/** What has been saved, of a `saved` event. */
export interface Saved {
  text: string
  undo: () => Promise<void>
}

/**
 * The form of the caller's preferences, or with owner `tenant` of the tenant's. Each change is saved at once. Fires
 * `saved` (Saved) and `failed` ({text, error}), which it shows itself unless they are prevented, and `dirty` with
 * whether something is written or chosen that is not saved.
 */
@define('ff-preferences')
export class PreferencesForm extends BaseElement {
  static override styles = styled(textStyles, preferencesStyles)

  @property({ attribute: false }) client: Client | undefined
  @property() owner: Owner = 'own'
  @property({ attribute: false }) texts: PreferencesTexts | undefined
  @state() private error: unknown
  /** The mode custom is chosen, and there are no patterns. */
  @state() private pending = false
  @state() private saved: Saved | undefined
  @state() private problem = ''
  #drafts = new Set<string>()
  #edits: Edits | undefined

  /** Whether something is written or chosen that is not saved. */
  get dirty(): boolean {
    return this.pending || this.#drafts.size > 0
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has('client') && !changed.has('owner')) return
    this.#edits = this.client && new Edits(this.client, this.owner, () => this.requestUpdate())
    this.discard()
    this.saved = undefined
    this.problem = ''
    void this.load()
  }

  /** load reads the preferences, again after a failure or a change elsewhere. */
  async load(): Promise<void> {
    const edits = this.#edits
    this.error = undefined
    try {
      await edits?.load()
    } catch (error) {
      if (edits === this.#edits && !edits?.value) this.error = error
    }
  }

  get #texts(): PreferencesTexts {
    return this.texts ?? (this.owner === 'tenant' ? tenantPreferencesTexts : preferencesTexts)
  }

  protected override render(): unknown {
    const t = this.#texts
    if (this.error) {
      return html`<ff-error heading=${t.failed} .error=${this.error} @retry=${() => void this.load()}></ff-error>`
    }
    const value = this.#edits?.value
    if (!value) return html`<ff-skeleton kind="text" count="8" label=${t.loading}></ff-skeleton>`
    return html`${this.#modes(value, t)}${this.#actions(value, t)}
      ${value.muted_actors ? this.#people(value.muted_actors, t) : nothing}
      ${this.#pause(value, t)}
      ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
      <div class="done" role="status">${
        this.saved
          ? html`<span>${this.saved.text}</span>
            <ff-button size="sm" @click=${() => void this.#undo()}>${t.undo}</ff-button>`
          : nothing
      }</div>`
  }

  /** head renders the heading of a section, where its values come from, and what resets them. */
  #head(heading: string, value: Preferences, ...fields: Field[]): unknown {
    const t = this.#texts
    const set = fields.filter((f) => originOf(value, f) === 'own')
    const origin = set.length > 0 ? 'own' : originOf(value, fields[0] ?? 'filter_mode')
    return html`<div class="head"><h2>${heading}</h2><span class="origin">${t.origins[origin]}</span>${
      set.length > 0
        ? html`<ff-button variant="link" size="sm" label=${t.resetLabel(t.fields[fields[0] ?? 'filter_mode'])}
            @click=${() => void this.#save({ inherit: set }, t.done.reset(t.fields[fields[0] ?? 'filter_mode']))}
            >${t.reset}</ff-button>`
        : nothing
    }</div>`
  }

  #modes(value: Preferences, t: PreferencesTexts): unknown {
    const mode = this.pending ? 'custom' : value.filter_mode
    return html`<section aria-labelledby="modes-name">
      ${this.#head(t.modeHeading, value, 'filter_mode', 'custom_actions')}
      <p class="hint" id="modes-name">${t.modeHint}</p>
      <div class="modes" role="radiogroup" aria-label=${t.modeHeading}>${modes.map(
        (m) => html`<div class="mode"><input type="radio" name="mode" id=${m} .checked=${m === mode}
            @change=${() => this.#choose(value, m)}>
          <label for=${m}><b>${t.modes[m].label}</b><span>${t.modes[m].hint}</span></label></div>`,
      )}</div>
      ${
        this.pending
          ? html`<div class="notice" role="status"><span>${t.pending(t.modes[value.filter_mode].label)}</span>
            <ff-button size="sm" @click=${() => this.#setPending(false)}>${t.cancel}</ff-button></div>`
          : mode === 'custom' && value.custom_actions.length === 0
            ? html`<p class="notice">${t.noPatterns}</p>`
            : nothing
      }
      ${
        mode === 'custom'
          ? html`<div class="patterns"><ff-patterns .client=${this.client} .texts=${t.patterns} label=${t.patternsLabel}
            .patterns=${value.custom_actions} @draft=${(e: CustomEvent<boolean>) => this.#draft('custom', e.detail)}
            @change=${(e: CustomEvent<string[]>) => this.#setPatterns(e.detail)}></ff-patterns></div>`
          : nothing
      }</section>`
  }

  #actions(value: Preferences, t: PreferencesTexts): unknown {
    return html`<section>${this.#head(t.actionsHeading, value, 'muted_actions')}
      <p class="hint">${t.actionsHint}</p>
      <ff-patterns .client=${this.client} .texts=${t.patterns} label=${t.actionsLabel}
        .patterns=${value.muted_actions} @draft=${(e: CustomEvent<boolean>) => this.#draft('muted', e.detail)}
        @change=${(e: CustomEvent<string[]>) => void this.#save({ muted_actions: e.detail }, t.done.actions)}
        ></ff-patterns></section>`
  }

  #people(muted: readonly string[], t: PreferencesTexts): unknown {
    const save = (actors: string[], text: string): void => void this.#save({ muted_actors: actors }, text)
    return html`<section><div class="head"><h2>${t.peopleHeading}</h2></div><p class="hint">${t.people.hint}</p>
      <ff-muted-people .client=${this.client} .texts=${t.people} .muted=${muted}
        @mute=${(e: CustomEvent<Person>) =>
          save([...muted, e.detail.principal_id], t.done.mutedPerson(e.detail.display_name))}
        @unmute=${(e: CustomEvent<Person>) =>
          save(
            muted.filter((id) => id !== e.detail.principal_id),
            t.done.unmutedPerson(e.detail.display_name),
          )}></ff-muted-people></section>`
  }

  #pause(value: Preferences, t: PreferencesTexts): unknown {
    return html`<section>${this.#head(t.mutedHeading, value, 'muted')}
      <ff-switch label=${t.muted.label} hint=${t.muted.hint} .checked=${value.muted}
        @change=${(e: CustomEvent<boolean>) => {
          e.preventDefault()
          void this.#save({ muted: e.detail }, e.detail ? t.done.muted : t.done.unmuted)
        }}></ff-switch>
      <div class="arrives"><p id="arrives">${t.arrives.heading}</p>
        <ul aria-labelledby="arrives">${t.arrives.items.map((item) => html`<li>${item}</li>`)}</ul></div></section>`
  }

  #choose(value: Preferences, mode: Mode): void {
    const wait = mode === 'custom' && value.custom_actions.length === 0
    this.#setPending(wait)
    if (!wait && mode !== value.filter_mode) {
      void this.#save({ filter_mode: mode }, this.#texts.done.mode(this.#texts.modes[mode].label))
    }
  }

  #setPatterns(patterns: string[]): void {
    const change: Change = { custom_actions: patterns }
    if (this.pending && patterns.length > 0) {
      change.filter_mode = 'custom'
      this.#setPending(false)
    }
    void this.#save(change, this.#texts.done.patterns)
  }

  #setPending(pending: boolean): void {
    const before = this.dirty
    this.pending = pending
    if (!pending) this.#drafts.delete('custom')
    if (this.dirty !== before) emit(this, 'dirty', this.dirty)
  }

  /** discard drops what is not saved. */
  discard(): void {
    for (const editor of this.renderRoot.querySelectorAll('ff-patterns')) editor.discard()
    this.#setPending(false)
  }

  #draft(field: string, dirty: boolean): void {
    const before = this.dirty
    if (dirty) this.#drafts.add(field)
    else this.#drafts.delete(field)
    if (this.dirty !== before) emit(this, 'dirty', this.dirty)
  }

  /** save shows a change at once, and takes it back where the API refuses it. */
  async #save(change: Change, text: string, undoable = true, edits = this.#edits): Promise<void> {
    if (!edits?.value) return
    const back = reverse(edits.value, change)
    this.problem = ''
    this.saved = undefined
    try {
      await edits.save(change)
    } catch (error) {
      this.#failed(error)
      return
    }
    const saved = { text, undo: () => this.#save(back, this.#texts.undone, false, edits) }
    if (!undoable) emit(this, 'undone')
    else if (emit(this, 'saved', saved)) this.saved = saved
  }

  async #undo(): Promise<void> {
    await this.saved?.undo()
  }

  #failed(error: unknown): void {
    const text = this.#texts.notSaved
    if (emit(this, 'failed', { text, error })) this.problem = `${text} ${error instanceof Error ? error.message : ''}`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-preferences': PreferencesForm
  }
}
