import { unwrap } from '@fanfare/client'
import { define, styled } from '@fanfare/elements/base'
import { icon } from '@fanfare/elements/icon'
import { CircleAlert, CircleCheck, CircleHelp, Copy, RefreshCw, TriangleAlert } from '@fanfare/elements/icons'
import { css, html, nothing } from 'lit'
import { state } from 'lit/decorators.js'
import { app } from '../../app.ts'
import type { Shortcut } from '../../shortcuts.ts'
import { href } from '../../router.ts'
import { may } from '../../sign_in/me.ts'
import { View, viewStyles } from '../../view.ts'
import { type Check, grouped, isCommand, nameOf, type Report, textOf, verdict } from './checks.ts'
import '../../parts/code.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/error'
import '@fanfare/elements/skeleton'
import '@fanfare/elements/time'

const marks = { ok: CircleCheck, warn: TriangleAlert, fail: CircleAlert, skipped: CircleHelp }
const words = { ok: 'Passed', warn: 'Warning', fail: 'Failed', skipped: 'Skipped' }
const headings = {
  ok: 'Everything that was checked is well',
  warning: 'It works, with warnings',
  error: 'Something is broken',
}

/** The checks of `fanfare doctor`, with a remedy for each problem. */
@define('ff-doctor-view')
export class DoctorView extends View {
  static override styles = styled(
    viewStyles,
    css`
      .page { display: grid; gap: var(--ff-space-6); }
      .summary { display: flex; gap: var(--ff-space-3); align-items: flex-start; }
      .summary svg { margin-block-start: 2px; }
      .summary h2 { font-size: var(--ff-size-lg); line-height: 24px; font-weight: var(--ff-weight-bold); }
      .summary p { color: var(--ff-text-2); }
      section { display: grid; gap: var(--ff-space-2); min-width: 0; }
      h3 { font-size: var(--ff-size); font-weight: var(--ff-weight-bold); }
      ul { border: 1px solid var(--ff-border); border-radius: var(--ff-radius-lg); overflow: hidden; }
      li {
        display: grid; grid-template-columns: 18px 132px minmax(0, 1fr); gap: 2px var(--ff-space-3);
        padding: 8px var(--ff-space-4);
      }
      li + li { border-block-start: 1px solid var(--ff-border); }
      li > svg { margin-block-start: 2px; }
      .name { font-weight: var(--ff-weight-medium); }
      .name::first-letter { text-transform: uppercase; }
      .detail { color: var(--ff-text-2); overflow-wrap: anywhere; }
      .detail::first-letter { text-transform: uppercase; }
      .remedy { display: grid; gap: var(--ff-space-1); margin-block: var(--ff-space-2) var(--ff-space-1); }
      .remedy b { font-size: var(--ff-size-sm); }
      .ok > svg { color: var(--ff-success); }
      .warn > svg, .warning > svg { color: var(--ff-warning); }
      .fail > svg, .error > svg { color: var(--ff-error); }
      .skipped > svg { color: var(--ff-text-3); }
      .fail { background: var(--ff-error-soft); }
      code { font: var(--ff-size-sm) var(--ff-font-mono); }
      @media (max-width: 640px) {
        li { grid-template-columns: 18px minmax(0, 1fr); }
        .what { grid-column: 2; }
      }
    `,
  )

  @state() private report: Report | undefined
  @state() private error: unknown
  @state() private busy = false

  protected override shortcuts(): readonly Shortcut[] {
    return [{ keys: 'r', label: 'Run the checks again', run: () => void this.#run() }]
  }

  override connectedCallback(): void {
    super.connectedCallback()
    void this.#run()
  }

  async #run(): Promise<void> {
    if (this.busy) return
    this.busy = true
    try {
      this.report = await unwrap(app().client.GET('/installation/doctor'))
      this.error = undefined
    } catch (error) {
      this.error = error
    } finally {
      this.busy = false
    }
  }

  protected override render(): unknown {
    const actions = html`${
      this.report
        ? html`<ff-button variant="ghost" @click=${() => void this.#copy()}>${icon(Copy, 14)} Copy as text</ff-button>`
        : nothing
    }<ff-button ?busy=${this.busy} @click=${() => void this.#run()}>${icon(RefreshCw, 14)} Run again</ff-button>`
    return html`${this.renderHeader('Doctor', actions)}
      <div class="view-body" tabindex="0" role="region" aria-label="Checks">
        <div class="page" aria-busy=${this.busy}>${this.#content()}</div></div>`
  }

  #content(): unknown {
    const { report, error } = this
    if (error) {
      return html`<ff-error heading="The checks could not be run" .error=${error} @retry=${() => void this.#run()}
        ></ff-error>`
    }
    if (!report) {
      return html`<p role="status">The checks run. They take up to 20 seconds.</p>
        <ff-skeleton count="8" label="The checks run"></ff-skeleton>`
    }
    const { tone, text } = verdict(report.checks)
    const mark = { ok: marks.ok, warning: marks.warn, error: marks.fail }[tone]
    return html`<div class="summary ${tone}" role="status">${icon(mark, 20)}<div><h2>${headings[tone]}</h2>
        <p>${text}. Examined <ff-time datetime=${report.examined_at} format="long"></ff-time>, from the server that
          answers this page.</p></div></div>
      ${grouped(report.checks).map(
        (g) => html`<section aria-label=${g.title}><h3>${g.title}</h3><ul>${g.checks.map(row)}</ul></section>`,
      )}`
  }

  async #copy(): Promise<void> {
    if (!this.report) return
    try {
      await navigator.clipboard.writeText(textOf(this.report))
      app().toast({ text: 'Copied.' })
    } catch (error) {
      app().failed('It could not be copied', error)
    }
  }
}

function row(check: Check): unknown {
  return html`<li class=${check.status}>${icon(marks[check.status], 16)}
    <span class="name" title=${check.name}>${nameOf(check)}<span class="hidden-text"
      >: ${words[check.status]}</span></span>
    <div class="what"><div class="detail">${check.detail}</div>${
      check.remedy
        ? html`<div class="remedy"><b>What to do</b>${check.remedy
            .split(/ and (?=fanfare )/)
            .map((r) =>
              isCommand(r)
                ? html`<ff-code wrap label="the remedy" .text=${r}></ff-code>`
                : html`<div class="detail">${r}</div>`,
            )}${
            check.name === 'postgres-backlog' && may(app().me, 'activity:admin')
              ? html`<a href=${href('operations')}>Show Operations</a>`
              : nothing
          }</div>`
        : nothing
    }</div></li>`
}
