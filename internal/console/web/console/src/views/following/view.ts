import { unwrap } from '@fanfare/client'
import { define, styled } from '@fanfare/elements/base'
import type { FollowDone } from '@fanfare/elements/following/follow'
import { FollowStore, type Undo } from '@fanfare/elements/following/store'
import { FolderTree, Search } from '@fanfare/elements/icons'
import type { Input } from '@fanfare/elements/input'
import { html, nothing } from 'lit'
import { state } from 'lit/decorators.js'
import { app } from '../../app.ts'
import { href, navigate } from '../../router.ts'
import { View, viewStyles } from '../../view.ts'
import { type BulkAction, type BulkFailure, runBulk } from './bulk.ts'
import { type Followed, Followings, pathOf, placed } from './followed.ts'
import { type ResourceTree, targetOf } from './resource_tree.ts'
import { nameOf, type Node, nodeOf, type Resource, type Row, rowsOf } from './tree.ts'
import { readPage, TreeSource } from './tree_source.ts'
import { followingStyles } from './view_styles.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/drawer'
import '@fanfare/elements/empty'
import '@fanfare/elements/error'
import '@fanfare/elements/following/follow'
import '@fanfare/elements/input'
import '@fanfare/elements/segmented'
import '@fanfare/elements/skeleton'
import './resource_tree.ts'
import './selection_bar.ts'
import './watchers.ts'

const pageSize = 100

const modes = [
  { value: 'tree', label: 'All resources' },
  { value: 'list', label: 'What I follow' },
]

/** What the caller follows, and how much each resource notifies: the tree, a search, and a flat list. */
@define('ff-following-view')
export class FollowingView extends View {
  static override styles = styled(viewStyles, followingStyles)

  @state() private marked = new Map<string, string>()
  @state() private found: { q: string; items: Node[]; cursor: string | null; complete: boolean } | undefined
  @state() private followed: Followed[] | undefined
  @state() private shown = pageSize
  @state() private error: unknown
  @state() private detail: Node | undefined
  @state() private detailError: unknown
  @state() private done: number | undefined
  @state() private failures: (BulkFailure & { name: string })[] = []
  #store = FollowStore.of(app().client)
  #source = new TreeSource(app().client, () => this.requestUpdate())
  #followings = new Followings(app().client)
  #stop: (() => void) | undefined
  #search: AbortController | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #undo: Undo | undefined

