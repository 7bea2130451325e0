import type { OpenDetail } from '@fanfare/widgets'
import {
  createElement,
  type ForwardRefExoticComponent,
  forwardRef,
  type HTMLAttributes,
  type RefAttributes,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
} from 'react'

/** The detail of `fanfare-followed`. */
export interface FollowedDetail {
  resource: string
  choice: string
}

/** The events of the widgets, as properties. */
interface Events {
  /** A person opens an activity. `preventDefault()` leaves it to the page. */
  onOpen?: (event: CustomEvent<OpenDetail>) => void
  /** How a resource is followed has changed. */
  onFollowed?: (event: CustomEvent<FollowedDetail>) => void
  /** Preferences are saved. */
  onSaved?: (event: CustomEvent<unknown>) => void
}

const events: Record<keyof Events, string> = {
  onOpen: 'fanfare-open',
  onFollowed: 'fanfare-followed',
  onSaved: 'fanfare-saved',
}

type Props<E, K extends keyof E> = Partial<Pick<E, K>> & Events & Omit<HTMLAttributes<E>, K | keyof Events>
export type Wrapped<E, K extends keyof E> = ForwardRefExoticComponent<Props<E, K> & RefAttributes<E>>

/** wrap returns a component of an element. Its properties are those of the element; the others are React's. */
export function wrap<E extends HTMLElement, K extends keyof E>(tag: string): Wrapped<E, K> {
  const Component = forwardRef<E, Record<string, unknown>>((props, ref) => {
    const element = useRef<E>(null)
    const before = useRef<Record<string, unknown>>({})
    const own: Record<string, unknown> = {}
    const rest: Record<string, unknown> = { ref: element }
    const type = globalThis.customElements?.get(tag)?.prototype as object | undefined
    for (const [name, value] of Object.entries(props)) {
      const isOwn = name in events || (type && name in type && !(name in HTMLElement.prototype))
      ;(isOwn ? own : rest)[name] = value
    }
    useImperativeHandle(ref, () => element.current!, [])
    useLayoutEffect(() => {
      const target = element.current as unknown as Record<string, unknown>
      for (const name of Object.keys({ ...before.current, ...own })) {
        if (!(name in events) && before.current[name] !== own[name]) target[name] = own[name]
      }
      before.current = own
    })
    useLayoutEffect(() => {
      const listening = new AbortController()
      for (const [name, event] of Object.entries(events)) {
        const call = (e: Event): void => (before.current[name] as ((e: Event) => void) | undefined)?.(e)
        element.current!.addEventListener(event, call, { signal: listening.signal })
      }
      return () => listening.abort()
    }, [])
    return createElement(tag, rest)
  })
  Component.displayName = tag
  return Component as unknown as Wrapped<E, K>
}
