import { Activity, SearchX } from '@fanfare/elements/icons'
import { html, nothing, type TemplateResult } from 'lit'
import type { Feed } from './feed.ts'
import type { Field, Selection } from './query.ts'
import { fieldNames, isEmpty, without } from './selection.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/empty'
import '@fanfare/elements/error'
import '@fanfare/elements/progress'
import '@fanfare/elements/skeleton'

/** What a person can do in a state. */
export interface Ways {
  all: boolean
  retry: () => void
  more: () => void
  select: (selection: Selection) => void
}

/** renderInstead renders what stands in place of the timeline: loading, an error, or that there is nothing. */
export function renderInstead(feed: Feed, selection: Selection, ways: Ways): TemplateResult | undefined {
  if (feed.phase === 'error') {
    return html`<ff-error heading="The activities could not be loaded" .error=${feed.error} @retry=${ways.retry}>
      ${
        isEmpty(selection)
          ? nothing
          : html`<ff-button slot="actions"
        @click=${() => ways.select({})}>Clear the filter</ff-button>`
      }
      </ff-error>`
  }
  if (feed.rows.list.length > 0) return undefined
  if (feed.phase === 'loading' || feed.more === 'loading') {
    if (feed.emptyPages === 0) return html`<ff-skeleton count="14" label="Loading the activities"></ff-skeleton>`
    return html`<div class="working"><ff-progress label="Searching"
      text="Searching older activities: part ${feed.emptyPages + 1}"></ff-progress></div>`
  }
  if (feed.more === 'error') {
    return html`<ff-error heading="The search was interrupted" .error=${feed.moreError} @retry=${ways.more}></ff-error>`
  }
  if (feed.more === 'stopped') {
    return html`<ff-empty .icon=${SearchX} heading="Nothing found so far">No activity in the parts of the log that
      were searched matches. Older ones are left.
      <ff-button slot="actions" variant="primary" @click=${ways.more}>Search further</ff-button>
      ${widen(selection, ways)}</ff-empty>`
  }
  if (!isEmpty(selection)) {
    return html`<ff-empty .icon=${SearchX} heading="No activity matches">Nothing that
      ${ways.all ? 'is recorded' : 'you may see'} matches all parts of the filter. Remove
      one of them.${widen(selection, ways)}</ff-empty>`
  }
  return html`<ff-empty .icon=${Activity} heading="No activities yet">${
    ways.all
      ? 'Activities appear here as soon as an application records them.'
      : 'Activities appear here when something happens to what you own or have a role on.'
  }
    <ff-button slot="actions" href="/console/start">First steps</ff-button></ff-empty>`
}

/** widen offers to remove each part of the filter, the narrowest first. */
function widen(selection: Selection, ways: Ways): TemplateResult[] {
  const order: Field[] = [
    'q',
    'since',
    'until',
    'status',
    'severity',
    'action',
    'category',
    'resource_type',
    'actor',
    'resource',
  ]
  const set = order.filter((field) => selection[field]).slice(0, 2)
  return [
    ...set.map(
      (field) => html`<ff-button slot="actions" @click=${() => ways.select(without(selection, field))}
      >Without ${fieldNames[field]}</ff-button>`,
    ),
    html`<ff-button slot="actions" variant=${set.length ? 'ghost' : 'default'}
      @click=${() => ways.select({})}>Show all</ff-button>`,
  ]
}

/** renderFooter renders what is below the last row. */
export function renderFooter(feed: Feed, more: () => void, older: string): unknown {
  if (feed.more === 'error') {
    return html`<ff-error compact heading="Older activities could not be loaded" .error=${feed.moreError}
      @retry=${more}></ff-error>`
  }
  if (feed.rows.dropped) {
    return html`The newest ${feed.rows.list.length.toLocaleString()} activities are shown.
      <a href=${older}>Show older ones</a>`
  }
  if (feed.more === 'stopped') {
    return html`<ff-button @click=${more}>Search older activities</ff-button>`
  }
  if (feed.hasMore) {
    return feed.emptyPages > 0
      ? `Searching older activities: part ${feed.emptyPages + 1}…`
      : 'Loading older activities…'
  }
  return 'The first activity is reached.'
}
