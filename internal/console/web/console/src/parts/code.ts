import { BaseElement, define, styled } from '@fanfare/elements/base'
import { Check, Copy } from '@fanfare/elements/icons'
import { css, html } from 'lit'
import { property, state } from 'lit/decorators.js'
import '@fanfare/elements/icon-button'

/** Lines to paste, with a button that copies them. */
@define('ff-code')
export class Code extends BaseElement {
  static override styles = styled(css`
    :host {
      display: flex; align-items: flex-start; gap: var(--ff-space-1); min-width: 0;
      padding: var(--ff-space-1) var(--ff-space-1) var(--ff-space-1) var(--ff-space-3);
      border: 1px solid var(--ff-border); border-radius: var(--ff-radius); background: var(--ff-sunken);
    }
    pre {
      flex: 1; min-width: 0; max-height: var(--ff-code-height, 320px); margin: 0; padding: 6px 0; overflow: auto;
      color: var(--ff-text); font: var(--ff-size-sm) / 18px var(--ff-font-mono); white-space: pre;
    }
    :host([wrap]) pre { white-space: pre-wrap; overflow-wrap: anywhere; }
    @media (max-width: 640px) { pre { white-space: pre-wrap; overflow-wrap: anywhere; } }
  `)

  @property() text = ''
  /** What the lines are: "the SQL". */
  @property() label = 'the lines'
  @property({ type: Boolean, reflect: true }) wrap = false
  @state() private copied = false

  protected override render(): unknown {
    return html`<pre tabindex="0" role="group" aria-label=${this.label}>${this.text}</pre>
      <ff-icon-button .icon=${this.copied ? Check : Copy} label=${this.copied ? 'Copied' : `Copy ${this.label}`}
        size="sm" @click=${() => void this.#copy()}></ff-icon-button>`
  }

  async #copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.text)
      this.copied = true
      setTimeout(() => {
        this.copied = false
      }, 2000)
    } catch {
      getSelection()?.selectAllChildren(this.renderRoot.querySelector('pre') as Node) // to copy manually
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-code': Code
  }
}
