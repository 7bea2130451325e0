import { BaseElement, emit, styled, textStyles } from '@fanfare/elements/base'
import { css, type CSSResultGroup, html } from 'lit'
import { property } from 'lit/decorators.js'
import { app } from './app.ts'
import { navigate, type QueryChange, withQuery } from './router.ts'
import type { Shortcut } from './shortcuts.ts'

/** The styles of views: a header over a body that scrolls. */
export const viewStyles: CSSResultGroup = [
  textStyles,
  css`
  :host {
    position: relative; display: flex; flex-direction: column; height: 100%; min-width: 0;
    background: var(--ff-surface);
  }
  .view-header {
    display: flex; flex-wrap: wrap; align-items: center; gap: var(--ff-space-2); flex: none; min-height: 52px;
    padding: var(--ff-space-2) var(--ff-space-6); border-block-end: 1px solid var(--ff-border);
  }
  .view-header h1 {
    font-size: var(--ff-size-lg); line-height: 24px; font-weight: var(--ff-weight-bold); margin-inline-end: auto;
  }
  .view-header h1:focus { outline: none; }
  .view-body { flex: 1; min-height: 0; overflow: auto; overscroll-behavior: contain; }
  .page { max-width: 960px; padding: var(--ff-space-6); }
  @media (max-width: 640px) {
    .view-header { padding-inline: var(--ff-space-4); }
    .page { padding: var(--ff-space-4); }
  }
`,
]

/**
 * View is the base of the views. The shell sets `path` and `query`; a view changes the address with setQuery and
 * navigate, and renders what the address says.
 */
export abstract class View extends BaseElement {
  static override styles: CSSResultGroup = styled(viewStyles)

  /** The parts of the address after the name of the view. */
  @property({ attribute: false }) path: readonly string[] = []
  @property({ attribute: false }) query = new URLSearchParams()

  /** What is open in the view, for the title of the window. */
  subject = ''

  #remove: (() => void) | undefined

  /** shortcuts returns those of the view, which apply while it is shown. */
  protected shortcuts(): readonly Shortcut[] {
    return []
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#remove = app().shortcuts.add(this.shortcuts())
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#remove?.()
  }

  /** setQuery changes the query of the address; with replace, without a step in the history. */
  protected setQuery(change: QueryChange, options?: { replace?: boolean }): void {
    const search = withQuery(this.query, change).toString()
    navigate(location.pathname + (search && `?${search}`), options)
  }

  /** name sets the subject, and fires `subject`. */
  protected name(subject: string): void {
    this.subject = subject
    emit(this, 'subject')
  }

  protected renderHeader(title: unknown, actions?: unknown): unknown {
    return html`<header class="view-header"><h1 tabindex="-1">${title}</h1>${actions}</header>`
  }

  /** focusHeading moves the focus to the heading after a navigation. */
  async focusHeading(): Promise<void> {
    await this.updateComplete
    this.renderRoot.querySelector<HTMLElement>('h1')?.focus()
  }
}
