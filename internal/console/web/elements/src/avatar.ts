import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import { Bot, Settings, User, Users } from 'lucide'
import { BaseElement, define, styled } from './base.ts'
import { icon, type Icon } from './icon.ts'

const kinds: Record<string, Icon> = { agent: Bot, service: Settings, group: Users }

/** A principal: the initials of its name in a colour of its own; what is no person is square and has a mark. */
@define('ff-avatar')
export class Avatar extends BaseElement {
  static override styles = styled(css`
    :host { display: inline-flex; flex: none; }
    .avatar {
      display: grid; place-items: center; width: var(--size); height: var(--size); border-radius: 50%;
      font: var(--ff-weight-bold) calc(var(--size) * 0.4) / 1 var(--ff-font); user-select: none;
      background: light-dark(oklch(92% 0.04 var(--hue)), oklch(32% 0.05 var(--hue)));
      color: light-dark(oklch(38% 0.08 var(--hue)), oklch(88% 0.06 var(--hue)));
    }
    .other { border-radius: var(--ff-radius); }
    .sm { --size: 20px; }
    .md { --size: 28px; }
    .lg { --size: 40px; }
    .h0 { --hue: 20; } .h1 { --hue: 60; } .h2 { --hue: 100; } .h3 { --hue: 145; }
    .h4 { --hue: 195; } .h5 { --hue: 250; } .h6 { --hue: 300; } .h7 { --hue: 345; }
  `)

  @property() name = ''
  @property() kind = 'user'
  @property() size: 'sm' | 'md' | 'lg' = 'md'

  protected override render(): unknown {
    const mark = kinds[this.kind] ?? (this.name ? undefined : User)
    const size = { sm: 12, md: 16, lg: 22 }[this.size]
    const other = this.kind in kinds ? 'other' : ''
    return html`<span part="avatar" class="avatar ${this.size} ${other} h${hashOf(this.name) % 8}" aria-hidden="true"
      >${mark ? icon(mark, size) : initials(this.name) || nothing}</span>`
  }
}

/** initials returns up to two initials of a name in any script. */
function initials(name: string): string {
  const words = name
    .trim()
    .split(/[\s._-]+/u)
    .filter((w) => /[\p{L}\p{N}]/u.test(w))
  const first = (word?: string): string => /[\p{L}\p{N}]/u.exec(word ?? '')?.[0]?.toLocaleUpperCase() ?? ''
  return words.length > 1 ? first(words[0]) + first(words.at(-1)) : first(words[0])
}

function hashOf(text: string): number {
  let hash = 0
  for (const c of text) hash = (hash * 31 + (c.codePointAt(0) ?? 0)) >>> 0
  return hash
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-avatar': Avatar
  }
}
