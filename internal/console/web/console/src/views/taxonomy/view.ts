import { unwrap } from '@fanfare/client'
import { define, styled } from '@fanfare/elements/base'
import { Search, Tags } from '@fanfare/elements/icons'
import { css, html, nothing } from 'lit'
import { state } from 'lit/decorators.js'
import { app } from '../../app.ts'
import { href, navigate } from '../../router.ts'
import { View, viewStyles } from '../../view.ts'
import { type Action, enforcements, search, whom } from './groups.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/chip'
import '@fanfare/elements/drawer'
import '@fanfare/elements/empty'
import '@fanfare/elements/error'
import '@fanfare/elements/input'
import '@fanfare/elements/severity'
import '@fanfare/elements/skeleton'

type Taxonomy = { actions: Action[]; enforcement: keyof typeof enforcements; secret_keys: string[] }

/** The registered actions, with their texts, schemas and defaults. */
@define('ff-taxonomy-view')
export class TaxonomyView extends View {
  static override styles = styled(
    viewStyles,
    css`
      .columns { position: relative; display: flex; flex: 1; min-height: 0; }
      .list { flex: 1; min-width: 0; overflow: auto; padding: var(--ff-space-4) var(--ff-space-6) var(--ff-space-8); }
      .intro { margin-block-end: var(--ff-space-4); color: var(--ff-text-2); }
      h2 {
        margin: var(--ff-space-6) var(--ff-space-2) var(--ff-space-2); color: var(--ff-text-2);
        font-size: var(--ff-size-meta); font-weight: var(--ff-weight-bold);
      }
      li { border-block-start: 1px solid var(--ff-border); }
      li:last-child { border-block-end: 1px solid var(--ff-border); }
      li a, .head {
        display: grid; grid-template-columns: minmax(180px, 34%) 1fr auto; gap: var(--ff-space-1) var(--ff-space-4);
        align-items: center; min-height: 40px; padding: var(--ff-space-2); color: inherit; border-radius: 0;
      }
      .head { min-height: 0; color: var(--ff-text-3); font-size: var(--ff-size-sm); }
      .head + h2 { margin-block-start: 0; }
      li a:hover { background: var(--ff-hover); text-decoration: none; }
      li a[aria-current] { background: var(--ff-selected); }
      code, pre { font-family: var(--ff-font-mono); font-size: var(--ff-size-meta); overflow-wrap: anywhere; }
      .what { color: var(--ff-text-2); }
      .name { display: flex; flex-wrap: wrap; align-items: center; gap: var(--ff-space-1); min-width: 0; }
      dl { display: grid; grid-template-columns: 128px 1fr; gap: var(--ff-space-2) var(--ff-space-3); }
      dt { color: var(--ff-text-3); }
      dd { min-width: 0; overflow-wrap: anywhere; }
      h3 { margin-block-end: var(--ff-space-1); font-size: var(--ff-size-meta); font-weight: var(--ff-weight-bold); }
      .detail { display: grid; gap: var(--ff-space-4); padding: var(--ff-space-4); }
      pre {
        max-height: 360px; overflow: auto; padding: var(--ff-space-3); border-radius: var(--ff-radius);
        background: var(--ff-sunken); white-space: pre-wrap;
      }
      ff-drawer { --ff-drawer-width: 440px; }
      @media (max-width: 640px) {
        .list { padding-inline: var(--ff-space-4); }
        li a { grid-template-columns: 1fr auto; }
        .what { grid-column: 1 / -1; grid-row: 2; }
        .head { display: none; }
      }
    `,
  )

