import type { Client, ClientOptions } from '@fanfare/client'
import { LitElement, type PropertyValues } from 'lit'
import { property } from 'lit/decorators.js'
import { define } from '@fanfare/elements/base'
import { type Shared, sharedFor, sharedOf } from './shared.ts'
import type { TextOverrides } from './texts.ts'

/** The client, and the texts, of all widgets in it. */
@define('fanfare-provider')
export class FanfareProvider extends LitElement {
  /** The origin and path of the server; default: that of the page. */
  @property({ attribute: 'api-url' }) apiUrl = ''
  /** Returns the JWT of the signed-in person, after `expired` a fresh one. */
  @property({ attribute: false }) getToken: ClientOptions['getToken']
  /** A client of @fanfare/client, instead of the address and the token. */
  @property({ attribute: false }) client: Client | undefined
  @property({ attribute: false }) texts: TextOverrides | undefined

  get shared(): Shared {
    return this.client ? sharedOf(this.client) : sharedFor(this.apiUrl, this.getToken)
  }

  protected override createRenderRoot(): this {
    return this // it shows nothing of its own
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.size > 0) this.dispatchEvent(new Event('fanfare-provided'))
  }
}

/** providerOf returns the nearest provider around an element, also outside of its shadow roots. */
export function providerOf(element: Element): FanfareProvider | undefined {
  for (let at: Element | undefined = element; at;) {
    const found = at.closest('fanfare-provider')
    if (found) return found
    const root = at.getRootNode()
    at = root instanceof ShadowRoot ? root.host : undefined
  }
  return undefined
}

declare global {
  interface HTMLElementTagNameMap {
    'fanfare-provider': FanfareProvider
  }
}
