import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import { BaseElement, define, styled } from './base.ts'

/** What the text of an activity needs of an event or an activity. */
export interface ActivityLike {
  action: string
  actor: { display_name: string; principal_id: string; kind: string }
  resource: { name: string; resource_type: string; resource_id: string }
  ui_hints: { title: string; summary: string }
}

/** nameOf returns the name of an actor, or the beginning of its id. */
export function nameOf(actor: ActivityLike['actor']): string {
  return actor.display_name || `${actor.kind === 'unknown' ? 'principal' : actor.kind} ${actor.principal_id.slice(-6)}`
}

/** resourceName returns the name of a resource, or its type and the end of its id. */
export function resourceName(resource: ActivityLike['resource']): string {
  return resource.name || `${resource.resource_type} ${resource.resource_id.slice(-6)}`
}

/** safeURL returns an http(s) address, and undefined for all else, such as javascript: */
function safeURL(text: string): string | undefined {
  try {
    const url = new URL(text)
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : undefined
  } catch {
    return undefined
  }
}

/** linked returns a text whose http(s) addresses are links. The text is never read as HTML. */
export function linked(text: string): unknown {
  return text.split(/(https?:\/\/[^\s<>"'`]+[^\s<>"'`.,:;!?)\]}])/u).map((part, i) => {
    const url = i % 2 ? safeURL(part) : undefined
    return url ? html`<a href=${url} target="_blank" rel="noopener noreferrer nofollow">${part}</a>` : part
  })
}

/** The title of an activity, and with `summary` the line below it. All of it is shown as text. */
@define('ff-activity-text')
export class ActivityText extends BaseElement {
  static override styles = styled(css`
    :host { display: block; min-width: 0; overflow-wrap: anywhere; unicode-bidi: isolate; }
    .title { display: block; color: var(--ff-text); }
    .summary { display: block; color: var(--ff-text-2); font-size: var(--ff-size-meta); }
    :host([clamp]) .title, :host([clamp]) .summary { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    bdi { unicode-bidi: isolate; }
  `)

  @property({ attribute: false }) event: ActivityLike | undefined
  @property({ type: Boolean }) summary = false
  /** Makes http(s) addresses in the summary links. */
  @property({ type: Boolean }) links = false

  protected override render(): unknown {
    const event = this.event
    if (!event) return nothing
    const { title, summary } = event.ui_hints
    return html`<bdi class="title" part="title">${title || event.action}</bdi>${
      this.summary && summary && summary !== title
        ? html`<bdi class="summary" part="summary">${this.links ? linked(summary) : summary}</bdi>`
        : nothing
    }`
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'ff-activity-text': ActivityText
  }
}
