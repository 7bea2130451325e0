import { html } from 'lit'
import { count, duration, plural, rate, since } from '../../parts/format.ts'
import { heat, heatNames, ranges } from './lane_heat.ts'
import { condensed } from './series.ts'
import type { History, Lane, Worker } from './types.ts'
import '@fanfare/elements/chip'
import '@fanfare/elements/time'

/** The most rows of the table of the history. */
const rows = 60

const none = '–'

/** historyTable renders the history as a table, the latest first. */
export function historyTable(history: History): unknown {
  const number = (value: number | null, text: (n: number) => string): string => (value === null ? none : text(value))
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Delivery over time"><table>
    <thead><tr><th scope="col">Time</th><th scope="col" class="number">Delivered/s</th>
      <th scope="col" class="number">Publications/s</th><th scope="col" class="number">Median</th>
      <th scope="col" class="number">p99</th><th scope="col" class="number">Pending</th>
      <th scope="col" class="number">Oldest</th><th scope="col" class="number">Parked</th>
      <th scope="col" class="number">Dead</th></tr></thead>
    <tbody>${condensed(history, rows).map(
      (p) => html`<tr><td class="nowrap"><ff-time datetime=${p.at} format="exact"></ff-time></td>
        <td class="number">${rate(p.settled_per_second)}</td><td class="number">${rate(p.publications_per_second)}</td>
        <td class="number">${number(p.latency_p50_seconds, duration)}</td>
        <td class="number">${number(p.latency_p99_seconds, duration)}</td>
        <td class="number">${number(p.pending, count)}</td>
        <td class="number">${number(p.oldest_age_seconds, duration)}</td>
        <td class="number">${number(p.parked, count)}</td>
        <td class="number">${number(p.dead_letters, count)}</td></tr>`,
    )}</tbody></table></div>`
}

/** laneTable renders the lanes in which something waits as a table. */
export function laneTable(lanes: readonly Lane[]): unknown {
  const now = Date.now()
  const used = lanes.filter((l) => l.pending + l.parked + l.fan_out_jobs > 0)
  if (used.length === 0) return html`<p class="muted">Nothing waits in any of the ${lanes.length} lanes.</p>`
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Lanes"><table>
    <thead><tr><th scope="col">Lane</th><th scope="col">State</th><th scope="col" class="number">Pending</th>
      <th scope="col" class="number">Oldest</th><th scope="col" class="number">Parked</th>
      <th scope="col" class="number">Failed</th><th scope="col" class="number">Jobs</th></tr></thead>
    <tbody>${used.map(
      (l) => html`<tr><td>${l.lane}</td><td>${heatNames[heat(l, now)]}</td><td class="number">${count(l.pending)}</td>
        <td class="number">${l.oldest_at ? duration(since(l.oldest_at, now)) : none}</td>
        <td class="number">${count(l.parked)}</td><td class="number">${count(l.failing)}</td>
        <td class="number">${count(l.fan_out_jobs)}</td></tr>`,
    )}</tbody></table></div>
    <p class="muted">The other ${plural(lanes.length - used.length, 'lane is', 'lanes are')} empty.</p>`
}

/** workerTable renders the workers as a table. */
export function workerTable(workers: readonly Worker[]): unknown {
  if (workers.length === 0) {
    return html`<p class="muted">No worker has registered. Start <code>fanfare worker</code> or
      <code>fanfare run</code>.</p>`
  }
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Workers"><table>
    <thead><tr><th scope="col">Worker</th><th scope="col">State</th><th scope="col">Lanes</th>
      <th scope="col" class="number">Delivered/s</th><th scope="col" class="number">Publications/s</th>
      <th scope="col">Started</th><th scope="col">Seen</th></tr></thead>
    <tbody>${workers.map(
      (w) => html`<tr><td><span class="mono">${w.name}</span> <span class="muted">${w.version}</span></td>
        <td><ff-chip tone=${w.live ? 'success' : 'warning'}>${w.live ? 'live' : 'silent'}</ff-chip></td>
        <td title=${ranges(w.lanes)}>${w.lanes.length === 0 ? none : `${w.lanes.length}: ${ranges(w.lanes)}`}</td>
        <td class="number">${rate(w.settled_per_second)}</td><td class="number">${rate(w.publications_per_second)}</td>
        <td class="nowrap"><ff-time datetime=${w.started_at}></ff-time></td>
        <td class="nowrap"><ff-time datetime=${w.seen_at}></ff-time></td></tr>`,
    )}</tbody></table></div>`
}
