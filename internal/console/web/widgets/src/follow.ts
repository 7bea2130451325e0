import { type Client, ProblemError, TokenError, unwrap } from '@fanfare/client'
import { css, html, nothing } from 'lit'
import { property, state } from 'lit/decorators.js'
import { Bell, BellOff, ChevronDown, Eye } from 'lucide'
import { define } from '@fanfare/elements/base'
import { icon } from '@fanfare/elements/icon'
import type { MenuItem } from '@fanfare/elements/menu'
import { Widget, widgetStyles } from './widget.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/menu'

/** How the caller follows a resource: by a subscription, and by a level, which decides if there is one. */
interface Following {
  subscription: string | undefined
  level: 'all' | 'custom' | 'participating' | 'ignore' | undefined
}

const choices = ['following', 'all', 'participating', 'ignore', 'none'] as const
type Choice = (typeof choices)[number]

/** A button that shows how the caller follows a resource, and a menu that changes it. Fires `fanfare-followed`. */
@define('fanfare-follow')
export class FanfareFollow extends Widget {
  static override styles = widgetStyles(css`
    :host { display: inline-flex; align-items: center; gap: var(--ff-space-2); }
    .problem { color: var(--ff-error); font-size: var(--ff-size-meta); }
  `)

  /** The id of the resource. */
  @property() resource = ''

  @state() private following: Following | undefined
  @state() private busy = false
  @state() private problem: string | undefined
  #loaded = ''
  #runs = 0

  protected override joined(): void {
    this.#loaded = ''
  }

  protected override back(): void {
    if (!this.busy) void this.#run()
  }

  protected override updated(): void {
    if (!this.shared || !this.resource || this.#loaded === this.resource) return
    this.#loaded = this.resource
    this.following = undefined
    void this.#run()
  }

  /** run makes a change, if there is one, and reads how the resource is followed. It reports whether it is changed. */
  async #run(change?: (client: Client) => Promise<void>): Promise<boolean> {
    const { shared, resource } = this
    if (!shared || !resource) return false
    const run = ++this.#runs
    let changing = change !== undefined
    this.busy = change !== undefined || !this.following
    try {
      await change?.(shared.client)
      changing = false
      const following = await read(shared.client, resource)
      if (run !== this.#runs) return false
      this.following = following
      this.problem = undefined
      return true
    } catch (error) {
      if (run !== this.#runs) return false
      if (change && !changing) this.following = undefined // it is not what it was
      const status = error instanceof ProblemError ? error.status : error instanceof TokenError ? 401 : 0
      const t = this.t.error
      const known: Record<number, string> = { 401: t.signedOut, 403: t.forbidden, 404: t.forbidden }
      this.problem = known[status] ?? (changing ? this.t.follow.failed : this.following ? undefined : t.failed)
      return !changing
    } finally {
      if (run === this.#runs) this.busy = false
    }
  }

  #choice(): keyof typeof this.t.follow.levels {
    const { level, subscription } = this.following ?? {}
    return level ?? (subscription ? 'following' : 'none')
  }

  protected override render(): unknown {
    const t = this.t.follow
    const { following } = this
    const choice = this.#choice()
    const label = choice === 'none' ? t.follow : choice === 'following' ? t.following : t.levels[choice].label
    const mark = choice === 'ignore' ? BellOff : choice === 'none' ? Eye : Bell
    return html`<ff-menu part="menu" .label=${t.menu} .items=${this.#items(choice)} @select=${this.#select}>
        <ff-button slot="trigger" part="button" exportparts="button" ?busy=${this.busy}
          ?disabled=${!following} .label=${`${label}. ${t.menu}`}
          >${icon(mark, 15)}${label}${icon(ChevronDown, 14)}</ff-button></ff-menu>
      <span role="status" class="problem">${this.problem ?? nothing}${
        this.problem && !following
          ? html` <ff-button variant="link" @click=${() => void this.#run()}>${this.t.error.retry}</ff-button>`
          : nothing
      }</span>`
  }

  #items(choice: string): MenuItem[] {
    const { levels, menu } = this.t.follow
    return [
      { heading: menu },
      ...choices.map((id) => ({ id, label: levels[id].label, hint: levels[id].hint, checked: id === choice })),
    ]
  }

  #select = async (event: CustomEvent<Choice>): Promise<void> => {
    const choice = event.detail
    const { resource } = this
    if (await this.#run((client) => follow(client, resource, choice, this.following))) {
      const detail = { resource, choice }
      this.dispatchEvent(new CustomEvent('fanfare-followed', { detail, bubbles: true, composed: true }))
    }
  }
}

/** The pages of subscriptions that are searched for one of the resource. */
const pages = 25

async function subscriptionOf(client: Client, resource: string): Promise<string | undefined> {
  let cursor: string | undefined
  for (let n = 0; n < pages; n++) {
    const params = { query: { limit: 200, ...(cursor ? { cursor } : {}) } }
    const { items, next_cursor } = await unwrap(client.GET('/subscriptions', { params }))
    const found = items.find((item) => item.resource_id === resource)
    if (found || !next_cursor) return found?.id
    cursor = next_cursor
  }
  return undefined
}

async function read(client: Client, resource: string): Promise<Following> {
  const params = { path: { resource_id: resource } }
  const [held, subscription] = await Promise.all([
    unwrap(client.GET('/watch-levels/{resource_id}', { params })),
    subscriptionOf(client, resource),
  ])
  return { level: held.from === resource ? (held.level ?? undefined) : undefined, subscription }
}

async function follow(client: Client, resource: string, choice: Choice, was: Following | undefined): Promise<void> {
  const params = { path: { resource_id: resource } }
  if (choice === 'following' || choice === 'none') {
    if (was?.level) await unwrap(client.DELETE('/watch-levels/{resource_id}', { params }))
  } else {
    await unwrap(client.PUT('/watch-levels/{resource_id}', { params, body: { level: choice, scope: 'resource' } }))
  }
  if (choice === 'none') {
    if (was?.subscription) {
      await unwrap(client.DELETE('/subscriptions/{id}', { params: { path: { id: was.subscription } } }))
    }
  } else if ((choice === 'following' || choice === 'all') && !was?.subscription) {
    await unwrap(client.POST('/subscriptions', { body: { resource_id: resource, scope: 'resource' } }))
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'fanfare-follow': FanfareFollow
  }
}
