import { type Client, ProblemError, unwrap } from '@fanfare/client'
import { css, html, nothing } from 'lit'
import { property, query, state } from 'lit/decorators.js'
import { BellOff, Bell, Check, ChevronDown, Plus, SlidersHorizontal } from 'lucide'
import { BaseElement, define, emit, styled, textStyles } from '../base.ts'
import { buttonStyles } from '../button.ts'
import { icon, type Icon } from '../icon.ts'
import type { Menu } from '../menu.ts'
import { chosenLevel, followItems, idsAbove, levelItems, nameIn } from './choices.ts'
import { FollowStore, type LevelChange, type Scope, type Undo } from './store.ts'
import { type FollowTarget, type FollowTexts, followTexts, levelText } from './texts.ts'
import '../menu.ts'

/** What has been changed, of a `done` event. */
export interface FollowDone {
  text: string
  undo: Undo
}

/**
 * Follows a resource and sets its level: a button for each, with a menu. Give it `target`, or `resource-id`, of which
 * it reads the name. Fires `done` (FollowDone) and `failed` ({text, error}); where `failed` is not prevented, the
 * element shows it itself.
 */
@define('ff-follow')
export class Follow extends BaseElement {
  static override shadowRootOptions = { ...BaseElement.shadowRootOptions, delegatesFocus: true }
  static override styles = styled(
    textStyles,
    buttonStyles,
    css`
    :host { display: inline-flex; flex-wrap: wrap; gap: var(--ff-space-1); min-width: 0; max-width: 100%; }
    ff-menu { min-width: 0; max-width: 100%; }
    .button { max-width: 100%; min-width: 0; }
    .text { overflow: hidden; text-overflow: ellipsis; }
    .button svg { color: var(--ff-text-3); }
    .set { color: var(--ff-text); }
    .set svg:first-child { color: var(--ff-accent); }
    .inherited { color: var(--ff-text-2); font-weight: var(--ff-weight); }
    .unset { color: var(--ff-text-3); font-weight: var(--ff-weight); }
    .from { color: var(--ff-text-3); font-weight: var(--ff-weight); }
    :host([plain]) .button { border-color: transparent; background: none; justify-content: flex-start; }
    :host([plain]) .button:hover:enabled { background: var(--ff-active); }
    .problem { flex-basis: 100%; font-size: var(--ff-size-sm); color: var(--ff-error); overflow-wrap: anywhere; }
  `,
  )

  @property({ attribute: false }) client: Client | undefined
  @property({ attribute: false }) target: FollowTarget | undefined
  @property({ attribute: 'resource-id' }) resourceId = ''
  @property({ attribute: false }) texts: FollowTexts = followTexts
  /** Which of the two buttons are shown. */
  @property() show: 'both' | 'follow' | 'level' = 'both'
  @property() size: 'sm' | 'md' = 'md'
  /** Shows no borders, for a table. */
  @property({ type: Boolean, reflect: true }) plain = false
  /** The tabindex of the buttons. */
  @property({ type: Number }) tab = 0

  @state() private loaded: FollowTarget | undefined
  @state() private problem = ''
  @state() private patterns: LevelChange | undefined
  @query('ff-menu') private menu!: Menu | null
  #store: FollowStore | undefined
  #stop: (() => void) | undefined

  override connectedCallback(): void {
    super.connectedCallback()
    this.#follow()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stop?.()
    this.#store = undefined
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (changed.has('client')) this.#follow()
    if ((changed.has('resourceId') || changed.has('client')) && this.resourceId && this.client) void this.#find()
    if (changed.has('target') || changed.has('resourceId')) this.problem = ''
  }

  #follow(): void {
    const store = this.client && this.isConnected ? FollowStore.of(this.client) : undefined
    if (store === this.#store) return
    this.#stop?.()
    this.#store = store
    this.#stop = store?.subscribe(() => this.requestUpdate())
    if (store?.phase === 'idle') void store.load()
  }

