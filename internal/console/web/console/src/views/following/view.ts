import { unwrap } from '@fanfare/client'
import { define, styled } from '@fanfare/elements/base'
import { Debounce } from '@fanfare/elements/debounce'
import { FollowStore } from '@fanfare/elements/following/store'
import { FolderTree, Search } from '@fanfare/elements/icons'
import type { Input } from '@fanfare/elements/input'
import { html, nothing } from 'lit'
import { state } from 'lit/decorators.js'
import { app } from '../../app.ts'
import { href, navigate } from '../../router.ts'
import { View, viewStyles } from '../../view.ts'
import type { BulkAction } from './bulk.ts'
import { Changes } from './changes.ts'
import { fieldsOf } from './fields.ts'
import { Followings, pathOf, placed } from './followed.ts'
import { hiddenSection } from './hidden.ts'
import type { ResourceTree } from './resource_tree.ts'
import { ResourceSearch } from './search.ts'
import { nameOf, type Node, type Row, rowsOf } from './tree.ts'
import { TreeSource } from './tree_source.ts'
import { followingStyles } from './view_styles.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/drawer'
import '@fanfare/elements/empty'
import '@fanfare/elements/error'
import '@fanfare/elements/input'
import '@fanfare/elements/segmented'
import '@fanfare/elements/skeleton'
import './resource_tree.ts'
import './selection_bar.ts'

const modes = [
  { value: 'tree', label: 'All resources' },
  { value: 'list', label: 'What I follow' },
]

/** What the caller follows, and how much each resource notifies: the tree, a search, and a flat list. */
@define('ff-following-view')
export class FollowingView extends View {
  static override styles = styled(viewStyles, followingStyles)

  @state() private marked = new Map<string, string>()
  @state() private error: unknown
  @state() private detail: Node | undefined
  @state() private detailError: unknown
  #store = FollowStore.of(app().client)
  #source = new TreeSource(app().client, () => this.requestUpdate())
  #followings = new Followings(app().client)
  #search = new ResourceSearch(app().client, this.#followings, () => this.requestUpdate())
  #changes = new Changes(this.#store, () => this.requestUpdate())
  #stop: (() => void) | undefined
  #typing = new Debounce()
  #leave: (() => void) | undefined

