import { define, styled } from '@fanfare/elements/base'
import { Lock } from '@fanfare/elements/icons'
import type { PreferencesForm, Saved } from '@fanfare/elements/preferences/preferences'
import type { Owner } from '@fanfare/elements/preferences/values'
import { css, html, nothing } from 'lit'
import { query, state } from 'lit/decorators.js'
import { app } from '../../app.ts'
import { href, navigate, setGuard } from '../../router.ts'
import { may } from '../../sign_in/me.ts'
import { View, viewStyles } from '../../view.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/dialog'
import '@fanfare/elements/empty'
import '@fanfare/elements/preferences/preferences'
import '@fanfare/elements/tabs'

const tabs = [
  { id: 'own', label: 'Yours' },
  { id: 'tenant', label: 'Defaults for everyone' },
]

/** What notifies the caller, and for operators what notifies the tenant's principals by default. */
@define('ff-preferences-view')
export class PreferencesView extends View {
  static override styles = styled(
    viewStyles,
    css`
      .page { max-width: 820px; }
      ff-tabs { --ff-tabs-inset: var(--ff-space-6); min-height: 100%; }
      @media (max-width: 640px) { ff-tabs { --ff-tabs-inset: var(--ff-space-4); } }
    `,
  )

  @query('ff-preferences') private form!: PreferencesForm | null
  @state() private go: (() => void) | undefined
  #undo: (() => Promise<void>) | undefined

  protected override shortcuts() {
    return [{ keys: 'z', label: 'Undo the last change', run: () => void this.#undo?.() }]
  }

  override connectedCallback(): void {
    super.connectedCallback()
    document.addEventListener('visibilitychange', this.#seen)
    window.addEventListener('beforeunload', this.#unload)
    setGuard(this.#guard)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    document.removeEventListener('visibilitychange', this.#seen)
    window.removeEventListener('beforeunload', this.#unload)
    setGuard(undefined)
  }

  #guard = (go: () => void): boolean => {
    if (!this.form?.dirty) return false
    this.go = go
    return true
  }

  /** Changes of another tab are shown when this one is. */
  #seen = (): void => {
    if (document.visibilityState === 'visible' && !this.form?.dirty) void this.form?.load()
  }

  #unload = (event: BeforeUnloadEvent): void => {
    if (this.form?.dirty) event.preventDefault()
  }

  protected override render(): unknown {
    const admin = may(app().me, 'activity:admin')
    const owner: Owner = this.path[0] === 'defaults' ? 'tenant' : 'own'
    return html`${this.renderHeader('Preferences')}<div class="view-body">${
      admin
        ? html`<ff-tabs label="Preferences" .tabs=${tabs} selected=${owner} @change=${this.#tab}
            >${this.#page(owner)}</ff-tabs>`
        : owner === 'tenant'
          ? html`<ff-empty .icon=${Lock} heading="You may not change the defaults">They need the scope activity:admin.
            Ask an administrator for it.
            <ff-button slot="actions" href=${href('preferences')}>Your preferences</ff-button></ff-empty>`
          : this.#page(owner)
    }</div>${this.#leaving()}`
  }

  #page(owner: Owner): unknown {
    return html`<div class="page"><ff-preferences .client=${app().client} owner=${owner} @saved=${this.#saved}
      @failed=${this.#failed} @undone=${() => app().toast({ text: 'Undone.' })}></ff-preferences></div>`
  }

  #leaving(): unknown {
    if (!this.go) return nothing
    const stay = (): void => {
      this.go = undefined
    }
    const leave = (): void => {
      const { go } = this
      stay()
      setGuard(undefined)
      this.form?.discard()
      go?.()
      if (this.isConnected) setGuard(this.#guard)
    }
    return html`<ff-dialog open heading="Leave without saving?" @close=${stay}>
      <p>A pattern is written, or a mode chosen, that is not saved yet.</p>
      <ff-button slot="footer" @click=${stay}>Stay here</ff-button>
      <ff-button slot="footer" variant="danger" @click=${leave}>Leave</ff-button></ff-dialog>`
  }

  #tab = (event: CustomEvent<string>): void => {
    event.preventDefault()
    navigate(href('preferences', event.detail === 'tenant' ? ['defaults'] : []))
  }

  #saved = (event: CustomEvent<Saved>): void => {
    event.preventDefault()
    const { text, undo } = event.detail
    this.#undo = async () => {
      this.#undo = undefined
      await undo()
    }
    app().toast({ text, tone: 'success', action: { label: 'Undo', run: () => this.#undo?.() } })
  }

  #failed = (event: CustomEvent<{ text: string; error: unknown }>): void => {
    event.preventDefault()
    app().failed(event.detail.text, event.detail.error)
  }
}
