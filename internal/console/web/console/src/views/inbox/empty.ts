import { unwrap } from '@fanfare/client'
import type { Icon } from '@fanfare/elements/icon'
import { Archive, CheckCheck, Clock, Inbox, SearchX } from '@fanfare/elements/icons'
import { html, nothing } from 'lit'
import { app } from '../../app.ts'
import { href } from '../../router.ts'
import type { TabState } from './query.ts'
import '@fanfare/elements/button'
import '@fanfare/elements/empty'

const texts: Record<TabState, [Icon, string, string]> = {
  inbox: [CheckCheck, 'Your inbox is empty', 'What happens on resources that you follow or own appears here, at once.'],
  unread: [CheckCheck, 'You have read everything', 'New notifications appear here, at once.'],
  snoozed: [Clock, 'Nothing is snoozed', 'What you snooze waits here, and returns to the inbox in time.'],
  archived: [Archive, 'Nothing is archived', 'What you have dealt with is here, until retention removes it.'],
  all: [Inbox, 'You have no notifications', 'What happens on resources that you follow or own appears here, at once.'],
}

/** emptyState returns why there are no rows, and what to do next. */
export function emptyState(tab: TabState, filtered: boolean, clear: () => void): unknown {
  if (filtered) {
    return html`<ff-empty .icon=${SearchX} heading="No notification matches">Remove a filter, or search in All.
      <ff-button slot="actions" @click=${clear}>Clear the filters</ff-button></ff-empty>`
  }
  const [mark, heading, text] = texts[tab]
  const first = tab === 'inbox' || tab === 'all'
  return html`<ff-empty .icon=${mark} heading=${heading}>${text}
    ${
      first
        ? html`<ff-button slot="actions" href=${href('following')}>Choose what to follow</ff-button>
          <ff-button slot="actions" @click=${sendOne}>Send me one</ff-button>
          <ff-button slot="actions" href=${href('start')}>First steps</ff-button>`
        : nothing
    }</ff-empty>`
}

async function sendOne(): Promise<void> {
  try {
    await unwrap(app().client.POST('/notifications/test'))
    app().toast({ text: 'A test notification is on its way.' })
  } catch (error) {
    app().failed('The test notification could not be sent', error)
  }
}
