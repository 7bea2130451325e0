import { css, html } from 'lit'
import { property } from 'lit/decorators.js'
import { define, BaseElement, styled } from './base.ts'

const names: Record<string, string> = {
  Shift: '⇧',
  Enter: '↵',
  Escape: 'Esc',
  ArrowUp: '↑',
  ArrowDown: '↓',
  $mod: 'Ctrl',
}
const mac = typeof navigator !== 'undefined' && /Mac|iP/.test(navigator.platform)

/** The keys of a shortcut in the notation of tinykeys: `g i` one after the other, `$mod+k` together. */
@define('ff-kbd')
export class Kbd extends BaseElement {
  static override styles = styled(css`
    :host { display: inline-flex; gap: 3px; flex: none; }
    kbd {
      min-width: 18px; padding: 0 4px; border: 1px solid var(--ff-border-strong); border-radius: var(--ff-radius-sm);
      background: var(--ff-surface); color: var(--ff-text-2); text-align: center;
      font: var(--ff-weight) var(--ff-size-xs) / 16px var(--ff-font);
    }
    :host([plain]) kbd { border-color: rgb(255 255 255 / 30%); background: none; color: inherit; }
  `)

  @property() keys = ''

  protected override render(): unknown {
    return this.keys
      .replace(/Shift\+(?=\W)/, '')
      .split(/[ +]/)
      .filter(Boolean)
      .map((key) => html`<kbd>${nameOf(key)}</kbd>`)
  }
}

function nameOf(key: string): string {
  return key === '$mod' && mac ? '⌘' : (names[key] ?? key)
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-kbd': Kbd
  }
}
