import { unwrap } from '@fanfare/client'
import { BaseElement, define, emit, styled, textStyles } from '@fanfare/elements/base'
import { css, html, nothing, type PropertyValues } from 'lit'
import { property, state } from 'lit/decorators.js'
import { app } from '../../app.ts'
import {
  type Change,
  changeOf,
  type Entries,
  type Entry,
  entriesOf,
  errorsOf,
  type Limit,
  limits,
  problemsOf,
  removing,
  type Retention,
  textOf,
  valueText,
} from './limits.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/dialog'
import '@fanfare/elements/input'
import '@fanfare/elements/segmented'

const origins = [
  { value: 'installation', label: 'Default' },
  { value: 'tenant', label: 'Custom' },
]

/** The limits of the tenant. Fires `saved` with the new policy. */
@define('ff-retention-form')
export class RetentionForm extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
      ul { border: 1px solid var(--ff-border); border-radius: var(--ff-radius-lg); }
      li {
        display: grid; grid-template-columns: minmax(0, 1fr) auto 168px; gap: var(--ff-space-2) var(--ff-space-4);
        align-items: start; padding: var(--ff-space-3) var(--ff-space-4);
      }
      li + li { border-block-start: 1px solid var(--ff-border); }
      .label { font-weight: var(--ff-weight-medium); }
      .text { color: var(--ff-text-2); font-size: var(--ff-size-meta); }
      .value { display: flex; align-items: center; min-height: var(--ff-control); color: var(--ff-text-2); }
      .bar {
        position: sticky; inset-block-end: 0; display: flex; flex-wrap: wrap; align-items: center;
        gap: var(--ff-space-2); margin-block-start: var(--ff-space-3); padding-block: var(--ff-space-3);
        border-block-start: 1px solid var(--ff-border); background: var(--ff-surface);
      }
      .bar span { flex: 1; color: var(--ff-text-3); font-size: var(--ff-size-sm); }
      .removes { display: grid; gap: var(--ff-space-2); margin-block: var(--ff-space-3); border: 0; }
      .removes li { display: list-item; list-style: disc inside; padding: 0; border: 0; }
      p { color: var(--ff-text-2); }
      .unit { color: var(--ff-text-3); font-size: var(--ff-size-sm); }
      @media (max-width: 700px) {
        li { grid-template-columns: minmax(0, 1fr) 128px; }
        li > :first-child { grid-column: 1 / -1; }
      }
    `,
  )

  @property({ attribute: false }) policy!: Retention
  @state() private entries!: Entries
  @state() private problems: Partial<Record<keyof Change, string>> = {}
  @state() private asked: { change: Change; removes: Limit[] } | undefined
  @state() private busy = false

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('policy')) this.#reset()
  }

  #reset(): void {
    this.entries = entriesOf(this.policy)
    this.problems = {}
  }

  protected override render(): unknown {
    const dirty = Object.keys(this.#change()).length > 0
    return html`<form @submit=${this.#submit} novalidate><ul>${limits.map((limit) => this.#row(limit))}</ul>
      <div class="bar"><span>${dirty ? 'Not saved yet.' : 'Changes apply at the next run (hourly by default).'}</span>
        ${dirty ? html`<ff-button variant="ghost" @click=${() => this.#reset()}>Undo the changes</ff-button>` : nothing}
        <ff-button variant="primary" type="submit" ?disabled=${!dirty} ?busy=${this.busy}>Save</ff-button></div></form>
      ${this.#dialog()}`
  }

  #change(): Change {
    return changeOf(this.policy, this.entries)
  }

  #row(limit: Limit): unknown {
    const { name, label, none } = limit
    const entry = this.entries[name]
    const value = this.policy[name]
    const shown = value.from === 'tenant' ? 'As the installation' : valueText(limit, value.value)
    return html`<li><div><div class="label">${label}</div><div class="text">${
      entry.own && Number(entry.text) === 0 && entry.text.trim() !== '' ? none : textOf(limit, this.policy)
    }</div></div>
      <ff-segmented label=${`${label}: limit`} hide-label .options=${origins}
        .value=${entry.own ? 'tenant' : 'installation'}
        @change=${(e: CustomEvent<string>) => this.#set(name, { own: e.detail === 'tenant' })}></ff-segmented>
      ${
        entry.own
          ? html`<ff-input label=${`${label}, in ${limit.unit}`} hide-label .value=${entry.text} name=${name}
            error=${this.problems[name] ?? ''} @input=${(e: Event) =>
              this.#set(name, { text: (e.currentTarget as HTMLInputElement).value })}
            ><span slot="suffix" class="unit">${limit.unit}</span></ff-input>`
          : html`<span class="value">${shown}</span>`
      }</li>`
  }

  #set(name: keyof Change, change: Partial<Entry>): void {
    this.entries = { ...this.entries, [name]: { ...this.entries[name], ...change } }
    if (this.problems[name]) this.problems = { ...this.problems, [name]: '' }
  }

  #submit = (event: Event): void => {
    event.preventDefault()
    const problems = errorsOf(this.policy, this.entries)
    if (this.#refuse(problems)) return
    const change = this.#change()
    if (Object.keys(change).length === 0) return
    const removes = removing(this.policy, change)
    if (removes.length > 0) this.asked = { change, removes }
    else void this.#save(change)
  }

  /** refuse shows problems, and moves the focus to the first field that has one. */
  #refuse(problems: Partial<Record<keyof Change, string>>): boolean {
    this.problems = problems
    const first = limits.find(({ name }) => problems[name])
    if (!first) return false
    void this.updateComplete.then(() => {
      this.renderRoot.querySelector<HTMLElement>(`ff-input[name='${first.name}']`)?.focus()
    })
    return true
  }

  #dialog(): unknown {
    const { asked } = this
    const value = (limit: Limit): string => {
      const to = asked?.change[limit.name]
      return to === null || to === undefined ? 'the installation’s limit' : valueText(limit, to)
    }
    return html`<ff-dialog ?open=${asked !== undefined} heading="This may remove data"
      @close=${() => {
        this.asked = undefined
      }}><p>At the next run, what exceeds these limits is removed. It cannot be restored.</p>
      <ul class="removes">${asked?.removes.map(
        (limit) =>
          html`<li>${limit.label}: ${valueText(limit, this.policy[limit.name].value)} → <b>${value(limit)}</b></li>`,
      )}</ul><p>Legal holds exempt what they hold.</p>
      <ff-button slot="footer" @click=${() => {
        this.asked = undefined
      }}>Cancel</ff-button>
      <ff-button slot="footer" variant="danger" @click=${() => {
        const change = asked?.change
        this.asked = undefined
        if (change) void this.#save(change)
      }}>Save, and remove</ff-button></ff-dialog>`
  }

  async #save(change: Change): Promise<void> {
    this.busy = true
    try {
      const policy = await unwrap(app().client.PUT('/retention', { body: change }))
      app().toast({ text: 'The limits are saved.' })
      emit(this, 'saved', policy)
    } catch (error) {
      if (!this.#refuse(problemsOf(error))) app().failed('The limits could not be saved', error)
    } finally {
      this.busy = false
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-retention-form': RetentionForm
  }
}
