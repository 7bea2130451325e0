import type { Client } from '@fanfare/client'
import { css, html } from 'lit'
import { property, query, state } from 'lit/decorators.js'
import { BaseElement, define, emit, styled, textStyles } from '../base.ts'
import type { Patterns } from '../preferences/patterns.ts'
import { type PatternTexts, patternTexts } from '../preferences/pattern-texts.ts'
import { type FollowTexts, followTexts } from './texts.ts'
import '../button.ts'
import '../dialog.ts'
import '../preferences/patterns.ts'

/** The patterns of the level custom. Fires `save` with them, and `close`. */
@define('ff-level-dialog')
export class LevelDialog extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
    ff-dialog { --ff-dialog-width: 560px; }
    .empty { margin-block-start: var(--ff-space-2); font-size: var(--ff-size-sm); color: var(--ff-error); }
  `,
  )

  @property({ attribute: false }) client: Client | undefined
  @property({ attribute: false }) texts: FollowTexts = followTexts
  @property({ attribute: false }) patternTexts: PatternTexts = patternTexts
  @property() name = ''
  @property({ attribute: false }) patterns: readonly string[] = []
  @state() private edited: readonly string[] | undefined
  @state() private missing = false
  @query('ff-patterns') private editor!: Patterns

  protected override render(): unknown {
    const t = this.texts.dialog
    return html`<ff-dialog open heading=${t.heading(this.name)} close-label=${t.close}
        @close=${() => emit(this, 'close')}>
      <ff-patterns .client=${this.client} .texts=${this.patternTexts} .patterns=${this.edited ?? this.patterns}
        label=${t.hint} @change=${(e: CustomEvent<string[]>) => {
          this.edited = e.detail
          this.missing = false
        }}></ff-patterns>
      ${this.missing ? html`<p class="empty" role="alert">${t.empty}</p>` : ''}
      <ff-button slot="footer" @click=${() => emit(this, 'close')}>${t.cancel}</ff-button>
      <ff-button slot="footer" variant="primary" @click=${() => void this.#save()}>${t.save}</ff-button>
    </ff-dialog>`
  }

  async #save(): Promise<void> {
    if (!(await this.editor.commit())) return
    const patterns = [...(this.edited ?? this.patterns)]
    this.missing = patterns.length === 0
    if (!this.missing) emit(this, 'save', patterns)
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-level-dialog': LevelDialog
  }
}
