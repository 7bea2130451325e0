import { BaseElement, define, emit, styled, textStyles } from '@fanfare/elements/base'
import type { LevelChange } from '@fanfare/elements/following/store'
import { followTexts } from '@fanfare/elements/following/texts'
import { ChevronDown } from '@fanfare/elements/icons'
import { icon } from '@fanfare/elements/icon'
import type { MenuItem } from '@fanfare/elements/menu'
import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import type { BulkAction, BulkFailure } from './bulk.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/menu'
import '@fanfare/elements/progress'

const levels = ['all', 'participating', 'ignore'] as const

const levelItems: MenuItem[] = [
  { id: 'none', ...followTexts.preferences },
  ...levels.map((id) => ({ id, label: followTexts.levels[id].label, hint: followTexts.levels[id].hint })),
]

const followItems: MenuItem[] = [
  { id: 'resource', label: 'Each of them', hint: 'The resources alone.' },
  { id: 'descendants', label: 'And everything under them', hint: 'The resources and all below them.' },
]

/** What to do with the selected resources, how far it is, and what failed. Fires `action`, `clear` and `dismiss`. */
@define('ff-selection-bar')
export class SelectionBar extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
    :host { display: block; flex: none; border-block-start: 1px solid var(--ff-border); background: var(--ff-raised); }
    .bar {
      display: flex; flex-wrap: wrap; align-items: center;
      gap: var(--ff-space-2); padding: var(--ff-space-2) var(--ff-space-6);
    }
    .count { font-weight: var(--ff-weight-medium); margin-inline-end: var(--ff-space-2); }
    .end { margin-inline-start: auto; }
    ff-progress { flex: 1; min-width: 160px; }
    .failures { padding: var(--ff-space-2) var(--ff-space-6); border-block-end: 1px solid var(--ff-border); }
    .failures p {
      display: flex; align-items: center; gap: var(--ff-space-2);
      font-weight: var(--ff-weight-medium); color: var(--ff-error);
    }
    .failures p ff-button { margin-inline-start: auto; }
    .failures ul { max-height: 120px; overflow: auto; font-size: var(--ff-size-meta); color: var(--ff-text-2); }
    .failures li { overflow-wrap: anywhere; }
    @media (max-width: 640px) { .bar, .failures { padding-inline: var(--ff-space-4); } }
  `,
  )

  @property({ attribute: false }) count = 0
  /** How many are done, while it goes on. */
  @property({ attribute: false }) done: number | undefined
  @property({ attribute: false }) failures: readonly (BulkFailure & { name: string })[] = []

  protected override render(): unknown {
    const { count, done } = this
    return html`${this.failures.length > 0 ? this.#failures() : nothing}${
      done !== undefined
        ? html`<div class="bar"><ff-progress .value=${done} .max=${count} label="Changing the selected resources"
            .text=${`${done} of ${count}`}></ff-progress></div>`
        : count > 0
          ? html`<div class="bar" role="toolbar" aria-label="Selected resources">
              <span class="count" role="status">${count} selected</span>
              ${this.#menu('Follow', followItems, (id) => ({ follow: id as 'resource' | 'descendants' }))}
              <ff-button size="sm" @click=${() => this.#act({ unfollow: true })}>Unfollow</ff-button>
              ${this.#menu('Set level', levelItems, (id) => ({ level: levelOf(id) }))}
              <ff-button class="end" size="sm" variant="ghost"
                @click=${() => emit(this, 'clear')}>Clear selection</ff-button>
            </div>`
          : nothing
    }`
  }

  #failures(): unknown {
    return html`<div class="failures" role="alert"><p>${this.failures.length} could not be changed
        <ff-button size="sm" variant="ghost" @click=${() => emit(this, 'dismiss')}>Dismiss</ff-button></p>
      <ul tabindex="0" aria-label="Not changed">${this.failures.map(
        (f) => html`<li><bdi>${f.name}</bdi>: ${f.why}</li>`,
      )}</ul></div>`
  }

  #menu(label: string, items: readonly MenuItem[], action: (id: string) => BulkAction): unknown {
    return html`<ff-menu side="top" label=${label} .items=${items}
      @select=${(e: CustomEvent<string>) => this.#act(action(e.detail))}>
      <ff-button slot="trigger" size="sm">${label} ${icon(ChevronDown, 12)}</ff-button></ff-menu>`
  }

  #act(action: BulkAction): void {
    emit(this, 'action', action)
  }
}

function levelOf(id: string): LevelChange | undefined {
  const level = levels.find((l) => l === id)
  return level && { level, scope: 'descendants', patterns: [] }
}