  /** find reads the resource of resource-id. */
  async #find(): Promise<void> {
    const { client, resourceId: id } = this
    if (!client || this.loaded?.id === id) return
    this.loaded = undefined
    try {
      const found = await unwrap(client.GET('/resources/{id}', { params: { path: { id } } }))
      if (this.resourceId !== id) return
      this.loaded = {
        id,
        name: found.name || found.type,
        hasChildren: found.has_children,
        ancestors: found.ancestors.map((a) => ({ id: a.resource_id, name: a.name || a.type })),
      }
    } catch (error) {
      if (this.resourceId === id) this.#failed(this.texts.unknown, error)
    }
  }

  /** open shows the menu of the first button. */
  open(): void {
    this.menu?.show()
  }

  protected override render(): unknown {
    const store = this.#store
    const target = this.target ?? this.loaded
    const { texts, show } = this
    const notice = this.problem ? html`<span class="problem" role="alert">${this.problem}</span>` : nothing
    if (!store || !target || store.phase !== 'ready') {
      if (store?.phase === 'failed') {
        return html`<button type="button" part="button" class="button default ${this.size}" tabindex=${this.tab}
          @click=${() => void store.load()}>${texts.failedLoad}</button>`
      }
      return html`${
        this.problem
          ? nothing
          : html`<button type="button" part="button" class="button default ${this.size} busy" disabled
              aria-label=${texts.loading}>${texts.follow}</button>`
      }${notice}`
    }
    return html`${show === 'level' ? nothing : this.#followButton(store, target)}
      ${show === 'follow' ? nothing : this.#levelButton(store, target)}${notice}
      ${this.patterns ? this.#dialog(target, this.patterns) : nothing}`
  }

  #followButton(store: FollowStore, target: FollowTarget): unknown {
    const { texts } = this
    const held = store.follows(target.id, idsAbove(target))
    const own = held?.from === target.id && !held.group
    const text = !held
      ? texts.follow
      : held.group
        ? texts.throughGroup(held.group)
        : own
          ? texts.following[held.value]
          : texts.through(nameIn(target, held.from, texts))
    return this.#button({
      icon: held ? Check : Plus,
      tone: own ? 'set' : held ? 'inherited' : this.plain ? 'unset' : '',
      text,
      label: texts.followLabel(target.name, text),
      part: 'follow',
      items: followItems(store, target, texts),
      target,
    })
  }

  #levelButton(store: FollowStore, target: FollowTarget): unknown {
    const { texts } = this
    const held = store.level(target.id, idsAbove(target))
    const own = held?.from === target.id
    const text = held ? levelText(held.value, texts) : texts.preferences.label
    const from = held && !own ? texts.from(nameIn(target, held.from, texts)) : ''
    return this.#button({
      icon: held?.value.level === 'ignore' ? BellOff : held?.value.level === 'custom' ? SlidersHorizontal : Bell,
      tone: own ? 'set' : held ? 'inherited' : 'unset',
      text,
      from,
      label: texts.levelLabel(target.name, from ? `${text} ${from}` : text),
      part: 'level',
      items: levelItems(store, target, texts),
      target,
    })
  }

  #button(b: {
    icon: Icon
    tone: string
    text: string
    from?: string
    label: string
    part: string
    items: ReturnType<typeof followItems>
    target: FollowTarget
  }): unknown {
    return html`<ff-menu .items=${b.items} label=${b.label}
        @select=${(e: CustomEvent<string>) => void this.#choose(b.target, e.detail)}>
      <button slot="trigger" type="button" part="button ${b.part}" tabindex=${this.tab} aria-label=${b.label}
        class="button default ${this.size} ${b.tone}">${icon(b.icon, 14)}<span class="text" part=${b.tone}>${b.text}${
          b.from ? html`<span class="from"> ${b.from}</span>` : nothing
        }</span>${icon(ChevronDown, 12)}</button></ff-menu>`
  }

  #dialog(target: FollowTarget, level: LevelChange): unknown {
    return html`<ff-level-dialog .client=${this.client} .texts=${this.texts} .name=${target.name}
      .patterns=${level.patterns} @close=${() => (this.patterns = undefined)}
      @save=${(e: CustomEvent<string[]>) => {
        this.patterns = undefined
        void this.#level(target, { ...level, patterns: e.detail })
      }}></ff-level-dialog>`
  }

  async #choose(target: FollowTarget, id: string): Promise<void> {
    const store = this.#store
    if (!store) return
    if (id.startsWith('follow-')) {
      const scope = id === 'follow-none' ? undefined : (id.slice('follow-'.length) as Scope)
      if (scope === store.own(target.id)) return
      const { done } = this.texts
      const text = scope ? done.follow(target.name, scope) : done.unfollow(target.name)
      return this.#run(target, text, () => store.follow(target.id, scope))
    }
    const level = chosenLevel(id, store, target)
    if (id === 'level-custom' && level) {
      await import('./level-dialog.ts')
      this.patterns = level
      return
    }
    return this.#level(target, level)
  }

  #level(target: FollowTarget, level: LevelChange | undefined): Promise<void> {
    const { done } = this.texts
    const text = level ? done.level(target.name, levelText(level, this.texts)) : done.noLevel(target.name)
    return this.#run(target, text, async () => (this.#store as FollowStore).setLevel(target.id, level))
  }

  async #run(target: FollowTarget, text: string, change: () => Promise<Undo>): Promise<void> {
    this.problem = ''
    try {
      const undo = await change()
      const detail: FollowDone = {
        text,
        undo: () => undo().catch((error: unknown) => this.#failed(target.name, error)),
      }
      emit(this, 'done', detail)
    } catch (error) {
      this.#failed(target.name, error)
    }
  }

  #failed(name: string, error: unknown): void {
    const { failed, missing } = this.texts
    const text = failed(name)
    if (!emit(this, 'failed', { text, error })) return
    const why =
      error instanceof ProblemError && error.status === 404 ? missing : error instanceof Error ? error.message : ''
    this.problem = `${text} ${why}`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-follow': Follow
  }
}
