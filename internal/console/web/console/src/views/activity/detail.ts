import { type Activity, ProblemError, problemOf } from '@fanfare/client'
import { BaseElement, define, emit, styled, textStyles } from '@fanfare/elements/base'
import { sayingOf } from '@fanfare/elements/excerpt'
import { ArrowDown, ArrowUp, Copy, Link } from '@fanfare/elements/icons'
import { at, type JSONNode, parseJSON, printJSON } from '@fanfare/elements/json-text'
import { css, html, nothing } from 'lit'
import { property, query, state } from 'lit/decorators.js'
import { app } from '../../app.ts'
import { href, navigate, withQuery } from '../../router.ts'
import { curlOf, permanentLink, sqlOf } from './copies.ts'
import { detailStyles, partStyles } from './detail_styles.ts'
import { namedIn, renderFields } from './fields.ts'
import type { Names } from './names.ts'
import type { Field } from './query.ts'
import type { Source } from './source.ts'
import '@fanfare/elements/chip'
import '@fanfare/elements/drawer'
import '@fanfare/elements/error'
import '@fanfare/elements/icon-button'
import '@fanfare/elements/menu'
import '@fanfare/elements/payload'
import '@fanfare/elements/severity'
import '@fanfare/elements/skeleton'
import '@fanfare/elements/tabs'
import '@fanfare/elements/time'
import './audience.ts'
import './long_text.ts'
import './resource_history.ts'
import './sequence.ts'

const tabs = [
  { id: 'details', label: 'Details' },
  { id: 'sequence', label: 'Sequence' },
  { id: 'history', label: 'History' },
  { id: 'audience', label: 'Audience' },
]

const copies = [
  { id: 'link', label: 'Permanent link', icon: Link },
  { id: 'json', label: 'JSON' },
  { id: 'curl', label: 'As curl' },
  { id: 'sql', label: 'As SQL' },
  { id: 'id', label: 'Id' },
]

/**
 * The drawer with all that is known of an activity. Fires `found` with it, `missing`, `close`, and `step` to the next
 * or previous one.
 */
@define('ff-activity-detail')
export class Detail extends BaseElement {
  static override styles = styled(
    textStyles,
    partStyles,
    detailStyles,
    css`
    :host { display: contents; }
  `,
  )

  /** The id. */
  @property() activity = ''
  @property({ attribute: false }) source!: Source
  @property({ attribute: false }) names!: Names
  @property({ attribute: false }) query = new URLSearchParams()
  @state() private found: Activity | undefined
  @state() private json: JSONNode | undefined
  @state() private error: unknown
  @query('ff-drawer') private drawer!: HTMLElement
  #key = ''

  protected override willUpdate(): void {
    if (this.activity === this.#key) return
    this.#key = this.activity
    this.found = undefined
    this.json = undefined
    if (this.activity) void this.#load()
  }

  async #load(): Promise<void> {
    const id = this.activity
    this.error = undefined
    try {
      const response = await this.source.client.send(`/activities/${encodeURIComponent(id)}`)
      if (!response.ok) throw await problemOf(response)
      const text = await response.text()
      if (id !== this.activity) return
      this.json = parseJSON(text) // keeps the digits of numbers
      this.found = JSON.parse(text) as Activity
      emit(this, 'found', this.found)
      void this.names.resources([this.found.resource.parent_id ?? '']).then(() => this.requestUpdate())
      void this.names.people(namedIn(this.found)).then(
        () => this.requestUpdate(),
        () => {},
      )
    } catch (error) {
      if (id !== this.activity) return
      this.error = error
      if (error instanceof ProblemError && error.status === 404) emit(this, 'missing', id)
    }
  }

