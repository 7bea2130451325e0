import type { Client, InboxStore, Realtime } from '@fanfare/client'
import type { Toast } from '@fanfare/elements/toast'
import type { Shortcuts } from './shortcuts.ts'
import type { Me } from './sign_in/me.ts'

/** What every view shares while a caller is signed in. */
export interface App {
  readonly client: Client
  readonly me: Me
  readonly inbox: InboxStore
  readonly realtime: Realtime
  readonly shortcuts: Shortcuts
  /** Shows a message, with an action such as Undo. */
  toast(toast: Toast): void
  /** Shows that something failed, with the problem's text. */
  failed(what: string, error: unknown): void
}

let current: App | undefined

/** app returns what the views share. It throws before the sign-in. */
export function app(): App {
  if (!current) throw new Error('no caller is signed in')
  return current
}

/** setApp sets what the views share; tests and the design page set their own. */
export function setApp(next: App | undefined): void {
  current = next
}
