import type { Client, components } from '@fanfare/client'
import { unwrap } from '@fanfare/client'
import { html } from 'lit'
import { href } from '../../router.ts'
import { shellLine } from '../../parts/shell_line.ts'
import type { Hold } from './limits.ts'
import '../../parts/code.ts'
import '@fanfare/elements/time'

export type ActivityEvent = components['schemas']['Event']

/** The most resources whose names are asked for. */
const mostResources = 20

/** namesOf returns the names of the principals and resources of holds; ids without one are left out. */
export async function namesOf(client: Client, holds: readonly Hold[]): Promise<Map<string, string>> {
  const names = new Map<string, string>()
  const people = [...new Set(holds.flatMap((h) => [h.created_by, h.actor_principal_id ?? '']))].filter(Boolean)
  const resources = [...new Set(holds.map((h) => h.resource_id ?? ''))].filter(Boolean).slice(0, mostResources)
  const asks: Promise<unknown>[] = resources.map(async (id) => {
    const found = await unwrap(client.GET('/resources/{id}', { params: { path: { id } } }))
    names.set(id, `${found.type} ${found.name}`)
  })
  if (people.length > 0) {
    const query = { ids: people.slice(0, 100).join(',') }
    asks.push(
      unwrap(client.GET('/principals', { params: { query } })).then((list) => {
        for (const p of list.items) names.set(p.principal_id, p.display_name)
      }),
    )
  }
  await Promise.allSettled(asks)
  return names
}

/** holdsTable renders the holds, and the commands that place and release one. */
export function holdsTable(holds: readonly Hold[], names: Map<string, string>, tenant: string): unknown {
  const name = (id: string): string => names.get(id) || id
  const what = (h: Hold): unknown =>
    h.resource_id
      ? html`Activities of <a
        href=${href('activity', [], { resource: h.resource_id })}><bdi>${name(h.resource_id)}</bdi></a>`
      : h.actor_principal_id
        ? html`Activities by <a href=${href('activity', [], { actor: h.actor_principal_id })}
          ><bdi>${name(h.actor_principal_id)}</bdi></a>`
        : 'All activities of the tenant'
  const list =
    holds.length === 0
      ? html`<p class="muted">There is no legal hold. What exceeds the limits is removed.</p>`
      : html`<div class="scroll" tabindex="0" role="group" aria-label="Legal holds"><table>
        <thead><tr><th scope="col">Holds</th><th scope="col">Reason</th><th scope="col">Placed</th>
          <th scope="col">Release</th></tr></thead>
        <tbody>${holds.map(
          (h) => html`<tr><td>${what(h)}</td><td class="any"><bdi>${h.reason}</bdi></td>
            <td class="nowrap"><ff-time datetime=${h.created_at}></ff-time> by <bdi>${name(h.created_by)}</bdi></td>
            <td class="command"><ff-code label="the command that releases it" .text=${shellLine(
              `fanfare retention hold release ${h.id}`,
              { tenant },
            )}></ff-code></td></tr>`,
        )}</tbody></table></div>`
  return html`${list}<p class="muted">Holds are placed and released on the command line:</p>
    <ff-code wrap label="the command that places a hold" .text=${`${shellLine('fanfare retention hold place', {
      tenant,
    })} --reason "case 17"`}></ff-code>`
}

const labels: Record<string, string> = {
  activities: 'activities',
  notifications: 'notifications',
  idempotency_keys: 'idempotency keys',
  dead_letters: 'dead letters',
  parked: 'parked activities',
  tokens: 'tokens',
}

/** removedText describes what a run removed, by the payload of its record. */
export function removedText(payload: Record<string, unknown>): string {
  const parts = Object.entries(labels)
    .map(([key, label]) => [Number(payload[key] ?? 0), label] as const)
    .filter(([n]) => n > 0)
    .map(([n, label]) => `${n.toLocaleString('en-US')} ${label}`)
  return parts.length > 0 ? `Removed ${parts.join(', ')}` : 'Removed nothing that is counted'
}
