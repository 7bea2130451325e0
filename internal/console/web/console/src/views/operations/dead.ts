import { unwrap } from '@fanfare/client'
import { BaseElement, define, emit, styled, textStyles } from '@fanfare/elements/base'
import { CircleCheck, RotateCcw, SearchX } from '@fanfare/elements/icons'
import { icon } from '@fanfare/elements/icon'
import { css, html, nothing, type PropertyValues } from 'lit'
import { property, state } from 'lit/decorators.js'
import { app } from '../../app.ts'
import { loaded, type Part } from '../../parts/part.ts'
import { count, plural } from '../../parts/format.ts'
import { Poll } from '../../parts/poll.ts'
import { href, type QueryChange } from '../../router.ts'
import { ages, filterOf, none, parametersOf, selectionOf, type Selection, selective } from './dead_filter.ts'
import { joined, most, type Page } from './pages.ts'
import { operatorStyles } from './styles.ts'
import type { DeadGroup, DeadGroups, DeadLetter } from './types.ts'
import type { Order } from './bulk_dialog.ts'
import './bulk_dialog.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/chip'
import '@fanfare/elements/empty'
import '@fanfare/elements/error'
import '@fanfare/elements/input'
import '@fanfare/elements/select'
import '@fanfare/elements/skeleton'
import '@fanfare/elements/time'

const marks = [
  ['<id>', 'an id'],
  ['<n>', 'a number'],
] as const

/** The dead letters: grouped by error and action, and those that the filter selects. Fires `filter`, `changed`. */
@define('ff-dead-letters')
export class DeadLetters extends BaseElement {
  static override styles = styled(
    textStyles,
    operatorStyles,
    css`
      :host { display: grid; gap: var(--ff-space-6); }
      form {
        display: grid; grid-template-columns: 2fr 1fr minmax(170px, auto); gap: var(--ff-space-3); flex: 1 1 100%;
        max-width: 800px;
      }
      h2 { margin-inline-end: auto; }
      .chips { display: flex; flex-wrap: wrap; gap: var(--ff-space-2); }
      .group { grid-template-columns: minmax(0, 1fr) auto; align-items: center; }
      .row:hover { background: var(--ff-hover); }
      .kind { display: inline-flex; align-items: center; min-height: 24px; color: var(--ff-text); }
      .kind:hover .error-text { text-decoration: underline; }
      .count { font-weight: var(--ff-weight-bold); color: var(--ff-text); }
      .buttons { display: flex; gap: var(--ff-space-2); align-items: center; }
      .letter { grid-template-columns: minmax(0, 1fr) auto; align-items: start; }
      @media (max-width: 640px) {
        form { grid-template-columns: 1fr; }
        .section-head > h2 { flex-basis: 100%; }
        .group, .letter { grid-template-columns: minmax(0, 1fr); }
        .buttons { margin-block-start: var(--ff-space-2); }
      }
    `,
  )

  @property({ attribute: false }) query = new URLSearchParams()
  @state() private groups: Part<DeadGroups> = {}
  @state() private letters: Part<Page<DeadLetter>> = {}
  @state() private order: Order | undefined
  @state() private busy = ''
  #pages = 1
  #asked = ''
  #poll = new Poll(this, () => this.#load(), 10_000)