  protected override render(): unknown {
    const { found } = this
    const heading = found ? found.ui_hints.title || found.action : 'Activity'
    return html`<ff-drawer ?open=${this.activity !== ''} heading=${heading} close-label="Close the details"
      @close=${(e: Event) => {
        e.preventDefault()
        emit(this, 'close')
      }}>
      <ff-icon-button slot="actions" .icon=${ArrowUp} label="Newer" shortcut="k"
        @click=${() => emit(this, 'step', -1)}></ff-icon-button>
      <ff-icon-button slot="actions" .icon=${ArrowDown} label="Older" shortcut="j"
        @click=${() => emit(this, 'step', 1)}></ff-icon-button>
      <ff-menu slot="actions" align="end" label="Copy" .items=${copies}
        @select=${(e: CustomEvent<string>) => void this.#copy(e.detail)}>
        <ff-icon-button slot="trigger" .icon=${Copy} label="Copy"></ff-icon-button></ff-menu>
      ${this.activity ? this.#content() : nothing}</ff-drawer>`
  }

  #content(): unknown {
    if (this.error) {
      return html`<ff-error heading="The activity could not be loaded" .error=${this.error}
        @retry=${() => void this.#load()}></ff-error>`
    }
    const a = this.found
    if (!a)
      return html`<div class="part"><ff-skeleton kind="text" count="8"
        label="Loading the activity"></ff-skeleton></div>`
    const selected = this.query.get('tab') ?? 'details'
    const text = a.ui_hints.summary || a.message || a.action
    const said = sayingOf(a)
    return html`<div class="head"><ff-long-text class="summary" .text=${text}></ff-long-text>
        ${said ? html`<ff-long-text class="said" enough="2000" .text=${said}></ff-long-text>` : nothing}
        <div class="marks"><ff-severity .level=${a.severity} text></ff-severity>
          <ff-chip tone=${a.status === 'failure' ? 'error' : 'success'}>${a.status}</ff-chip>
          <ff-time class="meta" datetime=${a.created_at} format="long"></ff-time></div></div>
      <ff-tabs label="Parts of the activity" .tabs=${tabs} selected=${selected} @change=${this.#tab}>
        <div class="part">${this.#part(selected, a)}</div></ff-tabs>`
  }

  #part(selected: string, a: Activity): unknown {
    switch (selected) {
      case 'sequence':
        return html`<ff-activity-sequence .source=${this.source} .activity=${a}
          .hrefOf=${this.#hrefOf}></ff-activity-sequence>`
      case 'history':
        return html`<ff-resource-history .source=${this.source} .activity=${a} .hrefOf=${this.#hrefOf}
          all=${href('activity', [], { resource: a.resource.resource_id })}></ff-resource-history>`
      case 'audience':
        return html`<ff-activity-audience .source=${this.source} .names=${this.names}
          activity=${a.event_id} me=${app().me.principal_id}></ff-activity-audience>`
      default:
        return html`${renderFields(a, this.names, this.#only)}<h3>Payload</h3>
          <ff-payload .value=${at(this.json, 'payload')}></ff-payload>`
    }
  }

  #tab = (event: CustomEvent<string>): void => {
    event.preventDefault()
    const query = withQuery(this.query, { tab: event.detail === 'details' ? null : event.detail })
    navigate(this.#place(this.activity, query), { replace: true })
  }

  #place(id: string, query: URLSearchParams): string {
    const search = query.toString()
    return href('activity', id ? [id] : []) + (search && `?${search}`)
  }

  #hrefOf = (id: string): string => this.#place(id, this.query)

  #only = (field: Field, value: string): string => this.#place('', withQuery(this.query, { [field]: value, tab: null }))

  async #copy(what: string): Promise<void> {
    const { found, json } = this
    if (!found || !json) return
    const texts: Record<string, string> = {
      link: permanentLink(found.event_id),
      json: printJSON(json),
      sql: sqlOf(found),
      id: found.event_id,
      curl: curlOf(this.source.client.url, `/activities/${found.event_id}`),
    }
    try {
      await navigator.clipboard.writeText(texts[what] ?? '')
      app().toast({ text: `Copied: ${copies.find((c) => c.id === what)?.label ?? what}` })
    } catch (error) {
      app().failed('It could not be copied', error)
    }
  }

  override focus(): void {
    this.drawer.focus()
  }
}
