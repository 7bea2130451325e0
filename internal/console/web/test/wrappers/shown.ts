// What the pages of wrappers.test.ts share: the test changes what they show, and reads what happened.

/** What a page shows. */
export interface Shown {
  /** The widgets. */
  widgets: ('inbox' | 'activity' | 'follow' | 'preferences')[]
  resource: string
  limit?: number
  /** Replaces the heading of the inbox. */
  label?: string
  theme?: 'light' | 'dark'
  /** The name of the handlers, which differ in each rendering. */
  handler: string
}

export interface Page {
  getToken: (reason?: 'expired') => string
  /** Shows something else, or without it removes everything. */
  show(shown: Shown | undefined): void
  /** The events: the handler that received one, its type, and what it is about. */
  events: string[]
  /** Whether the ref of the inbox is its element. */
  refers(): boolean
}

export const page = globalThis as unknown as Page
page.events = []

/** received records an event, and keeps the page where it is. */
export function received(handler: string, event: CustomEvent<unknown>): void {
  event.preventDefault()
  const detail = event.detail as { choice?: string; activity?: { action: string } }
  page.events.push(`${handler} ${event.type} ${detail.choice ?? detail.activity?.action ?? JSON.stringify(detail)}`)
}
