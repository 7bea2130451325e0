import type { OpenDetail } from '@fanfare/widgets'
import { camelize, type FunctionalComponent, h } from 'vue'

/** The detail of `fanfare-followed`. */
export interface FollowedDetail {
  resource: string
  choice: string
}

/** The events of the widgets. */
type Events = {
  /** A person opens an activity. `preventDefault()` leaves it to the page. */
  open: (event: CustomEvent<OpenDetail>) => void
  /** How a resource is followed has changed. */
  followed: (event: CustomEvent<FollowedDetail>) => void
  /** Preferences are saved. */
  saved: (event: CustomEvent<unknown>) => void
}

const events: Record<string, string> = {
  onOpen: 'onFanfareOpen',
  onFollowed: 'onFanfareFollowed',
  onSaved: 'onFanfareSaved',
}

/** wrap returns a component of an element. Its properties are those of the element; a ref is the element. */
export function wrap<E extends HTMLElement, K extends keyof E>(
  tag: string,
): FunctionalComponent<Partial<Pick<E, K>>, Events> {
  const component: FunctionalComponent<Record<string, unknown>> = (_, { attrs, slots }) => {
    const type = globalThis.customElements?.get(tag)?.prototype as object | undefined
    const given: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(attrs)) {
      const key = camelize(name)
      const own = type && key in type && !(key in HTMLElement.prototype)
      // An attribute without a value, as in <FanfareActivity tenant>, is "" in Vue.
      given[own ? `.${key}` : (events[name] ?? name)] = own && value === '' && key === 'tenant' ? true : value
    }
    return h(tag, given, slots['default']?.())
  }
  component.inheritAttrs = false
  component.displayName = tag
  return component as unknown as FunctionalComponent<Partial<Pick<E, K>>, Events>
}
