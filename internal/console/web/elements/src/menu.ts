import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import { Check } from 'lucide'
import { define, emit, styled, textStyles } from './base.ts'
import { Floating, floatingStyles } from './floating.ts'
import { icon, type Icon } from './icon.ts'

/** An entry of a menu: an action, a heading (`heading`) or a line (`separator`). */
export interface MenuItem {
  id?: string
  label?: string
  /** A second line, which describes the action. */
  hint?: string
  icon?: Icon
  shortcut?: string
  danger?: boolean
  disabled?: boolean
  /** Makes it a choice that is or is not set. */
  checked?: boolean
  /** It is one of several choices, of which one is set. */
  radio?: boolean
  heading?: string
  separator?: boolean
}

/** A menu of actions. Fires `select` with the id of the item. */
@define('ff-menu')
export class Menu extends Floating {
  static override styles = styled(
    textStyles,
    floatingStyles,
    css`
    .panel { min-width: 180px; max-width: 360px; padding: var(--ff-space-1); }
    button {
      display: flex; gap: var(--ff-space-2); align-items: center; width: 100%; min-height: 30px;
      padding: 5px var(--ff-space-2); border-radius: var(--ff-radius-sm); font-size: var(--ff-size-meta);
    }
    @media (pointer: coarse) { button { min-height: 44px; } }
    button:hover:enabled, button:focus { background: var(--ff-hover); outline: none; }
    button:focus-visible { outline: 2px solid var(--ff-accent); outline-offset: -2px; }
    button:disabled { color: var(--ff-text-3); opacity: 0.7; }
    .danger { color: var(--ff-error); }
    .text { flex: 1; min-width: 0; }
    .hint { display: block; font-size: var(--ff-size-sm); line-height: var(--ff-line-sm); color: var(--ff-text-3); }
    svg { color: var(--ff-text-3); }
    .danger svg { color: inherit; }
    .mark { width: 16px; }
    .heading {
      padding: var(--ff-space-2) var(--ff-space-2) var(--ff-space-1); font-size: var(--ff-size-sm);
      line-height: var(--ff-line-sm); color: var(--ff-text-3);
    }
    hr { margin: var(--ff-space-1) 0; border: 0; border-block-start: 1px solid var(--ff-border); }
  `,
  )

  /** The entries, or a function that returns them when the menu opens. */
  @property({ attribute: false }) items: readonly MenuItem[] | (() => readonly MenuItem[]) = []
  @property() label = ''
  protected override popup = 'menu' as const
  #filled = false
  #typed = ''
  #typedAt = 0

  protected override render(): unknown {
    return html`${this.renderTrigger()}
      <div class="panel" part="panel" popover role="menu" aria-label=${this.label || nothing} tabindex="-1"
        @beforetoggle=${this.#fill} @toggle=${this.toggled} @keydown=${this.#key}>${this.#entries()}</div>`
  }

  /** Entries are rendered when the menu opens: a list may have hundreds of menus. */
  #fill = (event: ToggleEvent): void => {
    if (event.newState !== 'open') return
    this.#filled = true
    this.requestUpdate()
    this.performUpdate()
  }

  #entries(): unknown {
    if (!this.#filled) return nothing
    return (typeof this.items === 'function' ? this.items() : this.items).map((i) => this.#item(i))
  }

  #item(item: MenuItem): unknown {
    if (item.separator) return html`<hr role="separator">`
    if (item.heading) return html`<div class="heading" role="presentation">${item.heading}</div>`
    const choice = item.checked !== undefined
    return html`<button type="button" part="item" class=${item.danger ? 'danger' : ''} tabindex="-1"
      role=${item.radio ? 'menuitemradio' : choice ? 'menuitemcheckbox' : 'menuitem'}
        aria-checked=${choice ? String(item.checked) : nothing}
      ?disabled=${item.disabled ?? false} @click=${() => this.#select(item)}>
      ${choice ? html`<span class="mark">${item.checked ? icon(Check) : nothing}</span>` : nothing}
      ${item.icon ? icon(item.icon) : nothing}
      <span class="text">${item.label}${item.hint ? html`<span class="hint">${item.hint}</span>` : nothing}</span>
      ${item.shortcut ? html`<ff-kbd .keys=${item.shortcut}></ff-kbd>` : nothing}
    </button>`
  }

  protected override opened(): void {
    this.#buttons()[0]?.focus()
  }

  #buttons(): HTMLButtonElement[] {
    return [...this.panel.querySelectorAll<HTMLButtonElement>('button:enabled')]
  }

  #select(item: MenuItem): void {
    this.hide()
    emit(this, 'select', item.id)
  }

  #key(event: KeyboardEvent): void {
    const buttons = this.#buttons()
    const at = buttons.indexOf(this.shadowRoot?.activeElement as HTMLButtonElement)
    const to = (index: number): void => {
      event.preventDefault()
      buttons.at(index % buttons.length)?.focus()
    }
    if (event.key === 'ArrowDown') to(at + 1)
    else if (event.key === 'ArrowUp') to(at < 0 ? -1 : at - 1)
    else if (event.key === 'Home') to(0)
    else if (event.key === 'End') to(-1)
    else if (event.key === 'Tab') this.hide()
    else if (event.key.length === 1 && event.key !== ' ' && !event.ctrlKey && !event.metaKey) {
      event.stopPropagation()
      this.#typed = event.timeStamp - this.#typedAt < 700 ? this.#typed + event.key : event.key
      this.#typedAt = event.timeStamp
      const found = buttons.find((b) => b.textContent?.trim().toLowerCase().startsWith(this.#typed.toLowerCase()))
      found?.focus()
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-menu': Menu
  }
}
