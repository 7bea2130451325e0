// The company in the pictures, and what its workers have delivered in the last hour.
import type { BrowserContextOptions } from 'playwright-core'
import { browser } from '../harness/browser.ts'
import { type Activity, newWorld, signIn, sql, stage, type World } from '../harness/index.ts'

type Session = NonNullable<BrowserContextOptions['storageState']>

export interface Company {
  world: World
  /** The sessions of the people. Ada operates the installation. */
  sessions: { ada: Session; grace: Session }
  /** A comment, of which several people are notified. */
  comment: string
}

/** Creates the world of the pictures. */
export async function company(): Promise<Company> {
  const world = await newWorld({ activities: 400, crowd: 40, trouble: true })
  await sql(
    `UPDATE fanfare.dead_letters SET error = 'render the summary: the field "rows" is not a number'
     WHERE tenant_id = $1::uuid AND error LIKE 'render the summary%'`,
    world.tenant,
  )
  // A session is an activity too: those below are newer.
  const sessions = { ada: await session(world, 'ada', stage.operator_scopes), grace: await session(world, 'grace', []) }
  const ids = await world.deliver(...latest)
  return { world, sessions, comment: ids[latest.findIndex(({ action }) => action === 'comment.created')]! }
}

const latest: Activity[] = [
  { action: 'file.uploaded', actor: 'mei', resource: 'mercury-brand', payload: { file_id: 'f-8', bytes: 91_310 } },
  {
    action: 'job.failed',
    actor: 'ci',
    resource: 'atlas-nightly',
    payload: { job_id: 'nightly-214', error: 'flash: the verification of block 17 failed', attempt: 1 },
    fields: { severity: 'error', status: 'failure' },
  },
  {
    action: 'comment.created',
    actor: 'linus',
    resource: 'atlas-grip',
    targets: ['grace'],
    payload: {
      comment_id: 'c-81',
      body: '@Grace I measured it again: 7.6 ms at the 99th percentile, with the new driver.',
      attachments: [{ name: 'trace.csv', bytes: 48_213 }],
    },
  },
  { action: 'resource.updated', actor: 'mei', resource: 'atlas-spec', payload: { changed: ['title', 'status'] } },
]

async function session(world: World, person: string, scopes: string[]): Promise<Session> {
  const context = await (await browser()).newContext({ baseURL: stage.url })
  try {
    const page = await context.newPage()
    await signIn(page, world, person, scopes)
    return await context.storageState()
  } finally {
    await context.close()
  }
}

// addHour adds what the workers of a busier installation deliver, for the hour before a picture and
// while it is taken.
export async function addHour(): Promise<void> {
  await sql(`
    INSERT INTO fanfare.samples AS s
        (place, began_at, settled, publications, latency, pending, oldest_age, parked, dead_letters)
    SELECT mod(extract(epoch FROM began_at)::bigint / 10, 8640)::int, began_at, load, load * 3,
           array_fill(0::bigint, ARRAY[5]) ||
           ARRAY[load / 10, load / 4, load / 3, load / 5, load / 12, load / 40, load / 150],
           load / 40, load / 2500.0, 3, 12
    FROM (
        SELECT to_timestamp((floor(extract(epoch FROM clock_timestamp()) / 10) + n) * 10) AS began_at,
               (420 + 160 * sin(n / 37.0) + 60 * sin(n / 5.0)
                + greatest(0, 700 - 60 * abs(n + 200)) + 40 * sin(n * n))::int AS load
        FROM generate_series(-360, 90) AS n
    ) AS loads
    ON CONFLICT (place) DO UPDATE SET (
        began_at, settled, publications, latency, pending, oldest_age, parked, dead_letters
    ) = (
        excluded.began_at, excluded.settled, excluded.publications, excluded.latency, excluded.pending,
        excluded.oldest_age, excluded.parked, excluded.dead_letters
    )`)
}
