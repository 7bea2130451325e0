import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import { BaseElement, define, emit, styled } from './base.ts'
import './badge.ts'

export interface Tab {
  id: string
  label: string
  count?: number
}

/** Tabs above a panel, which is the slot. Fires `change` with the id of the tab. */
@define('ff-tabs')
export class Tabs extends BaseElement {
  static override styles = styled(css`
    :host { display: flex; flex-direction: column; min-width: 0; }
    [role='tablist'] {
      display: flex; flex: none; gap: var(--ff-space-1); overflow-x: auto; scrollbar-width: none;
      padding: 0 var(--ff-tabs-inset, 0);
      box-shadow: inset 0 -1px var(--ff-border);
    }
    button {
      display: inline-flex; align-items: center; gap: 6px; min-height: 36px; padding: 0 var(--ff-space-2);
      border-block-end: 2px solid transparent; color: var(--ff-text-2); white-space: nowrap;
      font: var(--ff-weight-medium) var(--ff-size-meta) / 18px var(--ff-font);
    }
    @media (pointer: coarse) { button { min-height: 44px; padding: 0 var(--ff-space-3); } }
    button:hover { color: var(--ff-text); }
    button[aria-selected='true'] { color: var(--ff-text); border-color: var(--ff-accent); }
    button:focus-visible { outline-offset: -2px; border-radius: var(--ff-radius); }
    [role='tabpanel'] { min-height: 0; flex: 1; }
    [role='tabpanel']:focus-visible { outline-offset: -2px; }
  `)

  @property({ attribute: false }) tabs: readonly Tab[] = []
  @property() selected = ''
  /** The accessible name of the row of tabs. */
  @property() label = ''

  protected override render(): unknown {
    return html`<div part="tabs" role="tablist" aria-label=${this.label || nothing} @keydown=${this.#key}>
        ${this.tabs.map(
          (t) => html`<button type="button" role="tab" part="tab" id="tab-${t.id}" aria-controls="panel"
          aria-selected=${t.id === this.selected} tabindex=${t.id === this.selected ? 0 : -1}
          @click=${() => this.#select(t.id)}>${t.label}${
            t.count ? html`<ff-badge .count=${t.count} .max=${9999}></ff-badge>` : nothing
          }</button>`,
        )}
      </div>
      <div role="tabpanel" part="panel" id="panel" aria-labelledby="tab-${this.selected}"><slot></slot></div>`
  }

  /** The selected tab is in sight, where the row is wider than the page. */
  protected override updated(): void {
    const row = this.renderRoot.querySelector<HTMLElement>('[role=tablist]')
    const tab = row?.querySelector<HTMLElement>('[aria-selected=true]')
    if (!row || !tab) return
    const [outer, inner] = [row.getBoundingClientRect(), tab.getBoundingClientRect()]
    if (inner.right > outer.right) row.scrollLeft += inner.right - outer.right
    else if (inner.left < outer.left) row.scrollLeft -= outer.left - inner.left
  }

  #select(id: string): void {
    if (id !== this.selected && emit(this, 'change', id)) this.selected = id
  }

  #key(event: KeyboardEvent): void {
    const at = this.tabs.findIndex((t) => t.id === this.selected)
    const rtl = getComputedStyle(this).direction === 'rtl'
    const step = { ArrowRight: rtl ? -1 : 1, ArrowLeft: rtl ? 1 : -1 }[event.key]
    const to = step
      ? (at + step + this.tabs.length) % this.tabs.length
      : event.key === 'Home'
        ? 0
        : event.key === 'End'
          ? this.tabs.length - 1
          : -1
    const tab = this.tabs[to]
    if (!tab) return
    event.preventDefault()
    this.#select(tab.id)
    this.renderRoot.querySelector<HTMLElement>(`#tab-${CSS.escape(tab.id)}`)?.focus()
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-tabs': Tabs
  }
}
