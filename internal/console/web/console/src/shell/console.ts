import { ConnectionError, InboxStore, ProblemError, Realtime } from '@fanfare/client'
import { BaseElement, define, styled } from '@fanfare/elements/base'
import type { Toast, Toasts } from '@fanfare/elements/toast'
import { css, html } from 'lit'
import { query, state } from 'lit/decorators.js'
import { keyed } from 'lit/directives/keyed.js'
import { app, setApp } from '../app.ts'
import { type Me, whoAmI } from '../sign_in/me.ts'
import { placeOf } from '../router.ts'
import { routeOf } from '../routes.ts'
import { Shortcuts } from '../shortcuts.ts'
import { type Session, SignIn } from '../sign_in/sign_in.ts'
import type { Shell } from './shell.ts'
import type { SignInPage } from './sign_in_page.ts'
import '@fanfare/elements/error'
import './shell.ts'
import './sign_in_page.ts'

type Phase = 'starting' | 'signed-out' | 'signed-in' | 'failed'

/** The console: signs in, and then shows the shell. The address stays as it is meanwhile. */
@define('fanfare-console')
export class Console extends BaseElement {
  static override styles = styled(css`:host { display: block; height: 100%; }`)

  @state() private phase: Phase = 'starting'
  @state() private notice = ''
  @state() private refusal = ''
  @state() private busy = false
  @state() private failure: unknown
  @state() private me: Me | undefined
  @query('ff-sign-in-page') private page!: SignInPage | null
  @query('ff-shell') private shell!: Shell | null
  #signIn = new SignIn({ expired: () => this.#expired(), forbidden: () => void this.#forbidden() })
  #session: Session | undefined
  #toasts: Toasts | undefined
  #end: (() => void) | undefined
  #asking = false

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#start()
  }

  protected override render(): unknown {
    switch (this.phase) {
      case 'starting':
        return html``
      case 'failed':
        return html`<ff-error .error=${this.failure} @retry=${() => void this.#start()}></ff-error>`
      case 'signed-out':
        return html`<ff-sign-in-page .notice=${this.notice} .error=${this.refusal} .busy=${this.busy}
        @token=${this.#token}></ff-sign-in-page>`
      case 'signed-in':
        // Another shell where the caller may do something else than before: the views follow from it.
        return keyed(
          this.me,
          html`<ff-shell @sign-out=${this.#signOut}
            .toastsReady=${(toasts: Toasts) => {
              this.#toasts = toasts
            }}></ff-shell>`,
        )
    }
  }

  async #start(): Promise<void> {
    this.phase = 'starting'
    routeOf(placeOf(new URL(location.href)).view)
      ?.load()
      .catch(() => {}) // meanwhile; the shell reports a failure
    try {
      const session = await this.#signIn.start()
      if (session) this.#enter(session)
      else this.#leave('')
    } catch (error) {
      if (error instanceof ConnectionError || error instanceof ProblemError) {
        this.failure = error
        this.phase = 'failed'
      } else this.#leave(error instanceof Error ? error.message : String(error))
    }
  }

  async #token(event: CustomEvent<string>): Promise<void> {
    this.busy = true
    this.refusal = ''
    try {
      this.#enter(await this.#signIn.withToken(event.detail))
    } catch (error) {
      this.refusal =
        error instanceof ProblemError && error.status === 401
          ? 'This token is not valid here, or has expired.'
          : error instanceof Error
            ? error.message
            : String(error)
    } finally {
      this.busy = false
    }
  }

  #enter(session: Session): void {
    const { client, me } = session
    const realtime = new Realtime(client)
    const inbox = new InboxStore(client, { realtime })
    const shortcuts = new Shortcuts()
    const toast = (t: Toast): void => void this.#toasts?.show(t)
    const failed = (what: string, error: unknown): void => {
      if (this.phase !== 'signed-in') return
      const problem = error instanceof ProblemError ? ` (${error.requestId})` : ''
      toast({ tone: 'error', text: `${what}: ${error instanceof Error ? error.message : String(error)}${problem}` })
    }
    setApp({ client, me, inbox, realtime, shortcuts, toast, failed })
    inbox.start()
    this.me = me
    this.#session = session
    this.#end = () => {
      inbox.stop()
      realtime.stop()
      shortcuts.clear()
    }
    this.notice = ''
    this.phase = 'signed-in'
  }

  /**
   * leave shows the sign-in. The views are removed before what they share ends. What the views share stays set, for
   * their requests that are still answered; its messages go nowhere.
   */
  #leave(notice: string): void {
    this.notice = notice
    this.phase = 'signed-out'
    const end = this.#end
    this.#end = this.#session = this.#toasts = undefined
    void this.updateComplete.then(() => {
      end?.()
      this.page?.focus()
    })
    document.title = 'Sign in · Fanfare'
  }

  #expired(): void {
    if (this.phase === 'signed-in') this.#leave('Your session has ended. Sign in to go on where you were.')
  }

  /** forbidden asks what the caller may do now, and shows the views accordingly. */
  async #forbidden(): Promise<void> {
    const session = this.#session
    if (this.#asking || !session) return
    this.#asking = true
    try {
      const me = await whoAmI(session.client)
      if (session !== this.#session || me.scopes.join() === this.me?.scopes.join()) return
      setApp({ ...app(), me })
      this.me = me
      await this.updateComplete
      await this.shell?.updateComplete
      app().toast({ text: 'Your permissions have changed. You see what you may see now.' })
    } catch {
      // The view shows what was refused. The next refusal asks again.
    } finally {
      this.#asking = false
    }
  }

  #signOut = async (): Promise<void> => {
    const session = this.#session
    this.#leave('')
    await session?.end().catch(() => {})
  }
}