  protected override shortcuts() {
    return [
      { keys: '/', label: 'Search', run: () => this.renderRoot.querySelector<Input>('ff-input')?.focus() },
      { keys: 'z', label: 'Undo the last change', run: () => this.#changes.undo() },
    ]
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#stop = this.#store.subscribe(() => this.#changed())
    document.addEventListener('visibilitychange', this.#seen)
    window.addEventListener('online', this.#retry)
    this.#leave = app().realtime.listen({ joined: this.#retry })
    void this.#store.refresh()
    void this.#source.load()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stop?.()
    this.#leave?.()
    this.#search.stop()
    this.#typing.cancel()
    document.removeEventListener('visibilitychange', this.#seen)
    window.removeEventListener('online', this.#retry)
  }

  #seen = (): void => {
    if (document.visibilityState === 'visible') void this.#store.refresh()
  }

  #changed(): void {
    this.requestUpdate()
    if (this.#mode === 'list') void this.#list()
  }

  get #mode(): string {
    return this.query.get('show') === 'list' ? 'list' : 'tree'
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has('query') && !changed.has('path')) return
    const q = this.query.get('q') ?? ''
    if (q !== this.#search.asked) void this.#search.find(q)
    if (this.#mode === 'list' && !this.#followings.list) void this.#list()
    const id = this.path[0] ?? ''
    if (id !== (this.detail?.resource.resource_id ?? '')) void this.#details(id)
  }

  protected override render(): unknown {
    const q = this.query.get('q') ?? ''
    return html`${this.renderHeader('Following')}
      <div class="tools"><ff-segmented label="Show" hide-label .options=${modes} .value=${this.#mode}
          @change=${(e: CustomEvent<string>) => {
            this.error = undefined
            this.setQuery({ show: e.detail === 'list' ? 'list' : null, q: null })
          }}></ff-segmented>${
            this.#mode === 'tree'
              ? html`<ff-input type="search" label="Search by name" hide-label placeholder="Search by name"
                .icon=${Search}
                  clearable .value=${q} @input=${this.#write}></ff-input>`
              : nothing
          }${
            this.#search.found?.complete === false
              ? html`<p class="note">Only the nearest 20,000 resources were searched. Open one, and look there.</p>`
              : nothing
          }</div>
      <div class="columns"><div class="main">${this.#main(q)}
        <ff-selection-bar .count=${this.marked.size} .done=${this.#changes.done} .failures=${this.#changes.failures}
          @action=${this.#bulk} @clear=${this.#clear} @dismiss=${() => this.#changes.dismiss()}
          ></ff-selection-bar></div>${this.#drawer()}</div>`
  }

  #main(q: string): unknown {
    const { phase, error } = this.#store
    const { roots } = this.#source
    const failed =
      this.error ??
      this.#search.error ??
      (phase === 'failed' ? error : this.#mode === 'tree' && !roots ? this.#source.error : undefined)
    if (failed) {
      return html`<ff-error heading="What you follow could not be loaded" .error=${failed}
        @retry=${this.#retry}></ff-error>`
    }
    if (phase !== 'ready') return html`<ff-skeleton count="10" label="Loading what you follow"></ff-skeleton>`
    if (this.#mode === 'list') return this.#followedList()
    return q ? this.#results() : this.#tree()
  }

  #tree(): unknown {
    const { roots, cursor, error } = this.#source
    if (!roots) return html`<ff-skeleton count="10" label="Loading the resources"></ff-skeleton>`
    if (roots.length === 0) {
      return html`<ff-empty .icon=${FolderTree} heading="There is nothing to follow yet">Resources are listed here
        as soon as you own one, or hold a role on one. Ask its owner for a role.</ff-empty>`
    }
    return html`${this.#rows('Resources', rowsOf(roots))}${
      error
        ? html`<ff-error compact heading="More could not be loaded" .error=${error} @retry=${this.#retry}></ff-error>`
        : cursor === null
          ? nothing
          : html`<div class="more"><ff-button @click=${() => void this.#source.load()}>Show more</ff-button></div>`
    }`
  }

  #results(): unknown {
    const { found } = this.#search
    if (!found) return html`<ff-skeleton count="6" label="Searching"></ff-skeleton>`
    if (found.items.length === 0) {
      return html`<ff-empty .icon=${Search} heading="No resource is named so">The search looks at the names of
        what you may see.<ff-button slot="actions"
          @click=${() => this.setQuery({ q: null })}>Clear the search</ff-button></ff-empty>`
    }
    return html`${this.#rows('Resources found', found.items.map(asRow), pathOf)}${
      found.cursor === null
        ? nothing
        : html`<div class="more"><ff-button @click=${() => void this.#search.find(found.q, true)}>Show
          more</ff-button></div>`
    }`
  }

  #followedList(): unknown {
    const { list } = this.#followings
    if (!list) return html`<ff-skeleton count="6" label="Loading what you follow"></ff-skeleton>`
    const rows = list.flatMap((f) => f.node ?? []).map(asRow)
    const own = (id: string): unknown => this.#store.own(id) ?? this.#store.ownLevel(id)
    const hidden = list.filter(({ id, node }) => !node && own(id)).map(({ id }) => id)
    if (rows.length + hidden.length === 0) {
      return html`<ff-empty .icon=${FolderTree} heading="You follow nothing yet">What you own or manage notifies you
        without it.<ff-button slot="actions"
          @click=${() => this.setQuery({ show: null })}>Show all resources</ff-button></ff-empty>`
    }
    const left = this.#followings.left(this.#store)
    return html`${rows.length > 0 ? this.#rows('What I follow', rows, (n) => pathOf(n) || ' ') : nothing}${
      left > 0
        ? html`<div class="more"><ff-button @click=${() => void this.#list(true)}>Show ${left} more</ff-button></div>`
        : nothing
    }${hidden.length > 0 ? hiddenSection(hidden, (id) => void this.#changes.unfollow(id)) : nothing}`
  }

  #rows(label: string, rows: readonly Row[], path?: (node: Node) => string): unknown {
    return html`<ff-resource-tree label=${label} .client=${app().client} .rows=${rows} .pathOf=${path}
      .marked=${new Set(this.marked.keys())} current=${this.path[0] ?? ''} @toggle=${this.#toggle}
      @more=${(e: CustomEvent<Node>) => void this.#source.more(e.detail)} @mark=${this.#mark}
      @details=${(e: CustomEvent<Node>) => navigate(this.#place(e.detail.resource.resource_id))}
      @done=${this.#changes.did} @failed=${this.#changes.failed}></ff-resource-tree>`
  }

  #drawer(): unknown {
    const node = this.detail
    const id = this.path[0]
    return html`<ff-drawer heading=${node ? nameOf(node.resource) : 'Resource'} ?open=${id !== undefined}
      @close=${this.#close}>${
        this.detailError
          ? html`<ff-error .error=${this.detailError} @retry=${() => void this.#details(id ?? '')}></ff-error>`
          : node
            ? fieldsOf(node, app().client, this.#store, this.#changes)
            : html`<ff-skeleton kind="text"></ff-skeleton>`
      }</ff-drawer>`
  }

  #place(id?: string): string {
    return href('following', id ? [id] : [], { show: this.query.get('show'), q: this.query.get('q') })
  }

  #close = (): void => {
    const id = this.path[0]
    navigate(this.#place())
    const tree = this.renderRoot.querySelector<ResourceTree>('ff-resource-tree')
    const at = tree?.rows.findIndex((r) => r.kind === 'node' && r.node.resource.resource_id === id) ?? -1
    if (at >= 0) tree?.focusRow(at)
  }

  #toggle = (event: CustomEvent<Node>): void => {
    const node = event.detail
    if (node.open) this.#source.close(node)
    else void this.#source.open(node)
  }

  #mark = ({ detail: node }: CustomEvent<Node>): void => {
    const { resource_id: id } = node.resource
    const marked = new Map(this.marked)
    if (!marked.delete(id)) marked.set(id, nameOf(node.resource))
    this.marked = marked
  }

  #bulk = async ({ detail }: CustomEvent<BulkAction>): Promise<void> => {
    this.marked = await this.#changes.bulk(this.marked, detail)
  }

  #clear = (): void => {
    this.marked = new Map()
  }

  #write = (event: Event): void => {
    const q = (event.currentTarget as Input).value
    this.#typing.after(200, () => this.setQuery({ q: q.trim() }, { replace: true }))
  }

  async #list(more = false): Promise<void> {
    if (this.#store.phase !== 'ready') return
    try {
      await this.#followings.load(this.#store, more)
      this.requestUpdate()
    } catch (error) {
      this.error = error
    }
  }

  async #details(id: string): Promise<void> {
    this.detail = undefined
    this.detailError = undefined
    if (!id) return
    try {
      const { ancestors, ...resource } = await unwrap(app().client.GET('/resources/{id}', { params: { path: { id } } }))
      if (this.path[0] !== id) return
      this.detail = placed(resource, ancestors)
      this.name(nameOf(resource))
    } catch (error) {
      if (this.path[0] === id) this.detailError = error
    }
  }

  #retry = (): void => {
    const failed = this.error ?? this.#search.error
    this.error = undefined
    this.requestUpdate()
    void this.#store.refresh()
    this.#source.retry()
    if (failed && this.#search.asked) void this.#search.find(this.#search.asked)
    else if (this.#mode === 'list') void this.#list()
  }
}

function asRow(node: Node): Row {
  return { kind: 'node', node }
}
