import { BaseElement, define, emit, styled, textStyles } from '@fanfare/elements/base'
import { icon } from '@fanfare/elements/icon'
import {
  ChevronsUpDown,
  Keyboard,
  Lock,
  LogOut,
  Monitor,
  Moon,
  PanelLeft,
  Rocket,
  SearchX,
  Sun,
} from '@fanfare/elements/icons'
import type { MenuItem } from '@fanfare/elements/menu'
import type { Toasts } from '@fanfare/elements/toast'
import { html, nothing } from 'lit'
import { property, query, state } from 'lit/decorators.js'
import { type App, app } from '../app.ts'
import { href, navigate, type Place, Router, setRouter } from '../router.ts'
import { allowed, home, type Route, routeOf, routes } from '../routes.ts'
import { setTheme, theme } from '../theme.ts'
import type { View } from '../view.ts'
import { Connectivity } from './connectivity.ts'
import { logo } from './logo.ts'
import { barLinks, railLinks } from './navigation.ts'
import { shellStyles } from './shell_styles.ts'
import '@fanfare/elements/avatar'
import '@fanfare/elements/badge'
import '@fanfare/elements/banner'
import '@fanfare/elements/empty'
import '@fanfare/elements/error'
import '@fanfare/elements/icon-button'
import '@fanfare/elements/menu'
import '@fanfare/elements/skeleton'
import '@fanfare/elements/toast'
import './shortcut_sheet.ts'

/** The frame of the console: navigation, the view of the address, toasts. Fires `sign-out`. */
@define('ff-shell')
export class Shell extends BaseElement {
  static override styles = styled(textStyles, shellStyles)

  @property({ attribute: false }) toastsReady: ((toasts: Toasts) => void) | undefined
  @state() private place!: Place
  @state() private view: View | undefined
  @state() private loadError: unknown
  @state() private sheet = false
  @state() private collapsed = matchMedia('(max-width: 1024px)').matches
  @query('ff-toasts') private toasts!: Toasts
  #route: Route | undefined
  #app!: App
  #router = new Router((place, moved) => void this.#show(place, moved))
  #connectivity = new Connectivity(() => this.requestUpdate())
  #cleanup: (() => void)[] = []

