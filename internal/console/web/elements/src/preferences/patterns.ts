import type { Client } from '@fanfare/client'
import { html, nothing } from 'lit'
import { property, query, state } from 'lit/decorators.js'
import { Plus, X } from 'lucide'
import { BaseElement, define, emit, styled, textStyles } from '../base.ts'
import { icon } from '../icon.ts'
import type { Input } from '../input.ts'
import { patternStyles } from './pattern-styles.ts'
import { type PatternTexts, patternTexts } from './pattern-texts.ts'
import { faultsOf, matchesOf, split, Trial, trial } from './trial.ts'
import '../button.ts'
import '../icon-button.ts'
import '../input.ts'

const shown = 12
const maxPatterns = 100

/**
 * Patterns of actions, and a live test: which actions they match, with the one that is being written, and how often
 * these happened. Fires `change` with the new list, and `draft` with whether there is one that is not added.
 */
@define('ff-patterns')
export class Patterns extends BaseElement {
  static override styles = styled(textStyles, patternStyles)

  @property({ attribute: false }) client: Client | undefined
  @property({ attribute: false }) patterns: readonly string[] = []
  @property({ attribute: false }) texts: PatternTexts = patternTexts
  @property() label = ''
  @property({ type: Boolean }) disabled = false
  @state() private draft = ''
  @state() private fault = ''
  @state() private all = false
  @query('ff-input') private input!: Input
  #trial = new Trial(this)

  /** Whether something is written that is not added yet. */
  get dirty(): boolean {
    return this.draft.trim() !== ''
  }

  protected override willUpdate(): void {
    if (this.client) this.#trial.test(this.client, this.#tested())
  }

