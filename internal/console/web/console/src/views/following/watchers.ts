import { type Client, type components, ProblemError, unwrap } from '@fanfare/client'
import { BaseElement, define, styled, textStyles } from '@fanfare/elements/base'
import { css, html, nothing } from 'lit'
import { property, state } from 'lit/decorators.js'
import '@fanfare/elements/avatar'
import '@fanfare/elements/button'
import '@fanfare/elements/chip'
import '@fanfare/elements/error'
import '@fanfare/elements/skeleton'

type Watcher = components['schemas']['Watcher']

/** Who else follows a resource, for its owner and delegators. */
@define('ff-watchers')
export class Watchers extends BaseElement {
  static override styles = styled(
    textStyles,
    css`
    :host { display: block; }
    h3 { margin-block-end: var(--ff-space-1); font-size: var(--ff-size-meta); }
    li {
      display: flex; align-items: center; gap: var(--ff-space-2);
      min-height: 36px; border-block-end: 1px solid var(--ff-border);
    }
    .name { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    .note { color: var(--ff-text-2); font-size: var(--ff-size-meta); }
  `,
  )

  @property({ attribute: false }) client: Client | undefined
  @property({ attribute: 'resource-id' }) resourceId = ''
  @state() private items: Watcher[] | undefined
  @state() private error: unknown
  #cursor: string | null = null

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has('resourceId') && !changed.has('client')) return
    this.items = undefined
    this.#cursor = null
    void this.load()
  }

  async load(): Promise<void> {
    const { client, resourceId: id } = this
    if (!client || !id) return
    this.error = undefined
    const query = this.#cursor === null ? { limit: 50 } : { limit: 50, cursor: this.#cursor }
    try {
      const params = { path: { id }, query }
      const page = await unwrap(client.GET('/resources/{id}/watchers', { params }))
      if (id !== this.resourceId) return
      this.#cursor = page.next_cursor
      this.items = [...(this.items ?? []), ...page.items]
    } catch (error) {
      if (id === this.resourceId) this.error = error
    }
  }

  protected override render(): unknown {
    const { error, items } = this
    return html`<h3>Who follows it</h3>${
      error instanceof ProblemError && error.status === 404
        ? html`<p class="note">Only the owner and the delegators of a resource see who follows it.</p>`
        : error
          ? html`<ff-error compact heading="The followers could not be loaded" .error=${error}
              @retry=${() => void this.load()}></ff-error>`
          : items
            ? this.#list(items)
            : html`<ff-skeleton kind="text" count="4" label="Loading who follows it"></ff-skeleton>`
    }`
  }

  #list(items: Watcher[]): unknown {
    if (items.length === 0) return html`<p class="note">No one follows it.</p>`
    return html`<ul aria-label="Who follows it">${items.map(
      (w) => html`<li><ff-avatar size="sm" .name=${w.display_name} .kind=${w.kind}></ff-avatar>
        <bdi class="name">${w.display_name || w.principal_id}</bdi>${w.reasons.map(
          (r) =>
            html`<ff-chip>${r === 'subscribed' && w.scope === 'descendants' ? 'follows all' : reasons[r]}</ff-chip>`,
        )}</li>`,
    )}</ul>${
      this.#cursor === null
        ? nothing
        : html`<ff-button variant="link" @click=${() => void this.load()}>Show more</ff-button>`
    }`
  }
}

const reasons: Record<Watcher['reasons'][number], string> = {
  subscribed: 'follows',
  owner: 'owner',
  delegator: 'delegator',
  target: 'addressed',
}
