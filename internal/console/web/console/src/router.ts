/** The prefix of the console's addresses. */
export const base = '/console/'

/** A place in the console: `/console/inbox/42?state=unread` is the view inbox with the path ['42']. */
export interface Place {
  view: string
  path: string[]
  query: URLSearchParams
}

/** Values to set in a query; null and '' remove a name, a list sets it several times. */
export type QueryChange = Record<string, string | number | boolean | readonly string[] | null | undefined>

/** placeOf returns the place of an address. */
export function placeOf(url: URL): Place {
  const parts = url.pathname.slice(base.length).split('/').filter(Boolean).map(decode)
  return { view: parts[0] ?? '', path: parts.slice(1), query: url.searchParams }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** href returns the address of a place: `href('activity', [id], {since: '7d'})`. */
export function href(view: string, path: readonly string[] = [], query: QueryChange = {}): string {
  const search = withQuery(new URLSearchParams(), query).toString()
  return base + [view, ...path].map(encodeURIComponent).join('/') + (search && `?${search}`)
}

/** withQuery returns a query with changes, its names in the order in which they were set. */
export function withQuery(query: URLSearchParams, change: QueryChange): URLSearchParams {
  const next = new URLSearchParams(query)
  for (const [name, value] of Object.entries(change)) {
    next.delete(name)
    const values = Array.isArray(value) ? (value as string[]) : [value]
    for (const v of values) if (v !== null && v !== undefined && v !== '' && v !== false) next.append(name, String(v))
  }
  return next
}

/** A guard may hold a navigation, by returning true; it calls go to let it happen. */
export type Guard = (go: () => void) => boolean

let guard: Guard | undefined

/** setGuard sets the guard of what is shown, which has changes that are not saved. */
export function setGuard(next: Guard | undefined): void {
  guard = next
}

/** Router follows the address: links, navigate, back and forward. */
export class Router {
  #changed: (place: Place, moved: boolean) => void
  #last: string
  #href = location.href

  constructor(changed: (place: Place, moved: boolean) => void) {
    this.#changed = changed
    this.#last = location.pathname
  }

  get place(): Place {
    return placeOf(new URL(location.href))
  }

  start(): void {
    window.addEventListener('popstate', this.#back)
    window.addEventListener('click', this.#click)
  }

  stop(): void {
    window.removeEventListener('popstate', this.#back)
    window.removeEventListener('click', this.#click)
  }

  /** go goes to an address. With replace, it takes the place of the current one in the history. */
  go(to: string, { replace = false } = {}): void {
    const url = new URL(to, location.href)
    if (url.href === location.href) return
    if (url.pathname !== location.pathname && guard?.(() => this.#move(url, replace))) return
    this.#move(url, replace)
  }

  #move(url: URL, replace: boolean): void {
    history[replace ? 'replaceState' : 'pushState'](null, '', url)
    this.#arrive()
  }

  #back = (): void => {
    const url = new URL(location.href)
    if (url.pathname !== this.#last && guard) {
      const held = guard(() => this.#move(url, false))
      if (held) {
        history.pushState(null, '', this.#href)
        return
      }
    }
    this.#arrive()
  }

  #arrive = (): void => {
    const moved = location.pathname !== this.#last
    this.#last = location.pathname
    this.#href = location.href
    this.#changed(this.place, moved)
  }

  /** Links within the console load no page. */
  #click = (event: MouseEvent): void => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return
    const link = event.composedPath().find((at): at is HTMLAnchorElement => at instanceof HTMLAnchorElement)
    if (!link?.href || link.target || link.hasAttribute('download')) return
    const url = new URL(link.href)
    if (url.origin !== location.origin || !url.pathname.startsWith(base)) return
    event.preventDefault()
    this.go(url.href)
  }
}

let router: Router | undefined

/** setRouter sets the router of navigate. */
export function setRouter(next: Router | undefined): void {
  router = next
}

/** navigate goes to an address within the console: `navigate(href('inbox'))`. */
export function navigate(to: string, options?: { replace?: boolean }): void {
  router?.go(to, options)
}
