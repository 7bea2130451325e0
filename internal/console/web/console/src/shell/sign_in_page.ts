import { BaseElement, define, emit, styled, textStyles } from '@fanfare/elements/base'
import { css, html, nothing } from 'lit'
import { property, state } from 'lit/decorators.js'
import { logo } from './logo.ts'
import '../parts/code.ts'
import '@fanfare/elements/banner'
import '@fanfare/elements/button'
import '@fanfare/elements/input'

/** The form for a token. Fires `token` with it; the shell answers with `error` or goes on. */
@define('ff-sign-in-page')
export class SignInPage extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
    :host {
      display: grid; place-items: center; min-height: 100dvh; padding: var(--ff-space-4); background: var(--ff-bg);
      overflow: auto;
    }
    main { display: grid; gap: var(--ff-space-4); width: min(400px, 100%); }
    .brand {
      display: flex; align-items: center; gap: var(--ff-space-2); font-weight: var(--ff-weight-bold);
      font-size: var(--ff-size-lg);
    }
    .card {
      display: grid; gap: var(--ff-space-4); padding: var(--ff-space-6); border: 1px solid var(--ff-border);
      border-radius: var(--ff-radius-lg); background: var(--ff-surface);
    }
    h1 { font-size: var(--ff-size-xl); line-height: 28px; font-weight: var(--ff-weight-bold); letter-spacing: -0.01em; }
    h1:focus { outline: none; }
    p { color: var(--ff-text-2); }
    form { display: grid; gap: var(--ff-space-3); }
    details { font-size: var(--ff-size-meta); color: var(--ff-text-2); }
    summary { min-height: 24px; cursor: pointer; border-radius: var(--ff-radius-sm); }
    ff-code { margin-block-start: var(--ff-space-2); }
    ff-banner { --ff-banner-radius: var(--ff-radius); }
  `,
  )

  /** Why the person is here, such as an expired session. */
  @property() notice = ''
  @property() error = ''
  @property({ type: Boolean }) busy = false
  @state() private token = ''

  protected override render(): unknown {
    return html`<main>
      <div class="brand">${logo} Fanfare</div>
      <div class="card">
        <h1 tabindex="-1">Sign in</h1>
        ${this.notice ? html`<ff-banner kind="warning">${this.notice}</ff-banner>` : nothing}
        <form @submit=${this.#submit}>
          <ff-input label="Token" type="password" mono required .value=${this.token} .error=${this.error}
            hint="A service token (ff_…) or a JWT." placeholder="ff_…"
            @input=${(e: InputEvent) => {
              this.token = (e.target as HTMLInputElement).value
            }}></ff-input>
          <ff-button type="submit" variant="primary" .busy=${this.busy}>Sign in</ff-button>
          <p>Reloading the page signs you out.</p>
        </form>
        <details open><summary>Without a token</summary>
          <p>Ask your administrator for a sign-in link, or open the console again from your
            application. Operators make a link with:</p>
          <ff-code wrap label="the command"
            text="fanfare console link --tenant TENANT_ID --principal PRINCIPAL_ID"></ff-code>
        </details>
      </div></main>`
  }

  override focus(): void {
    void this.updateComplete.then(() => this.renderRoot.querySelector('ff-input')?.focus())
  }

  #submit(event: SubmitEvent): void {
    event.preventDefault()
    const token = this.token.trim()
    if (!token) {
      this.error = 'Enter a token.'
      return
    }
    this.error = ''
    emit(this, 'token', token)
  }
}
