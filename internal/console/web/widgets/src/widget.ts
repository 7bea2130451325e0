import type { Activity, Client, ClientOptions, Event as ActivityEvent, InboxStore } from '@fanfare/client'
import { css, type CSSResultGroup, type PropertyValues } from 'lit'
import { property } from 'lit/decorators.js'
import { BaseElement, styled, textStyles } from '@fanfare/elements/base'
import { tokens } from '../../elements/src/tokens.css.ts'
import { type FanfareProvider, providerOf } from './provider.ts'
import { commonShared, onCommonChange, type Shared, sharedFor, sharedOf } from './shared.ts'
import { english, merged, type TextOverrides, type Texts } from './texts.ts'

/** The detail of `fanfare-open`. */
export interface OpenDetail {
  activity: ActivityEvent | Activity
}

/** widgetStyles returns the styles of a widget: the tokens, the theme and its own. */
export function widgetStyles(...styles: CSSResultGroup[]): CSSResultGroup {
  return styled(
    tokens,
    textStyles,
    css`
      :host([theme='light']) { color-scheme: light; }
      :host([theme='dark']) { color-scheme: dark; }
      :host([theme='auto']) { color-scheme: light dark; }
    `,
    ...styles,
  )
}

/** Widget is the base of the widgets: where its client comes from, its texts, and its theme. */
export abstract class Widget extends BaseElement {
  /** The origin and path of the server; default: that of the page. */
  @property({ attribute: 'api-url' }) apiUrl: string | undefined
  /** Returns the JWT of the signed-in person, after `expired` a fresh one. Without it, cookies are sent. */
  @property({ attribute: false }) getToken: ClientOptions['getToken']
  /** A client of @fanfare/client, instead of the address and the token. */
  @property({ attribute: false }) client: Client | undefined
  /** Replaces texts; those that are missing are English. */
  @property({ attribute: false }) texts: TextOverrides | undefined
  /** `light`, `dark` or `auto`, as the system says; by default the page's color-scheme. */
  @property({ reflect: true }) theme: 'light' | 'dark' | 'auto' | undefined

  protected shared: Shared | undefined
  protected store: InboxStore | undefined
  protected t: Texts = english
  #provider: FanfareProvider | undefined
  #stop: (() => void)[] = []
  #resolve = true
  #unlisten = (): void => {}

  override connectedCallback(): void {
    super.connectedCallback()
    this.#provider = providerOf(this)
    const again = (): void => {
      this.#resolve = true
      this.requestUpdate()
    }
    const back = (): void => {
      this.requestUpdate()
      if (navigator.onLine && document.visibilityState === 'visible') this.back()
    }
    const listening = new AbortController()
    const { signal } = listening
    this.#provider?.addEventListener('fanfare-provided', again, { signal })
    for (const event of ['online', 'offline']) addEventListener(event, back, { signal })
    document.addEventListener('visibilitychange', back, { signal })
    this.#stop.push(
      () => listening.abort(),
      onCommonChange(again),
      () => this.#leave(),
    )
    again()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    for (const stop of this.#stop.splice(0)) stop()
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('apiUrl') || changed.has('getToken') || changed.has('client')) this.#resolve = true
    if (this.#resolve || changed.has('texts')) this.t = merged(this.#provider?.texts, this.texts)
    if (!this.#resolve || !this.isConnected) return
    this.#resolve = false
    const shared = this.#source()
    if (shared === this.shared) return
    this.#leave()
    this.shared = shared
    this.store = shared.acquire()
    let away = false
    this.#unlisten = this.store.realtime.listen({
      connection: (state) => (away ||= state !== 'live'),
      joined: () => {
        if (away) this.back()
        away = false
      },
    })
    this.joined(shared, this.store)
  }

  /** joined is called with a new source; left when it is no longer used. */
  protected abstract joined(shared: Shared, store: InboxStore): void
  protected left(): void {}
  /** back is called when the page is shown again, and when the browser or the connection is there again. */
  protected back(): void {}

  /** openActivity asks the page to show an activity. It reports whether the page leaves that to the widget. */
  protected openActivity(activity: OpenDetail['activity']): boolean {
    const detail: OpenDetail = { activity }
    return this.dispatchEvent(
      new CustomEvent('fanfare-open', { detail, bubbles: true, composed: true, cancelable: true }),
    )
  }

  #source(): Shared {
    if (this.client) return sharedOf(this.client)
    if (this.apiUrl !== undefined || this.getToken) return sharedFor(this.apiUrl ?? '', this.getToken)
    return this.#provider?.shared ?? commonShared()
  }

  #leave(): void {
    if (!this.shared) return
    this.#unlisten()
    this.left()
    this.shared.release()
    this.shared = undefined
    this.store = undefined
  }
}