  protected override shortcuts() {
    return [
      { keys: '/', label: 'Search', run: () => this.renderRoot.querySelector<Input>('ff-input')?.focus() },
      { keys: 'z', label: 'Undo the last change', run: () => void this.#undo?.() },
    ]
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#stop = this.#store.subscribe(() => this.#changed())
    document.addEventListener('visibilitychange', this.#seen)
    void this.#store.refresh()
    void this.#source.load()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stop?.()
    this.#search?.abort()
    clearTimeout(this.#timer)
    document.removeEventListener('visibilitychange', this.#seen)
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
    if (q !== (this.found?.q ?? '')) void this.#find(q)
    if (this.#mode === 'list' && !this.followed) void this.#list()
    const id = this.path[0] ?? ''
    if (id !== (this.detail?.resource.resource_id ?? '')) void this.#details(id)
  }

  protected override render(): unknown {
    const q = this.query.get('q') ?? ''
    return html`${this.renderHeader('Following')}
      <div class="tools"><ff-segmented label="Show" hide-label .options=${modes} .value=${this.#mode}
          @change=${(e: CustomEvent<string>) => this.setQuery({ show: e.detail === 'list' ? 'list' : null, q: null })}
          ></ff-segmented>${
            this.#mode === 'tree'
              ? html`<ff-input type="search" label="Search by name" hide-label placeholder="Search by name"
                .icon=${Search}
                  clearable .value=${q} @input=${this.#write}></ff-input>`
              : nothing
          }${
            this.found && !this.found.complete
              ? html`<p class="note">Only the nearest 20,000 resources were searched. Open one, and look there.</p>`
              : nothing
          }</div>
      <div class="columns"><div class="main">${this.#main(q)}
        <ff-selection-bar .count=${this.marked.size} .done=${this.done} .failures=${this.failures}
          @action=${(e: CustomEvent<BulkAction>) => void this.#bulk(e.detail)} @clear=${this.#clear}
          @dismiss=${() => (this.failures = [])}></ff-selection-bar></div>${this.#drawer()}</div>`
  }

  #main(q: string): unknown {
    const { phase, error } = this.#store
    const failed = this.error ?? (phase === 'failed' ? error : this.#mode === 'tree' ? this.#source.error : undefined)
    if (failed) {
      return html`<ff-error heading="What you follow could not be loaded" .error=${failed}
        @retry=${this.#retry}></ff-error>`
    }
    if (phase !== 'ready') return html`<ff-skeleton count="10" label="Loading what you follow"></ff-skeleton>`
    if (this.#mode === 'list') return this.#followedList()
    return q ? this.#results() : this.#tree()
  }

  #tree(): unknown {
    const { roots, cursor } = this.#source
    if (!roots) return html`<ff-skeleton count="10" label="Loading the resources"></ff-skeleton>`
    if (roots.length === 0) {
      return html`<ff-empty .icon=${FolderTree} heading="There is nothing to follow yet">Resources are listed here
        as soon as you own one, or hold a role on one. Ask its owner for a role.</ff-empty>`
    }
    return html`${this.#rows('Resources', rowsOf(roots))}${
      cursor === null
        ? nothing
        : html`<div class="more"><ff-button @click=${() => void this.#source.load()}>Show more</ff-button></div>`
    }`
  }

  #results(): unknown {
    const { found } = this
    if (!found) return html`<ff-skeleton count="6" label="Searching"></ff-skeleton>`
    if (found.items.length === 0) {
      return html`<ff-empty .icon=${Search} heading="No resource is named so">The search looks at the names of
        what you may see.<ff-button slot="actions"
          @click=${() => this.setQuery({ q: null })}>Clear the search</ff-button></ff-empty>`
    }
    return html`${this.#rows('Resources found', found.items.map(asRow), pathOf)}${
      found.cursor === null
        ? nothing
        : html`<div class="more"><ff-button @click=${() => void this.#find(found.q, true)}>Show more</ff-button></div>`
    }`
  }

  #followedList(): unknown {
    const { followed } = this
    if (!followed) return html`<ff-skeleton count="6" label="Loading what you follow"></ff-skeleton>`
    const rows = followed.flatMap((f) => f.node ?? []).map(asRow)
    const hidden = followed.filter((f) => !f.node)
    if (followed.length === 0) {
      return html`<ff-empty .icon=${FolderTree} heading="You follow nothing yet">What you own or manage notifies you
        without it.<ff-button slot="actions"
          @click=${() => this.setQuery({ show: null })}>Show all resources</ff-button></ff-empty>`
    }
    const left = Followings.ids(this.#store).length - this.shown
    return html`${rows.length > 0 ? this.#rows('What I follow', rows, (n) => pathOf(n) || ' ') : nothing}${
      left > 0
        ? html`<div class="more"><ff-button @click=${this.#more}>Show ${Math.min(left, pageSize)}
          more</ff-button></div>`
        : nothing
    }${hidden.length > 0 ? this.#hidden(hidden) : nothing}`
  }

  #hidden(list: Followed[]): unknown {
    return html`<section class="hidden"><h2>No longer visible to you</h2>
      <p>They were removed, or your role on them has ended. They notify you of nothing; with a
        new role, they do again.</p>
      <ul>${list.map(
        ({ id }) => html`<li><code>${id}</code><ff-button size="sm" label=${`Unfollow ${id}`}
          @click=${() => void this.#unfollow(id)}>Unfollow</ff-button></li>`,
      )}</ul></section>`
  }

  #rows(label: string, rows: readonly Row[], path?: (node: Node) => string): unknown {
    return html`<ff-resource-tree label=${label} .client=${app().client} .rows=${rows} .pathOf=${path}
      .marked=${new Set(this.marked.keys())} current=${this.path[0] ?? ''} @toggle=${this.#toggle}
      @more=${(e: CustomEvent<Node>) => void this.#source.more(e.detail)} @mark=${this.#mark}
      @details=${(e: CustomEvent<Node>) => navigate(this.#place(e.detail.resource.resource_id))}
      @done=${this.#did} @failed=${this.#failed}></ff-resource-tree>`
  }

  #drawer(): unknown {
    const node = this.detail
    const id = this.path[0]
    return html`<ff-drawer heading=${node ? nameOf(node.resource) : 'Resource'} ?open=${id !== undefined}
      @close=${this.#close}>${
        this.detailError
          ? html`<ff-error .error=${this.detailError} @retry=${() => void this.#details(id ?? '')}></ff-error>`
          : node
            ? this.#fields(node)
            : html`<ff-skeleton kind="text"></ff-skeleton>`
      }</ff-drawer>`
  }

  #fields(node: Node): unknown {
    const { client } = app()
    const { resource } = node
    const roles = [...(resource.owner ? ['owner'] : []), ...resource.roles]
    return html`<div class="detail"><dl><dt>Type</dt><dd>${resource.type}</dd>
        ${node.parent ? html`<dt>In</dt><dd><bdi>${pathOf(node)}</bdi></dd>` : nothing}
        ${roles.length > 0 ? html`<dt>Your roles</dt><dd>${[...new Set(roles)].join(', ')}</dd>` : nothing}
        <dt>Following</dt><dd><ff-follow show="follow" size="sm" .client=${client} .target=${targetOf(node)}
          @done=${this.#did} @failed=${this.#failed}></ff-follow></dd>
        <dt>Notifies of</dt><dd><ff-follow show="level" size="sm" .client=${client} .target=${targetOf(node)}
          @done=${this.#did} @failed=${this.#failed}></ff-follow></dd></dl>
      <ff-watchers .client=${client} resource-id=${resource.resource_id}></ff-watchers>
      <ff-button href=${href('activity', [], { resource: resource.resource_id })}>Show its activities</ff-button></div>`
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

  #clear = (): void => {
    this.marked = new Map()
  }

  #write = (event: Event): void => {
    const q = (event.currentTarget as Input).value
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.setQuery({ q: q.trim() }, { replace: true }), 200)
  }

  async #find(q: string, more = false): Promise<void> {
    this.#search?.abort()
    const before = more ? this.found : undefined
    if (!more) this.found = undefined
    this.error = undefined
    if (!q) return
    const search = new AbortController()
    this.#search = search
    try {
      const page = await readPage(app().client, { q }, before?.cursor ?? null, search.signal)
      const items = await Promise.all(page.items.map((r) => this.#nodeOf(r, page.items.length <= 50)))
      if (search.signal.aborted) return
      this.found = { q, items: [...(before?.items ?? []), ...items], cursor: page.cursor, complete: page.complete }
    } catch (error) {
      if (!search.signal.aborted) this.error = error
    }
  }

  /** nodeOf returns a found resource below its ancestors, which are asked for if there are few. */
  async #nodeOf(resource: Resource, few: boolean): Promise<Node> {
    const [known] = few ? await this.#followings.read([resource.resource_id]) : []
    return known?.node ?? nodeOf(resource)
  }

  async #list(): Promise<void> {
    if (this.#store.phase !== 'ready') return
    const ids = Followings.ids(this.#store).slice(0, this.shown)
    try {
      const followed = await this.#followings.read(ids)
      // What was followed when the list was shown stays in it, so that a row does not vanish under the pointer.
      const kept = (this.followed ?? []).filter((f) => f.node && !ids.includes(f.id)).map((f) => f.id)
      this.followed = kept.length > 0 ? this.#followings.of([...ids, ...kept]) : followed
    } catch (error) {
      this.error = error
    }
  }

  #more = (): void => {
    this.shown += pageSize
    void this.#list()
  }

  async #details(id: string): Promise<void> {
    this.detail = undefined
    this.detailError = undefined
    if (!id) return
    try {
      const { ancestors, ...resource } = await unwrap(app().client.GET('/resources/{id}', { params: { path: { id } } }))
      if (this.path[0] === id) this.detail = placed(resource, ancestors)
    } catch (error) {
      if (this.path[0] === id) this.detailError = error
    }
  }

  #retry = (): void => {
    this.error = undefined
    void this.#store.load()
    if (!this.#source.roots) void this.#source.load()
    if (this.query.get('q')) void this.#find(this.query.get('q') ?? '')
    else if (this.#mode === 'list') void this.#list()
  }

  async #unfollow(id: string): Promise<void> {
    const name = 'A resource that you no longer see'
    try {
      const undo = await this.#store.follow(id, undefined)
      if (this.#store.ownLevel(id)) await this.#store.setLevel(id, undefined)
      this.#tell('You no longer follow it.', this.#store.own(id) === undefined ? undefined : undo)
    } catch (error) {
      app().failed(`${name} could not be unfollowed`, error)
    }
  }

  async #bulk(action: BulkAction): Promise<void> {
    const names = this.marked
    this.done = 0
    this.failures = []
    try {
      const result = await runBulk(this.#store, [...names.keys()], action, (done) => (this.done = done))
      this.failures = result.failed.map((f) => ({ ...f, name: names.get(f.id) ?? f.id }))
      this.marked = new Map(result.failed.map((f) => [f.id, names.get(f.id) ?? f.id]))
      if (result.done.length > 0) {
        this.#tell(`${result.done.length} changed.`, () =>
          result.undo().catch((error: unknown) => app().failed('Not everything was undone', error)),
        )
      }
    } finally {
      this.done = undefined
    }
  }

  #tell(text: string, undo?: Undo): void {
    this.#undo =
      undo &&
      (async () => {
        this.#undo = undefined
        await undo()
      })
    const action = undo ? { action: { label: 'Undo', run: () => this.#undo?.() } } : {}
    app().toast({ text, tone: 'success', ...action })
  }

  #did = ({ detail }: CustomEvent<FollowDone>): void => this.#tell(detail.text, detail.undo)

  #failed = (event: CustomEvent<{ text: string; error: unknown }>): void => {
    event.preventDefault()
    app().failed(event.detail.text.replace(/\.$/, ''), event.detail.error)
  }
}

function asRow(node: Node): Row {
  return { kind: 'node', node }
}
