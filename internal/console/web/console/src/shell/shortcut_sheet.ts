import { BaseElement, define, emit, styled, textStyles } from '@fanfare/elements/base'
import { css, html } from 'lit'
import { property } from 'lit/decorators.js'
import type { Shortcuts } from '../shortcuts.ts'
import '@fanfare/elements/dialog'
import '@fanfare/elements/kbd'
import '@fanfare/elements/switch'

/** The list of the shortcuts that apply here, opened by `?`. */
@define('ff-shortcut-sheet')
export class ShortcutSheet extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
    section { margin-block-end: var(--ff-space-4); }
    h3 {
      margin-block-end: var(--ff-space-1); font-size: var(--ff-size-sm); color: var(--ff-text-3);
      font-weight: var(--ff-weight-medium);
    }
    li { display: flex; justify-content: space-between; align-items: center; min-height: 30px; gap: var(--ff-space-3); }
    li > :last-child { display: flex; gap: var(--ff-space-2); }
    li + li { border-block-start: 1px solid var(--ff-border); }
    ff-switch { padding-block-start: var(--ff-space-3); border-block-start: 1px solid var(--ff-border); }
  `,
  )

  @property({ type: Boolean }) open = false
  @property({ attribute: false }) shortcuts: Shortcuts | undefined
  /** The group of shortcuts that have none. */
  @property() here = 'This view'

  protected override render(): unknown {
    const groups = new Map<string, { keys: string[]; label: string }[]>()
    for (const s of this.shortcuts?.all ?? []) {
      const name = s.group ?? this.here
      const list = groups.get(name) ?? []
      const same = list.find((e) => e.label === s.label)
      if (same) same.keys.push(s.keys)
      else list.push({ keys: [s.keys], label: s.label })
      groups.set(name, list)
    }
    const sorted = [...groups].sort(([a], [b]) => Number(b === this.here) - Number(a === this.here))
    return html`<ff-dialog heading="Keyboard shortcuts" .open=${this.open} @close=${() => emit(this, 'close')}>
      ${sorted.map(
        ([name, list]) =>
          html`<section><h3>${name}</h3><ul>${list.map(
            (s) => html`<li>
        <span>${s.label}</span><span>${s.keys.map((k) => html`<ff-kbd .keys=${k}></ff-kbd> `)}</span></li>`,
          )}</ul></section>`,
      )}
      <ff-switch label="Shortcuts of single keys"
        hint="Switch them off if a screen reader or speech input uses these keys."
        .checked=${this.shortcuts?.enabled ?? true} @change=${this.#toggle}></ff-switch>
    </ff-dialog>`
  }

  #toggle(event: CustomEvent<boolean>): void {
    if (this.shortcuts) this.shortcuts.enabled = event.detail
  }
}
