// A history of many rows. What the daemon has delivered is copied, since delivering 50,000 activities takes minutes.
import { newWorld, sql, type World } from '../harness/index.ts'

const delivered = 400

// Copies of the tenant's activities: $2 of them, ten seconds apart, before $3. $4 is the number of the originals.
const copyActivities = `
  WITH original AS MATERIALIZED (
    SELECT to_jsonb(a) AS whole, row_number() OVER (ORDER BY id) - 1 AS n
    FROM fanfare.activities AS a WHERE tenant_id = $1::uuid
  ), place AS MATERIALIZED (
    SELECT g % $4::bigint AS n, $3::timestamptz - g * interval '10 seconds' AS at
    FROM generate_series(1::bigint, $2::bigint) AS g
  )
  INSERT INTO fanfare.activities
  SELECT x.* FROM place JOIN original USING (n) CROSS JOIN LATERAL jsonb_populate_record(NULL::fanfare.activities,
    whole || jsonb_build_object('id', fanfare.uuidv7(at), 'recorded_at', at, 'occurred_at', at)) AS x`

// Notifies a person of the newest activities, $3 of them, which are read.
const notify = `
  INSERT INTO fanfare.notifications
    (tenant_id, principal_id, activity_id, created_at, seen_at, read_at, reasons, resource_id, visibility, party)
  SELECT tenant_id, $2::uuid, id, recorded_at, now(), now(), (
    SELECT min(reasons) FROM fanfare.notifications WHERE tenant_id = $1::uuid AND principal_id = $2::uuid),
    resource_id, left(visibility, 1)::"char", false
  FROM fanfare.activities
  WHERE tenant_id = $1::uuid AND visibility <> 'private'
  ORDER BY id DESC LIMIT $3::int
  ON CONFLICT DO NOTHING`

/** Creates a world with at least this number of activities, and of notifications of Ada, who sees everything. */
export async function worldWithHistory(rows: number): Promise<World> {
  const world = await newWorld({ activities: delivered })
  const more = Math.ceil(rows * 1.1)
  const [first] = await sql<{ oldest: string; n: number }>(
    'SELECT min(recorded_at)::text AS oldest, count(*)::int AS n FROM fanfare.activities WHERE tenant_id = $1::uuid',
    world.tenant,
  )
  await sql(copyActivities, world.tenant, String(more), first?.oldest ?? '', String(first?.n ?? 0))
  await sql(notify, world.tenant, world.person('ada').id, rows + delivered)
  await sql('ANALYZE fanfare.activities, fanfare.notifications')
  return world
}

/** The ids of the newest activities of a world. */
export async function newestActivities(world: World, limit: number): Promise<string[]> {
  const rows = await sql<{ id: string }>(
    'SELECT id FROM fanfare.activities WHERE tenant_id = $1::uuid ORDER BY id DESC LIMIT $2::int',
    world.tenant,
    limit,
  )
  return rows.map((row) => row.id)
}

/** The ids of the newest notifications of a person. */
export async function newestNotifications(world: World, person: string, limit: number): Promise<string[]> {
  const rows = await sql<{ id: string }>(
    `SELECT activity_id AS id FROM fanfare.notifications WHERE tenant_id = $1::uuid AND principal_id = $2::uuid
       AND archived_at IS NULL AND snoozed_until IS NULL ORDER BY activity_id DESC LIMIT $3::int`,
    world.tenant,
    world.person(person).id,
    limit,
  )
  return rows.map((row) => row.id)
}