  #tested(): string[] {
    return [...new Set([...this.patterns, ...split(this.draft)])].slice(0, maxPatterns)
  }

  protected override render(): unknown {
    const { texts } = this
    return html`<span class="label" id="label">${this.label}</span>
      <ul class="patterns" aria-labelledby="label">${this.patterns.map((p, i) => this.#row(p, i))}</ul>
      <form @submit=${this.#submit}>
        <ff-input label=${texts.addLabel} hide-label mono .placeholder=${texts.placeholder} .value=${this.draft}
          .hint=${texts.hint} .error=${this.#error()} ?disabled=${this.disabled} @input=${this.#write}></ff-input>
        <ff-button type="submit" ?disabled=${this.disabled || !this.dirty}>${icon(Plus, 14)} ${texts.add}</ff-button>
      </form>${this.#near()}${this.#result()}`
  }

  #row(pattern: string, index: number): unknown {
    const { texts } = this
    const match = this.#trial.results?.patterns[index]
    const fault = this.#trial.faults.find((f) => f.index === index)
    const found = match?.pattern === pattern ? match : undefined
    return html`<li><code>${pattern}</code>${
      fault ? html`<span class="fault">${fault.rule}</span>` : nothing
    }${found && !fault ? this.#count(found.actions, found.nearest) : nothing}
      <ff-icon-button .icon=${X} label=${texts.remove(pattern)} ?disabled=${this.disabled}
        @click=${() => this.#remove(pattern)}></ff-icon-button></li>`
  }

  #count(actions: number, nearest: string | undefined): unknown {
    const { texts } = this
    if (actions > 0) return html`<span>${texts.actions(actions)}</span>`
    return html`<span class="warning">${texts.nothing}${nearest ? `. ${texts.nearest} ${nearest}` : ''}</span>`
  }

  /** error returns the fault of what is written, under the field. */
  #error(): string {
    if (this.fault) return this.fault
    const written = split(this.draft)
    const tested = this.#tested()
    const fault = this.#trial.faults.find((f) => written.includes(tested[f.index] ?? ''))
    return fault ? this.texts.rule(shorten(tested[fault.index] ?? ''), fault.rule) : ''
  }

  /** near proposes the nearest action for a pattern that is being written and matches none. */
  #near(): unknown {
    const written = split(this.draft)
    const found = this.#trial.results?.patterns.find((p) => written.includes(p.pattern) && p.actions === 0)
    if (!found) return nothing
    const { texts } = this
    return html`<p class="near"><span class="warning"><code>${shorten(found.pattern)}</code> ${texts.nothing}.</span>
      ${
        found.nearest
          ? html`${texts.nearest} <code>${found.nearest}</code>
            <ff-button variant="link" size="sm" @click=${() => this.#use(found.pattern, found.nearest ?? '')}
              >${texts.use(found.nearest)}</ff-button>`
          : nothing
      }</p>`
  }

  #result(): unknown {
    const { texts } = this
    const { results, error, pending } = this.#trial
    if (error) {
      return html`<div class="trial"><p class="note" role="alert">${texts.failed}
        ${error instanceof Error ? error.message : ''}
        <ff-button variant="link" @click=${this.#again}>${texts.retry}</ff-button></p></div>`
    }
    if (!results) return pending ? html`<p class="trial note">${texts.testing}</p>` : nothing
    const matches = matchesOf(results)
    const happened = matches.filter((m) => m.count > 0).length
    const recent = results.recent
    const listed = this.all ? matches : matches.slice(0, shown)
    return html`<div class="trial" aria-busy=${pending}>
      <p class="summary" role="status">${texts.summary(
        matches.length,
        happened,
        recent?.count ?? 0,
        recent?.exact ?? true,
      )}</p>
      ${
        listed.length > 0
          ? html`<ul class="matches" aria-label=${texts.matches}>${listed.map(
              (m) => html`<li><code>${m.action}</code>${m.known ? nothing : html`<span>${texts.unknown}</span>`}
                <span class="count">${texts.times(m.count)}</span></li>`,
            )}</ul>`
          : nothing
      }
      ${
        matches.length > shown
          ? html`<ff-button variant="link" size="sm" @click=${() => (this.all = !this.all)}
              >${this.all ? texts.fewer : texts.all(matches.length)}</ff-button>`
          : nothing
      }</div>`
  }

  #again = (): void => {
    if (this.client) this.#trial.test(this.client, this.#tested(), true)
    this.requestUpdate()
  }

  #write = (): void => {
    this.#draft(this.input.value)
  }

  #draft(text: string): void {
    const before = this.dirty
    this.draft = text
    this.fault = ''
    if (this.dirty !== before) emit(this, 'draft', this.dirty)
  }

  #use(pattern: string, action: string): void {
    this.#draft(
      split(this.draft)
        .map((p) => (p === pattern ? action : p))
        .join(' '),
    )
    this.input.focus()
  }

  #remove(pattern: string): void {
    emit(
      this,
      'change',
      this.patterns.filter((p) => p !== pattern),
    )
    this.input.focus()
  }

  #submit = (event: Event): void => {
    event.preventDefault()
    void this.commit()
  }

  /** discard drops what is written. */
  discard(): void {
    this.#draft('')
  }

  /** commit adds what is written. It reports false, and shows the fault, where that is no pattern. */
  async commit(): Promise<boolean> {
    const { texts, client } = this
    const written = split(this.draft)
    if (written.length === 0) return true
    const added = written.filter((p) => !this.patterns.includes(p))
    if (added.length === 0) {
      this.fault = texts.duplicate(shorten(written[0] ?? ''))
      return false
    }
    if (this.patterns.length + added.length > maxPatterns) {
      this.fault = texts.tooMany
      return false
    }
    try {
      if (client) await trial(client, added)
    } catch (error) {
      const fault = faultsOf(error)[0]
      this.fault = fault
        ? texts.rule(shorten(added[fault.index] ?? ''), fault.rule)
        : `${texts.failed} ${error instanceof Error ? error.message : ''}`
      return false
    }
    this.#draft('')
    emit(this, 'change', [...this.patterns, ...added])
    return true
  }
}

/** shorten returns the beginning of a long text. */
function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-patterns': Patterns
  }
}
