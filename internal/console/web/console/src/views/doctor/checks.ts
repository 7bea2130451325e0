import type { components } from '@fanfare/client'
import { plural } from '../../parts/format.ts'

export type Report = components['schemas']['DoctorReport']
export type Check = components['schemas']['DoctorCheck']

export interface CheckGroup {
  id: string
  title: string
  checks: Check[]
}

const order: Record<Check['status'], number> = { fail: 0, warn: 1, skipped: 2, ok: 3 }

const titles: Record<string, string> = { postgres: 'PostgreSQL', centrifugo: 'Centrifugo' }

/** grouped returns the checks in groups by what they examine: what failed first, then in the order of the report. */
export function grouped(checks: readonly Check[]): CheckGroup[] {
  const groups = new Map<string, Check[]>()
  for (const check of checks) {
    const id = check.name.split('-', 1)[0] ?? ''
    groups.set(id, [...(groups.get(id) ?? []), check])
  }
  const worst = (list: readonly Check[]): number => Math.min(...list.map((c) => order[c.status]))
  return [...groups]
    .map(([id, list]) => ({
      id,
      title: titles[id] ?? id,
      checks: list.toSorted((a, b) => order[a.status] - order[b.status]),
    }))
    .sort((a, b) => Number(worst(a.checks) >= 2) - Number(worst(b.checks) >= 2) || worst(a.checks) - worst(b.checks))
}

/** nameOf returns the name of a check without its group: "bad tokens". */
export function nameOf(check: Check): string {
  return check.name.replace(/^[^-]+-/, '').replaceAll('-', ' ')
}

/** isCommand reports whether a remedy is SQL or a command of fanfare, and nothing else. */
export function isCommand(remedy: string): boolean {
  return /^([A-Z]{3,} [^]*;|fanfare( [a-z-]+)+)$/.test(remedy)
}

/** verdict reports how many checks failed. */
export function verdict(checks: readonly Check[]): { tone: 'ok' | 'warning' | 'error'; text: string } {
  const n = (status: Check['status']): number => checks.filter((c) => c.status === status).length
  const parts: string[] = []
  if (n('fail') > 0) parts.push(`${n('fail')} failed`)
  if (n('warn') > 0) parts.push(plural(n('warn'), 'warning'))
  if (n('skipped') > 0) parts.push(`${n('skipped')} skipped`)
  parts.push(`${n('ok')} passed`)
  return { tone: n('fail') > 0 ? 'error' : n('warn') > 0 ? 'warning' : 'ok', text: parts.join(', ') }
}

const marks: Record<Check['status'], string> = { ok: 'ok', warn: 'WARN', fail: 'FAIL', skipped: 'skipped' }

/** textOf returns a report as plain text, for an issue or a chat. */
export function textOf(report: Report): string {
  const lines = report.checks.map((c) => {
    const remedy = c.remedy ? `\n        remedy: ${c.remedy}` : ''
    return `${marks[c.status].padEnd(8)}${c.name}: ${c.detail}${remedy}`
  })
  return [`fanfare doctor, ${report.examined_at}`, ...lines].join('\n')
}
