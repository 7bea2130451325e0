import { type Client, type components, ProblemError, unwrap } from '@fanfare/client'
import type { ReactiveController, ReactiveControllerHost } from 'lit'
import { Debounce } from '../debounce.ts'

export type PatternResults = components['schemas']['PatternResults']

/** An action that patterns match. */
export interface Match {
  action: string
  /** Activities of the last seven days. */
  count: number
  /** False for what has happened without being in the taxonomy. */
  known: boolean
}

/** A fault of patterns: the index of the pattern, and the rule that it violates. */
export interface Fault {
  index: number
  rule: string
}

/** matchesOf returns the actions of a trial, those that happen most first. */
export function matchesOf(results: PatternResults): Match[] {
  const counts = new Map((results.recent?.actions ?? []).map((a) => [a.action, a.count]))
  const known = new Set(results.taxonomy)
  const all = new Set([...known, ...counts.keys()])
  return [...all]
    .map((action) => ({ action, count: counts.get(action) ?? 0, known: known.has(action) }))
    .sort((a, b) => b.count - a.count || (a.action < b.action ? -1 : 1))
}

/** faultsOf returns the faults of patterns that an answer names. */
export function faultsOf(error: unknown): Fault[] {
  if (!(error instanceof ProblemError)) return []
  return (error.problem.errors ?? []).flatMap(({ field, rule }) => {
    const index = /\[(\d+)\]$/.exec(field)?.[1]
    return index === undefined ? [] : [{ index: Number(index), rule }]
  })
}

/** split returns the patterns of a text in which spaces, commas or lines separate them. */
export function split(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/u).filter(Boolean))]
}

/** Trial tests patterns while a person edits them, and holds the last results. */
export class Trial implements ReactiveController {
  results: PatternResults | undefined
  faults: Fault[] = []
  error: unknown
  pending = false
  #host: ReactiveControllerHost
  #delay: number
  #typing = new Debounce()
  #abort: AbortController | undefined
  #tested = ''

  constructor(host: ReactiveControllerHost, delay = 200) {
    this.#host = host
    this.#delay = delay
    host.addController(this)
  }

  hostDisconnected(): void {
    this.#typing.cancel()
    this.#abort?.abort()
    this.#tested = ''
  }

  /** test tests patterns soon, unless they are those of the last test. */
  test(client: Client, patterns: readonly string[], again = false): void {
    const key = JSON.stringify(patterns)
    if (key === this.#tested && !again) return
    this.#tested = key
    this.#typing.cancel()
    this.#abort?.abort()
    if (patterns.length === 0) {
      this.#set({ results: undefined, faults: [], error: undefined, pending: false })
      return
    }
    this.pending = true
    const delay = this.results || this.faults.length > 0 ? this.#delay : 0
    this.#typing.after(delay, () => void this.#run(client, patterns))
  }

  async #run(client: Client, patterns: readonly string[]): Promise<void> {
    const abort = new AbortController()
    this.#abort = abort
    try {
      const results = await trial(client, patterns, abort.signal)
      if (!abort.signal.aborted) this.#set({ results, faults: [], error: undefined, pending: false })
    } catch (error) {
      if (abort.signal.aborted) return
      const faults = faultsOf(error)
      this.#set({ results: undefined, faults, error: faults.length > 0 ? undefined : error, pending: false })
    }
  }

  #set(change: Partial<Pick<Trial, 'results' | 'faults' | 'error' | 'pending'>>): void {
    Object.assign(this, change)
    this.#host.requestUpdate()
  }
}

/** trial asks the API what patterns match. */
export async function trial(
  client: Client,
  patterns: readonly string[],
  signal?: AbortSignal,
): Promise<PatternResults> {
  const body = { patterns: [...patterns], actions: [], recent: true }
  return unwrap(client.POST('/notifications/preferences/test', signal ? { body, signal } : { body }))
}