  get #selection(): Selection {
    return selectionOf(this.query)
  }

  /** refresh loads what is shown again. */
  refresh(): void {
    void this.#poll.now()
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('query') || this.#asked === JSON.stringify(this.#selection)) return
    const before = this.#asked
    this.#asked = JSON.stringify(this.#selection)
    this.#pages = 1
    if (before === '') return // the poll loads it
    this.groups = this.letters = {}
    void this.#poll.now()
  }

  async #load(): Promise<boolean> {
    const asked = JSON.stringify(this.#selection)
    const query = parametersOf(filterOf(this.#selection, Date.now()))
    const { client } = app()
    const first = client.GET('/outbox/dead', { params: { query: { ...query, limit: 50 } } })
    const [groups, letters] = await Promise.all([
      loaded(this.groups, unwrap(client.GET('/outbox/dead/groups', { params: { query } }))),
      this.#pages > 1 ? this.letters : loaded(this.letters, unwrap(first)),
    ])
    if (asked !== JSON.stringify(this.#selection)) return true
    this.groups = groups
    if (this.#pages === 1) this.letters = letters
    return groups.error === undefined && letters.error === undefined
  }

  async #more(): Promise<void> {
    const cursor = this.letters.value?.next_cursor
    if (!cursor) return
    const query = { ...parametersOf(filterOf(this.#selection, Date.now())), cursor, limit: 50 }
    this.#pages++
    this.busy = 'more'
    try {
      const page = await unwrap(app().client.GET('/outbox/dead', { params: { query } }))
      this.letters = { value: joined(this.letters.value, page, (l) => l.activity_id) }
    } catch (error) {
      app().failed('More dead letters could not be loaded', error)
    } finally {
      this.busy = ''
    }
  }

  protected override render(): unknown {
    const { groups } = this
    const total = groups.value?.items.reduce((sum, g) => sum + g.count, 0)
    const nothingAtAll = total === 0 && !selective(this.#selection)
    if (groups.error && !groups.value) {
      return html`<ff-error heading="The dead letters could not be loaded" .error=${groups.error}
        @retry=${() => this.refresh()}></ff-error>`
    }
    if (nothingAtAll) {
      return html`<ff-empty .icon=${CircleCheck} heading="No dead letters">An activity that could not be delivered
        in ten attempts would be here, with its error. You can replay it from here once the cause is
        removed.</ff-empty>`
    }
    return html`${this.#form()}${
      total === 0
        ? html`<ff-empty .icon=${SearchX} heading="No dead letter matches">The filter compares the error, the action and
          the time of death.<ff-button slot="actions" @click=${() => this.#filter(none)}>Clear the filter</ff-button>
          </ff-empty>`
        : html`${this.#groups(total)}${this.#list()}`
    }<ff-bulk-dialog .order=${this.order} @close=${this.#closed}></ff-bulk-dialog>`
  }

  #filter(change: QueryChange): void {
    emit(this, 'filter', change)
  }

  #form(): unknown {
    const s = this.#selection
    const chip = (name: string, value: string, key: string): unknown =>
      value
        ? html`<ff-chip key=${key} removable remove-label=${`Remove the filter ${key}`}
        @remove=${() => this.#filter({ [name]: null })}>${value}</ff-chip>`
        : nothing
    return html`<div class="section-head">
      <form @submit=${(e: Event) => e.preventDefault()} role="search" aria-label="Dead letters">
        <ff-input label="Error contains" placeholder="timeout" clearable .value=${s.error}
          @change=${(e: CustomEvent<string>) => this.#filter({ error: e.detail })}></ff-input>
        <ff-input label="Action" placeholder="project.*" mono clearable .value=${s.action}
          @change=${(e: CustomEvent<string>) => this.#filter({ action: e.detail })}></ff-input>
        <ff-select label="Died" .options=${ages} .value=${s.age}
          @change=${(e: CustomEvent<string>) => this.#filter({ age: e.detail })}></ff-select></form>
      <div class="chips">${chip('kind', s.kind, 'error is')}${chip('resource', s.resource, 'resource')}${
        selective(s)
          ? html`<ff-button size="sm" variant="ghost" @click=${() => this.#filter(none)}>Clear the filter
          </ff-button>`
          : nothing
      }</div></div>`
  }

  #groups(total: number | undefined): unknown {
    const value = this.groups.value
    if (!value || total === undefined)
      return html`<ff-skeleton count="4" label="Loading the dead letters"></ff-skeleton>`
    const filtered = selective(this.#selection)
    return html`<section aria-labelledby="groups"><div class="section-head">
        <h2 id="groups">${value.exact ? '' : 'At least '}${plural(total, 'dead letter')}${
          filtered ? (total === 1 ? ' matches' : ' match') : ''
        }, by error</h2>${this.groups.error ? html`<span class="note">This may be out of date.</span>` : nothing}
        <ff-button @click=${() => this.#ask('replay', this.#selection)}>${icon(RotateCcw, 14)} Replay
          ${filtered ? 'all that match' : 'all'}…</ff-button>
        <ff-button variant="danger" @click=${() => this.#ask('discard', this.#selection)}>Discard
          ${filtered ? 'all that match' : 'all'}…</ff-button></div>
      ${marks.map(([mark, what]) =>
        value.items.some((g) => g.error_kind.includes(mark))
          ? html`<p class="muted"><code>${mark}</code> stands for ${what} that differs.</p>`
          : nothing,
      )}
      <ul class="rows">${value.items.map((g) => this.#group(g))}</ul></section>`
  }

  #group(g: DeadGroup): unknown {
    const selection: Selection = { ...this.#selection, kind: g.error_kind, action: g.action }
    return html`<li class="row group"><div><a class="kind" href=${href('operations', ['dead'], { ...selection })}
        ><span class="error-text">${g.error_kind}</span></a>
        <div class="meta"><span class="count">${count(g.count)} ×</span>
        <code>${g.action || 'no longer in the log'}</code>
        <span>last <ff-time datetime=${g.newest_at}></ff-time></span>
        <a href=${href('activity', [g.sample_activity_id])}>Show one of them</a></div></div>
      <div class="buttons">
        <ff-button size="sm" label=${`Replay these ${g.count}`} @click=${() => this.#ask('replay', selection)}
          >Replay…</ff-button>
        <ff-button size="sm" variant="danger" label=${`Discard these ${g.count}`}
          @click=${() => this.#ask('discard', selection)}>Discard…</ff-button></div></li>`
  }

  #list(): unknown {
    const { value, error } = this.letters
    if (!value) {
      return error
        ? html`<ff-error compact heading="The list could not be loaded" .error=${error}
          @retry=${() => this.refresh()}></ff-error>`
        : html`<ff-skeleton count="6" label="Loading the list"></ff-skeleton>`
    }
    const more = value.next_cursor && value.items.length < most
    return html`<section aria-labelledby="letters"><h2 id="letters">Latest first</h2>
      <ul class="rows">${value.items.map((l) => this.#letter(l))}</ul>
      ${
        more
          ? html`<div class="more"><ff-button ?busy=${this.busy === 'more'} @click=${() => void this.#more()}>Show
        more</ff-button></div>`
          : nothing
      }</section>`
  }

  #letter(l: DeadLetter): unknown {
    const name = l.resource_name || l.resource_id
    const missed =
      l.channels === null ? 'not delivered to anyone' : `${plural(l.channels.length, 'channel')} not reached`
    return html`<li class="row letter"><div><a href=${href('activity', [l.activity_id])}
        ><code>${l.action || l.activity_id}</code></a> <span class="muted">${l.resource_type}</span> <bdi>${name}</bdi>
        <div class="error-text">${l.error}</div>
        <div class="meta"><span>died <ff-time datetime=${l.died_at}></ff-time></span>
          <span>${plural(l.attempts, 'attempt')}</span>
          <span>${missed}</span>
        </div></div>
      <div class="buttons"><ff-button size="sm" label=${`Replay ${l.action} of ${name}`}
        ?busy=${this.busy === l.activity_id} @click=${() => void this.#replay(l)}>Replay</ff-button>
        <ff-button size="sm" variant="danger" label=${`Discard ${l.action} of ${name}`}
          @click=${() => this.#ask('discard', this.#selection, l.activity_id)}>Discard…</ff-button></div></li>`
  }

  #ask(verb: Order['verb'], selection: Selection, id = ''): void {
    this.order = { verb, selection, id }
  }

  async #replay(letter: DeadLetter): Promise<void> {
    this.busy = letter.activity_id
    try {
      await unwrap(app().client.POST('/outbox/dead/{id}/replay', { params: { path: { id: letter.activity_id } } }))
      app().toast({ text: `${letter.action || 'The activity'} is in the outbox again.` })
      this.#remove(letter)
      this.#changed()
    } catch (error) {
      app().failed('It could not be replayed', error)
    } finally {
      this.busy = ''
    }
  }

  #remove(letter: DeadLetter): void {
    const { value } = this.letters
    if (value) this.letters = { value: { ...value, items: value.items.filter((l) => l !== letter) } }
  }

  #changed(): void {
    this.#pages = 1
    this.refresh()
    emit(this, 'changed')
  }

  #closed = (event: CustomEvent<boolean>): void => {
    this.order = undefined
    if (event.detail) this.#changed()
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-dead-letters': DeadLetters
  }
}
