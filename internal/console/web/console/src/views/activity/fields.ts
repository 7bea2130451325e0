import type { Activity } from '@fanfare/client'
import { nameOf, resourceName } from '@fanfare/elements/activity-text'
import { Filter } from '@fanfare/elements/icons'
import { html, nothing, type TemplateResult } from 'lit'
import { href } from '../../router.ts'
import type { Names } from './names.ts'
import type { Field } from './query.ts'
import '@fanfare/elements/icon-button'
import '@fanfare/elements/time'
import './long_text.ts'

/** A field of an activity: its text, an id below it, and what filters by it. */
interface Shown {
  name: string
  text: string
  id?: string | null
  href?: string
  time?: boolean
  mono?: boolean
  filter?: { field: Field; value: string; what: string }
}

/** renderFields renders all fields of an activity, each with a link that selects those with the same value. */
export function renderFields(
  a: Activity,
  names: Names,
  hrefOf: (field: Field, value: string) => string,
): TemplateResult {
  const fields = fieldsOf(a, names).filter((f) => f.text !== '')
  return html`<dl>${fields.map(
    (f) =>
      html`<div><dt>${f.name}</dt><dd>${value(f)}</dd><dd class="only">${
        f.filter
          ? html`<ff-icon-button .icon=${Filter} label="Only ${f.filter.what}"
            href=${hrefOf(f.filter.field, f.filter.value)}
      ></ff-icon-button>`
          : nothing
      }</dd></div>`,
  )}</dl>`
}

function value(f: Shown): unknown {
  if (f.time) return html`<ff-time datetime=${f.text} format="exact"></ff-time>`
  if (f.href) return html`<a href=${f.href}><bdi>${f.text}</bdi></a><span class="second">${f.id}</span>`
  return html`${f.mono ? html`<code>${f.text}</code>` : html`<ff-long-text .text=${f.text}></ff-long-text>`}${
    f.id && f.id !== f.text ? html`<span class="second">${f.id}</span>` : nothing
  }`
}

function fieldsOf(a: Activity, names: Names): Shown[] {
  const only = (field: Field, found: string | null | undefined, what: string): Pick<Shown, 'filter'> =>
    found ? { filter: { field, value: found, what } } : {}
  const person = (name: string, field: Field, id: string | null, what: string): Shown => ({
    name,
    text: id ? (names.get(id) ?? id) : '',
    id,
    mono: !!id && !names.get(id),
    ...only(field, id, what),
  })
  const parent = a.resource.parent_id ?? ''
  const parentName = names.get(parent)
  return [
    { name: 'Action', text: a.action, mono: true, ...only('action', a.action, 'this action') },
    {
      name: 'Actor',
      text: `${nameOf(a.actor)} (${a.actor.kind})`,
      id: a.actor.principal_id,
      ...only('actor', a.actor.principal_id, 'this actor'),
    },
    {
      name: 'Resource',
      text: resourceName(a.resource),
      id: a.resource.resource_id,
      ...only('resource', a.resource.resource_id, 'this resource'),
    },
    { name: 'Type', text: a.resource.resource_type, ...only('resource_type', a.resource.resource_type, 'this type') },
    {
      name: 'Parent',
      text: parentName ?? parent,
      id: parent,
      mono: true,
      ...(parentName ? { href: href('following', [parent]) } : {}),
      ...only('resource', parent, 'the parent resource'),
    },
    person('Owner', 'owner', a.owner_id, 'resources of this owner'),
    person('Addressed to', 'target', a.target_principal_id, 'those addressed to this person'),
    { name: 'Message', text: a.message },
    { name: 'Category', text: a.category, ...only('category', a.category, 'this category') },
    { name: 'Severity', text: a.severity, ...only('severity', a.severity, 'this severity') },
    { name: 'Status', text: a.status, ...only('status', a.status, 'this status') },
    { name: 'Visibility', text: a.visibility },
    { name: 'Happened', text: a.created_at, time: true },
    { name: 'Recorded', text: a.recorded_at === a.created_at ? '' : a.recorded_at, time: true },
    { name: 'Channels', text: (a.delivery_channels ?? []).join(', ') },
    {
      name: 'Correlation',
      text: a.correlation_id === a.event_id ? '' : a.correlation_id,
      mono: true,
      ...only('correlation_id', a.correlation_id, 'this correlation'),
    },
    { name: 'Request', text: a.request_id, mono: true, ...only('request_id', a.request_id, 'this request') },
    { name: 'Trace', text: a.traceparent ?? '', mono: true },
    { name: 'User agent', text: a.user_agent ?? '' },
    { name: 'Address hash', text: a.ip_hash ?? '', mono: true },
    { name: 'Id', text: a.event_id, mono: true },
  ]
}

/** namedIn returns the ids of an activity whose names are worth asking for. */
export function namedIn(a: Activity): string[] {
  return [a.owner_id, a.target_principal_id].filter((id): id is string => !!id)
}