  @state() private taxonomy: Taxonomy | undefined
  @state() private error: unknown

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#load()
  }

  async #load(): Promise<void> {
    this.error = undefined
    try {
      this.taxonomy = await unwrap(app().client.GET('/taxonomy'))
    } catch (error) {
      this.error = error
    }
  }

  protected override render(): unknown {
    const open = this.taxonomy?.actions.find((a) => a.name === this.path[0])
    return html`${this.renderHeader(
      'Taxonomy',
      html`<ff-input type="search" label="Search actions" hide-label placeholder="Search actions" clearable
        .icon=${Search} .value=${this.query.get('q') ?? ''}
        @change=${(e: CustomEvent<string>) => this.setQuery({ q: e.detail }, { replace: true })}></ff-input>`,
    )}
      <div class="columns"><div class="list">${this.#list()}</div>${this.#detail(open)}</div>`
  }

  #list(): unknown {
    const { taxonomy, error } = this
    if (error) {
      return html`<ff-error heading="The taxonomy could not be loaded" .error=${error}
        @retry=${() => void this.#load()}></ff-error>`
    }
    if (!taxonomy) return html`<ff-skeleton count="8" label="Loading the taxonomy"></ff-skeleton>`
    const groups = search(taxonomy.actions, this.query.get('q') ?? '')
    if (groups.length === 0) {
      return html`<ff-empty .icon=${Tags} heading="No action matches">The search looks at names, descriptions,
        categories and severities.<ff-button slot="actions" @click=${() => this.setQuery({ q: null })}>Clear the
        search</ff-button></ff-empty>`
    }
    return html`<p class="intro"><ff-chip tone=${taxonomy.enforcement === 'strict' ? 'success' : 'warning'}>Enforcement:
          ${taxonomy.enforcement}</ff-chip> ${enforcements[taxonomy.enforcement]} <code>fanfare taxonomy enforce</code>
        changes that, <code>fanfare taxonomy apply</code> the actions.</p>
      <div class="head" aria-hidden="true"><span>Action</span><span>Description</span><span>Severity</span></div>
      ${groups.map(
        ({ resource, actions }) => html`<h2>${resource}</h2><ul>${actions.map((action) => this.#row(action))}</ul>`,
      )}`
  }

  #row(action: Action): unknown {
    const current = action.name === this.path[0]
    return html`<li><a href=${this.#place(action.name)} aria-current=${current ? 'true' : nothing}>
      <span class="name"><code>${action.name}</code>${action.own ? html`<ff-chip>built-in</ff-chip>` : nothing}${
        action.notify === 'mandatory' ? html`<ff-chip tone="accent">mandatory</ff-chip>` : nothing
      }</span><span class="what">${action.description}</span>
      <ff-severity level=${action.severity} text></ff-severity></a></li>`
  }

  #place(name?: string): string {
    return href('taxonomy', name ? [name] : [], { q: this.query.get('q') })
  }

  #detail(action: Action | undefined): unknown {
    return html`<ff-drawer heading=${action?.name ?? ''} ?open=${action !== undefined}
      @close=${() => navigate(this.#place())}>${action ? this.#fields(action) : nothing}</ff-drawer>`
  }

  #fields(action: Action): unknown {
    const text = (name: string, value: unknown): unknown =>
      value === undefined || value === '' ? nothing : html`<dt>${name}</dt><dd>${value}</dd>`
    return html`<div class="detail"><p>${action.description}</p><p>${whom(action.notify)}</p>
      <dl>${text('Severity', html`<ff-severity level=${action.severity} text></ff-severity>`)}
        ${text('Category', action.category)}${text('Visibility', action.visibility)}${text('Title', action.title)}
        ${text('Summary', action.summary)}${text('Icon', action.icon)}
        ${text('Stored keys', action.keep?.join(', '))}${text('Required keys', action.required?.join(', '))}
        ${text('Payload up to', action.max_payload_bytes && `${action.max_payload_bytes.toLocaleString()} bytes`)}</dl>
      ${
        action.payload
          ? html`<div><h3>Schema of the payload</h3>
        <pre tabindex="0">${JSON.stringify(action.payload, null, 2)}</pre></div>`
          : nothing
      }
      <ff-button href=${href('activity', [], { action: action.name })}>Show its activities</ff-button></div>`
  }
}
