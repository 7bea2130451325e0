import { css, html, nothing } from 'lit'
import { property, state } from 'lit/decorators.js'
import { repeat } from 'lit/directives/repeat.js'
import { CircleAlert, CircleCheck, X } from 'lucide'
import { BaseElement, define, styled, textStyles } from './base.ts'
import { icon } from './icon.ts'
import './button.ts'
import './icon-button.ts'

/** A message that goes by itself after `timeout` milliseconds, unless it is pointed at or focused. */
export interface Toast {
  text: string
  tone?: 'neutral' | 'success' | 'error'
  /** Such as Undo. Its button has the shortcut z where the view binds it. */
  action?: { label: string; run: () => void | Promise<void> }
  timeout?: number
}

/** The region of toasts. `show` adds one; the newest three are shown. */
@define('ff-toasts')
export class Toasts extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
    .region {
      position: fixed; inset: auto 0 var(--ff-toast-bottom, 24px) 0; margin: 0 auto; padding: 0; border: 0;
      display: flex; flex-direction: column; align-items: center; gap: var(--ff-space-2); width: fit-content;
      max-width: calc(100vw - 32px); background: none; overflow: visible; color: inherit;
    }
    .toast {
      display: flex; align-items: center; gap: var(--ff-space-2); max-width: 100%; min-height: 44px;
      padding: 6px 6px 6px var(--ff-space-4); border-radius: var(--ff-radius-lg);
      background: light-dark(#26231f, #34302d);
      color: #f7f5f3; box-shadow: var(--ff-shadow); animation: in var(--ff-motion) var(--ff-ease);
      --ff-accent: #6fd3d8; --ff-text-2: #d5d0ca; --ff-text: #ffffff; --ff-hover: rgb(255 255 255 / 12%);
    }
    .text { overflow-wrap: anywhere; padding-inline-end: var(--ff-space-2); }
    ff-button::part(button) { color: var(--ff-accent); }
    .success svg { color: #86d39a; }
    .error svg { color: #f7a49a; }
    @keyframes in { from { opacity: 0; translate: 0 8px; } }
  `,
  )

  @property({ attribute: 'dismiss-label' }) dismissLabel = 'Dismiss'
  @state() private toasts: (Toast & { key: number })[] = []
  #next = 0
  #timers = new Map<number, ReturnType<typeof setTimeout>>()

  /** show shows a toast, and returns a function that removes it. */
  show(toast: Toast): () => void {
    const key = this.#next++
    this.#raise()
    this.toasts = [...this.toasts, { ...toast, key }].slice(-3)
    this.#arm(key)
    return () => this.#remove(key)
  }

  /** act runs the action of the newest toast. */
  act(): void {
    const newest = this.toasts.at(-1)
    if (newest) this.#run(newest)
  }

  protected override render(): unknown {
    return html`<div class="region" part="region" popover="manual" role="status" aria-live="polite"
      aria-relevant="additions">
      ${repeat(
        this.toasts,
        (t) => t.key,
        (t) => html`<div class="toast ${t.tone ?? ''}" part="toast"
        @pointerenter=${() => this.#hold(t.key)} @pointerleave=${() => this.#arm(t.key)}
        @focusin=${() => this.#hold(t.key)} @focusout=${() => this.#arm(t.key)}>
        ${t.tone === 'success' ? icon(CircleCheck) : t.tone === 'error' ? icon(CircleAlert) : nothing}
        <span class="text">${t.text}</span>
        ${
          t.action
            ? html`<ff-button variant="ghost" size="sm"
          @click=${() => this.#run(t)}>${t.action.label}</ff-button>`
            : nothing
        }
        <ff-icon-button .icon=${X} label=${this.dismissLabel} @click=${() => this.#remove(t.key)}></ff-icon-button>
      </div>`,
      )}
    </div>`
  }

  /** raise puts the region, which is a popover, above dialogs. A toast comes into it when it is shown already. */
  #raise(): void {
    const region = this.renderRoot.querySelector<HTMLElement>('.region')
    if (region?.matches(':popover-open')) region.hidePopover()
    region?.showPopover()
  }

  protected override firstUpdated(): void {
    this.#raise()
  }

  #hold(key: number): void {
    clearTimeout(this.#timers.get(key))
  }

  #arm(key: number): void {
    this.#hold(key)
    const toast = this.toasts.find((t) => t.key === key)
    if (!toast) return
    const timeout = toast.timeout ?? (toast.action || toast.tone === 'error' ? 10_000 : 5_000)
    if (timeout !== Infinity)
      this.#timers.set(
        key,
        setTimeout(() => this.#remove(key), timeout),
      )
  }

  #remove(key: number): void {
    this.#hold(key)
    this.#timers.delete(key)
    this.toasts = this.toasts.filter((t) => t.key !== key)
  }

  #run(toast: Toast & { key: number }): void {
    this.#remove(toast.key)
    void toast.action?.run()
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-toasts': Toasts
  }
}
