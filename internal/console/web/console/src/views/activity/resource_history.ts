import type { Activity } from '@fanfare/client'
import { nameOf, resourceName } from '@fanfare/elements/activity-text'
import { BaseElement, define, styled, textStyles } from '@fanfare/elements/base'
import { css, html, nothing } from 'lit'
import { property } from 'lit/decorators.js'
import { partStyles } from './detail_styles.ts'
import { Pages } from './pages.ts'
import type { Source } from './source.ts'
import '@fanfare/elements/avatar'
import '@fanfare/elements/button'
import '@fanfare/elements/error'
import '@fanfare/elements/severity'
import '@fanfare/elements/skeleton'
import '@fanfare/elements/time'

/** What happened to the resource of an activity, newest first. */
@define('ff-resource-history')
export class ResourceHistory extends BaseElement {
  static override styles = styled(
    textStyles,
    partStyles,
    css`
    li a {
      display: grid; grid-template-columns: 20px minmax(0, 1fr) auto;
      gap: 0 var(--ff-space-2); padding: 6px 0; min-height: 44px;
      color: inherit; border-block-end: 1px solid var(--ff-border); border-radius: 0; font-size: var(--ff-size-meta);
    }
    li a:hover { background: var(--ff-hover); text-decoration: none; }
    .here { color: var(--ff-accent); font-weight: var(--ff-weight-bold); }
  `,
  )

  @property({ attribute: false }) source!: Source
  @property({ attribute: false }) activity!: Activity
  @property({ attribute: false }) hrefOf: (id: string) => string = () => ''
  @property() all = ''
  #pages = new Pages<Activity>(() => this.requestUpdate())
  #key = ''

  protected override willUpdate(): void {
    const key = this.activity.resource.resource_id
    if (key === this.#key) return
    this.#key = key
    void this.#pages.start((cursor) => this.source.page({ resource: key }, 20, cursor))
  }

  protected override render(): unknown {
    const { items, next, busy, error } = this.#pages
    const more = (): void => void this.#pages.more()
    return html`<p class="note">Everything that happened to <bdi>${resourceName(this.activity.resource)}</bdi>,
      newest first. <a href=${this.all}>Show it in the timeline</a></p>
      <ul>${items.map((item) => this.#item(item))}</ul>
      ${
        error
          ? html`<ff-error compact heading="The history could not be loaded" .error=${error}
            @retry=${more}></ff-error>`
          : busy && items.length === 0
            ? html`<ff-skeleton kind="rows" count="5" label="Loading the history"></ff-skeleton>`
            : next
              ? html`<div class="more"><ff-button ?busy=${busy} @click=${more}>Show older</ff-button></div>`
              : nothing
      }`
  }

  #item(item: Activity): unknown {
    const here = item.event_id === this.activity.event_id
    return html`<li><a href=${this.hrefOf(item.event_id)} aria-current=${here ? 'true' : nothing}>
      <ff-avatar size="sm" .name=${item.actor.display_name} .kind=${item.actor.kind}></ff-avatar>
      <span class="one"><bdi class=${here ? 'here' : ''}>${item.ui_hints.title || item.action}</bdi><br><span
        class="faint"><bdi>${nameOf(item.actor)}</bdi></span></span>
      <ff-time class="faint" datetime=${item.created_at}></ff-time></a></li>`
  }
}
