import { type Client, ProblemError, unwrap } from '@fanfare/client'
import type { FollowStore, LevelChange, Scope, Undo } from '@fanfare/elements/following/store'
import { followTexts } from '@fanfare/elements/following/texts'

/** What to do with each selected resource. */
export type BulkAction = { follow: Scope } | { unfollow: true } | { level: LevelChange | undefined }

export interface BulkFailure {
  id: string
  why: string
}

export interface BulkResult {
  done: string[]
  failed: BulkFailure[]
  undo: Undo
}

const chunk = 100
const parallel = 4

/** runBulk does it, and reports after each part how many are done. A failure does not affect the others. */
export async function runBulk(
  store: FollowStore,
  ids: readonly string[],
  action: BulkAction,
  progress: (done: number) => void,
): Promise<BulkResult> {
  const result: BulkResult = { done: [], failed: [], undo: async () => {} }
  const undos: Undo[] = []
  const step = (): void => progress(result.done.length + result.failed.length)
  if ('follow' in action) await followMany(store, ids, action.follow, result, undos, step)
  else {
    await each(ids, async (id) => {
      if ('unfollow' in action && !store.own(id) && store.throughGroups.includes(id)) {
        result.failed.push({ id, why: followTexts.ofGroup })
        return step()
      }
      const change = 'level' in action ? store.setLevel(id, action.level) : store.follow(id, undefined)
      try {
        undos.push(await change)
        result.done.push(id)
      } catch (error) {
        result.failed.push({ id, why: why(error) })
      }
      step()
    })
  }
  result.undo = async () => {
    const outcomes = await Promise.allSettled(undos.map((undo) => undo()))
    const failed = outcomes.find((o) => o.status === 'rejected')
    if (failed) throw failed.reason
  }
  return result
}

async function followMany(
  store: FollowStore,
  ids: readonly string[],
  scope: Scope,
  result: BulkResult,
  undos: Undo[],
  step: () => void,
): Promise<void> {
  const before = new Map(ids.map((id) => [id, store.own(id)]))
  const wanted = ids.filter((id) => before.get(id) !== scope)
  result.done.push(...ids.filter((id) => before.get(id) === scope))
  for (let from = 0; from < wanted.length; from += chunk) {
    const part = wanted.slice(from, from + chunk)
    try {
      const results = await subscribe(store.client, part, scope)
      store.add(results.flatMap((r) => r.subscription ?? []))
      for (const r of results) {
        if (!r.subscription) {
          result.failed.push({ id: r.resource_id, why: missing })
          continue
        }
        result.done.push(r.resource_id)
        undos.push(async () => void (await store.follow(r.resource_id, before.get(r.resource_id))))
      }
      // The other scope goes once the new one is there.
      await each(
        results.filter((r) => r.subscription && before.get(r.resource_id)).map((r) => r.resource_id),
        async (id) => void (await store.follow(id, scope).catch(() => {})),
      )
    } catch (error) {
      result.failed.push(...part.map((id) => ({ id, why: why(error) })))
    }
    step()
  }
}

async function subscribe(client: Client, ids: readonly string[], scope: Scope) {
  const subscriptions = ids.map((id) => ({ resource_id: id, scope }))
  return (await unwrap(client.POST('/subscriptions/bulk', { body: { subscriptions } }))).results
}

async function each(ids: readonly string[], run: (id: string) => Promise<void>): Promise<void> {
  const queue = [...ids]
  const worker = async (): Promise<void> => {
    for (let id = queue.shift(); id !== undefined; id = queue.shift()) await run(id)
  }
  await Promise.all(Array.from({ length: parallel }, worker))
}

const missing = 'It was removed, or you may no longer see it.'

function why(error: unknown): string {
  if (error instanceof ProblemError && error.status === 404) return missing
  return error instanceof Error ? error.message : String(error)
}