  override connectedCallback(): void {
    super.connectedCallback()
    this.#app = app()
    const { inbox, shortcuts } = this.#app
    setRouter(this.#router)
    this.#router.start()
    const group = 'Everywhere'
    this.#cleanup.push(
      () => this.#router.stop(),
      inbox.subscribe(() => this.#inboxChanged()),
      this.#connectivity.start(inbox),
      shortcuts.add([
        {
          keys: 'Shift+?',
          label: 'Show the shortcuts',
          group,
          run: () => {
            this.sheet = true
          },
        },
        ...routes
          .filter((r) => r.shortcut && allowed(r, this.#app.me))
          .map((r) => ({
            keys: r.shortcut ?? '',
            label: `Go to ${r.title}`,
            group,
            run: () => navigate(href(r.id)),
          })),
      ]),
    )
    void this.#show(this.#router.place, false)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    for (const each of this.#cleanup.splice(0)) each()
    setRouter(undefined)
  }

  protected override firstUpdated(): void {
    this.toastsReady?.(this.toasts)
  }

  protected override render(): unknown {
    const { me, inbox, shortcuts } = this.#app
    const unread = inbox.state.counts?.unread ?? 0
    const current = this.#route?.id ?? ''
    const name = me.display_name || me.principal_id
    return html`<div class="shell ${this.collapsed ? 'narrow' : ''}">
        <nav class="rail" aria-label="Views">
          <button type="button" class="skip" @click=${this.#skip}>Skip to the content</button>
          <div class="brand">${logo}<b>Fanfare</b>
            <ff-icon-button .icon=${PanelLeft}
              label=${this.collapsed ? 'Widen the navigation' : 'Narrow the navigation'} @click=${() => {
                this.collapsed = !this.collapsed
              }}></ff-icon-button></div>
          ${railLinks(me, current, unread, this.collapsed)}
          <div class="foot">${this.#connection()}
            <ff-menu side="top" label="Account" .items=${this.#menu()} @select=${this.#select}>
              <button slot="trigger" type="button" class="me"><span class="hidden-text">Account of ${name}</span>
                <ff-avatar .name=${me.display_name} .kind=${me.kind} size="md"></ff-avatar>
                <span class="name" aria-hidden="true">${name}</span>${icon(ChevronsUpDown, 14)}</button>
            </ff-menu></div>
        </nav>
        <main id="main" tabindex="-1">
          ${this.#connectivity.away ? html`<ff-banner kind="offline"></ff-banner>` : nothing}
          <div class="outlet">${this.#outlet()}</div>
        </main>
        <nav class="bar" aria-label="Views">${barLinks(me, current, unread, this.#menu(), this.#select)}</nav>
      </div>
      <ff-toasts></ff-toasts>
      <ff-shortcut-sheet .open=${this.sheet} .shortcuts=${shortcuts} here=${this.#route?.title ?? ''}
        @close=${() => {
          this.sheet = false
        }}></ff-shortcut-sheet>`
  }

  #outlet(): unknown {
    const route = this.#route
    if (!route) {
      return html`<ff-empty .icon=${SearchX} heading="There is no such page">The address names no view of the console.
        <ff-button slot="actions" href=${href(home)}>Go to the inbox</ff-button></ff-empty>`
    }
    if (!allowed(route, this.#app.me)) {
      return html`<ff-empty .icon=${Lock} heading="You may not see ${route.title}">It needs the scope
        ${route.scope}. Ask an administrator for it.
        <ff-button slot="actions" href=${href(home)}>Go to the inbox</ff-button></ff-empty>`
    }
    if (this.loadError) {
      return html`<ff-error heading="This view could not be loaded" .error=${this.loadError}
        @retry=${() => void this.#show(this.place, false)}></ff-error>`
    }
    return this.view ?? html`<ff-skeleton></ff-skeleton>`
  }

  #connection(): unknown {
    const [state, text] = this.#connectivity.status
    return html`<div class="connection" role="status" title=${text}><span class="dot ${state}"></span>
      <span class="text">${text}</span></div>`
  }

  #menu(): MenuItem[] {
    const chosen = theme()
    return [
      { heading: 'Theme' },
      { id: 'theme:system', label: 'As the system', icon: Monitor, checked: chosen === 'system' },
      { id: 'theme:light', label: 'Light', icon: Sun, checked: chosen === 'light' },
      { id: 'theme:dark', label: 'Dark', icon: Moon, checked: chosen === 'dark' },
      { separator: true },
      { id: 'view:start', label: 'First steps', icon: Rocket },
      { id: 'shortcuts', label: 'Keyboard shortcuts', icon: Keyboard, shortcut: '?' },
      { id: 'sign-out', label: 'Sign out', icon: LogOut },
    ]
  }

  #select = (event: CustomEvent<string>): void => {
    const id = event.detail
    if (id.startsWith('theme:')) setTheme(id.slice(6) as ReturnType<typeof theme>)
    else if (id === 'shortcuts') this.sheet = true
    else if (id === 'sign-out') emit(this, 'sign-out')
    else if (id.startsWith('view:')) navigate(href(id.slice(5)))
    this.requestUpdate()
  }

  /** show shows the view of a place, and moves the focus to it where the person went elsewhere. */
  async #show(place: Place, moved: boolean): Promise<void> {
    this.place = place
    const route = routeOf(place.view)
    const changed = route !== this.#route
    this.#route = route
    this.loadError = undefined
    this.#title()
    if (!route || !allowed(route, this.#app.me)) {
      this.view = undefined
      return
    }
    if (changed || !this.view) {
      this.view = undefined
      try {
        await route.load()
      } catch (error) {
        this.loadError = error
        return
      }
      if (this.#route !== route) return
      this.view = document.createElement(route.element) as View
      this.view.addEventListener('subject', () => this.#title())
    }
    this.view.path = this.place.path
    this.view.query = this.place.query
    await this.updateComplete
    if (moved && changed) await this.view.focusHeading()
  }

  #inboxChanged(): void {
    this.#title()
    this.requestUpdate()
  }

  #title(): void {
    const unread = this.#app.inbox.state.counts?.unread ?? 0
    const count = unread > 0 ? `(${unread > 99 ? '99+' : unread}) ` : ''
    const subject = this.place.path.length > 0 && this.view?.subject ? `${this.view.subject} · ` : ''
    const title = `${count}${subject}${this.#route?.title ?? 'Not found'} · Fanfare`
    if (document.title !== title) document.title = title
  }

  #skip(): void {
    this.renderRoot.querySelector<HTMLElement>('main')?.focus()
  }
}
