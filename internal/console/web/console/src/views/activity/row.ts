import { nameOf, resourceName } from '@fanfare/elements/activity-text'
import { html, nothing, type TemplateResult } from 'lit'
import type { Row } from './rows.ts'
import { dateFormat, timeOfDay } from '@fanfare/elements/formats'
import '@fanfare/elements/avatar'
import '@fanfare/elements/severity'

/** renderRow renders a row as a link to its details. */
export function renderRow(row: Row, href: string, open: boolean): TemplateResult {
  const name = nameOf(row.actor)
  const text = row.summary && row.summary !== row.title ? row.summary : ''
  return html`<a href=${href} aria-current=${open ? 'true' : nothing}>
    <span class="mark">${
      row.severity === 'info'
        ? html`<span class="dot"></span>`
        : html`<ff-severity .level=${row.severity}></ff-severity>`
    }</span>
    <span class="actor"><ff-avatar size="sm" .name=${row.actor.display_name} .kind=${row.actor.kind}></ff-avatar>
      <bdi class="name">${name}</bdi></span>
    <span class="text"><bdi class="title">${row.title}</bdi>${
      row.failed && row.severity === 'info' ? html`<span class="failed">failed</span>` : nothing
    }${text ? html` <bdi class="summary">${text}</bdi>` : nothing}</span>
    <bdi class="resource">${resourceName(row.resource)}</bdi>
    <time datetime=${row.at} title=${exactly.format(new Date(row.at))}>${clock.format(new Date(row.at))}</time>
  </a>`
}

const clock = dateFormat(undefined, { ...timeOfDay, second: '2-digit' })
const exactly = dateFormat(undefined, { dateStyle: 'full', timeStyle: 'long' })
