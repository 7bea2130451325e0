-- Runs of retention: their lease, their progress, and the activities that they may remove. Each
-- function derives from the policies, the holds and the pending activities what may be removed, so
-- its callers cannot remove more.

-- The progress with each tenant. entries_cut is the id of the tenant's entries-th newest activity
-- at the time of measuring. Activities are removed from the old end only, so those below the cut
-- remain below it. The idempotency keys of the activities up to keys_upto are removed.
--
-- Records of what was done to the log are removed min_days after the activities before them, so
-- that each outlives what it records. At passed_at, the activities below passed_cut had been
-- removed; min_days later, records_cut takes the value of passed_cut.
CREATE TABLE fanfare.retention_progress (
    tenant_id   uuid PRIMARY KEY,
    entries     bigint,
    entries_cut uuid,
    keys_upto   uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    records_cut uuid,
    passed_cut  uuid,
    passed_at   timestamptz
);

-- Numbers of removed rows that are not recorded in the tenant's log yet. They are added in the
-- transactions that remove rows, and deleted in the one that records them, so that no removal goes
-- unrecorded if a run is interrupted.
CREATE TABLE fanfare.retention_unrecorded (
    tenant_id        uuid        PRIMARY KEY,
    run_id           uuid        NOT NULL,
    activities       bigint      NOT NULL DEFAULT 0,
    notifications    bigint      NOT NULL DEFAULT 0,
    idempotency_keys bigint      NOT NULL DEFAULT 0,
    dead_letters     bigint      NOT NULL DEFAULT 0,
    parked           bigint      NOT NULL DEFAULT 0,
    service_tokens   bigint      NOT NULL DEFAULT 0,
    batches          bigint      NOT NULL DEFAULT 0,
    below            uuid,       -- the ids of the removed activities are below it
    began_at         timestamptz NOT NULL DEFAULT now(),
    partitions       text[]      NOT NULL DEFAULT '{}'
);

-- The lease of the run in progress. Unlike a lock of a session, it works with a connection pooler
-- that assigns a session to each transaction, and it stores when the last run began, so that any
-- number of processes start one run per interval. Each step of a run renews the lease, or fails.
CREATE TABLE fanfare.retention_lease (
    only_row   boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    holder     uuid,
    expires_at timestamptz,
    began_at   timestamptz,
    ended_at   timestamptz
) WITH (fillfactor = 50);
INSERT INTO fanfare.retention_lease DEFAULT VALUES;

-- Returns the id below which the tenant's activities have expired, or null if none has. min_days
-- has precedence over the other limits.
CREATE FUNCTION fanfare.retention_cut(tenant uuid) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT greatest(
        CASE WHEN p.max_days > 0 THEN fanfare.retention_floor(greatest(p.max_days, p.min_days)) END,
        -- A cut that was measured for fewer entries than the policy permits now is too high.
        CASE WHEN p.max_entries > 0 AND g.entries >= p.max_entries AND g.entries_cut IS NOT NULL
            THEN least(g.entries_cut, fanfare.retention_floor(p.min_days)) END
    )
    FROM fanfare.retention_of(tenant) AS p
    LEFT JOIN fanfare.retention_progress AS g ON g.tenant_id = tenant
    WHERE NOT EXISTS (
        SELECT FROM fanfare.legal_holds AS h
        WHERE h.tenant_id = tenant AND h.released_at IS NULL
          AND h.resource_id IS NULL AND h.actor_principal_id IS NULL)
$$;

-- Returns the id below which the tenant's records of what was done to its log have expired, or null
-- if none has. While a hold is effective, and min_days after the release of one, none has: the
-- records of holds are among them.
CREATE FUNCTION fanfare.retention_records_cut(tenant uuid) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT least(g.records_cut, fanfare.retention_floor(p.min_days))
    FROM fanfare.retention_of(tenant) AS p
    JOIN fanfare.retention_progress AS g ON g.tenant_id = tenant
    WHERE g.records_cut IS NOT NULL
      AND fanfare.retention_cut(tenant) IS NOT NULL
      AND NOT EXISTS (
          SELECT FROM fanfare.legal_holds AS h
          WHERE h.tenant_id = tenant
            AND (h.released_at IS NULL OR h.released_at > now() - make_interval(hours => 24 * p.min_days)))
$$;

-- Stores that the tenant's expired activities below cut have been removed.
CREATE FUNCTION fanfare.retention_passed(tenant uuid, cut uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO fanfare.retention_progress AS g (tenant_id, passed_cut, passed_at)
    VALUES (tenant, cut, now())
    ON CONFLICT (tenant_id) DO UPDATE
    SET records_cut = g.passed_cut, passed_cut = excluded.passed_cut, passed_at = excluded.passed_at
    WHERE g.passed_at IS NULL
       OR g.passed_at <= now() - make_interval(hours => 24 * (fanfare.retention_of(tenant)).min_days)
$$;

-- Returns those of the activities that must be retained: pending ones, dead letters, those under a
-- hold, and records of what was done to the log that have not expired. One statement reads the
-- tables of pending activities, so that it does not miss an activity that moves between them.
CREATE FUNCTION fanfare.retention_kept(tenant uuid, ids uuid[]) RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan SET enable_seqscan = on SET jit = off AS $$
DECLARE
    kept    uuid[];
    low     uuid;
    high    uuid;
    records CONSTANT uuid := fanfare.retention_records_cut(tenant);
BEGIN
    SELECT array_agg(p.activity_id) INTO kept
    FROM (
        SELECT activity_id FROM fanfare.outbox WHERE tenant_id = tenant AND activity_id = ANY (ids)
        UNION ALL
        SELECT activity_id FROM fanfare.parked WHERE tenant_id = tenant AND activity_id = ANY (ids)
        UNION ALL
        SELECT activity_id FROM fanfare.fan_out_jobs WHERE tenant_id = tenant AND activity_id = ANY (ids)
        UNION ALL
        SELECT activity_id FROM fanfare.dead_letters WHERE tenant_id = tenant AND activity_id = ANY (ids)
    ) AS p;
    IF EXISTS (SELECT FROM fanfare.legal_holds WHERE tenant_id = tenant AND released_at IS NULL) THEN
        SELECT kept || array_agg(a.id) INTO kept
        FROM fanfare.activities AS a
        WHERE a.tenant_id = tenant AND a.id = ANY (ids) AND EXISTS (
            SELECT FROM fanfare.legal_holds AS h
            WHERE h.tenant_id = tenant AND h.released_at IS NULL
              AND (h.resource_id IS NULL OR h.resource_id = a.resource_id)
              AND (h.actor_principal_id IS NULL OR h.actor_principal_id = a.actor_principal_id));
    END IF;
    -- With the bounds, partitions are pruned.
    low := (SELECT u.id FROM unnest(ids) AS u(id) ORDER BY u.id LIMIT 1);
    high := (SELECT u.id FROM unnest(ids) AS u(id) ORDER BY u.id DESC LIMIT 1);
    SELECT kept || array_agg(a.id) INTO kept
    FROM fanfare.activities AS a
    WHERE a.tenant_id = tenant AND a.id = ANY (ids) AND a.id >= low AND a.id <= high
      AND fanfare.records_the_log(a.action) AND (records IS NULL OR a.id >= records);
    RETURN coalesce(kept, '{}');
END
$$;

-- Acquires the lease for a run, and returns whether it succeeded. It fails if another run holds the
-- lease, or if the last run began less than min_interval ago; null means no minimum interval.
CREATE FUNCTION fanfare.retention_begin(run uuid, min_interval interval) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- The row is locked while a step of another run is in progress.
    PERFORM FROM fanfare.retention_lease AS l
    WHERE (l.holder IS NULL OR l.expires_at < clock_timestamp())
      AND (min_interval IS NULL OR l.began_at IS NULL OR l.began_at <= clock_timestamp() - min_interval)
    FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE fanfare.retention_lease
    SET holder = run, began_at = clock_timestamp(), expires_at = clock_timestamp() + interval '2 minutes';
    RETURN true;
END
$$;

-- Releases the lease of a run, if the run holds it.
CREATE FUNCTION fanfare.retention_end(run uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE fanfare.retention_lease
    SET holder = NULL, expires_at = NULL, ended_at = clock_timestamp()
    WHERE holder = run
$$;

-- Begins a step of a run: renews the lease, and locks the policies and the holds against changes
-- until the end of the transaction. So the step sees each hold that was placed before it, and no
-- hold is placed while it removes rows.
CREATE FUNCTION fanfare.retention_step(run uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE fanfare.retention_lease SET expires_at = clock_timestamp() + interval '2 minutes' WHERE holder = run;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'retention run % does not hold the lease', run USING ERRCODE = 'object_in_use';
    END IF;
    LOCK TABLE fanfare.retention, fanfare.legal_holds IN SHARE MODE;
END
$$;

-- Adds numbers of removed rows to those that are to be recorded. Nulls count as 0.
CREATE FUNCTION fanfare.retention_note(removed fanfare.retention_unrecorded) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO fanfare.retention_unrecorded AS u (
        tenant_id, run_id, activities, notifications, idempotency_keys, dead_letters, parked, service_tokens,
        batches, below, partitions
    )
    SELECT
        removed.tenant_id,
        removed.run_id,
        coalesce(removed.activities, 0),
        coalesce(removed.notifications, 0),
        coalesce(removed.idempotency_keys, 0),
        coalesce(removed.dead_letters, 0),
        coalesce(removed.parked, 0),
        coalesce(removed.service_tokens, 0),
        coalesce(removed.batches, 0),
        removed.below,
        coalesce(removed.partitions, '{}')
    ON CONFLICT (tenant_id) DO UPDATE
    SET activities = u.activities + excluded.activities,
        notifications = u.notifications + excluded.notifications,
        idempotency_keys = u.idempotency_keys + excluded.idempotency_keys,
        dead_letters = u.dead_letters + excluded.dead_letters,
        parked = u.parked + excluded.parked,
        service_tokens = u.service_tokens + excluded.service_tokens,
        batches = u.batches + excluded.batches,
        below = greatest(u.below, excluded.below),
        partitions = u.partitions || excluded.partitions
$$;

-- Returns the next tenant, in the order of ids, that has rows which can expire, or null.
CREATE FUNCTION fanfare.retention_next(tenant uuid) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT least(
        (SELECT tenant_id FROM fanfare.activities WHERE tenant_id > tenant ORDER BY tenant_id LIMIT 1),
        (SELECT tenant_id FROM fanfare.notifications WHERE tenant_id > tenant ORDER BY tenant_id LIMIT 1),
        (SELECT tenant_id FROM fanfare.dead_letters WHERE tenant_id > tenant ORDER BY tenant_id LIMIT 1),
        (SELECT tenant_id FROM fanfare.service_tokens WHERE tenant_id > tenant ORDER BY tenant_id LIMIT 1))
$$;

-- Returns a page of tenants in the order of their ids, with the steps that each may need:
-- retention_measure (measure), purge_expired (expired), purge_notifications (inbox), purge_keys
-- (keys) and purge_activities (due). Returns only_tenant alone if it is not null.
CREATE FUNCTION fanfare.retention_tenants(only_tenant uuid, after uuid, page int)
    RETURNS TABLE (tenant_id uuid, measure boolean, expired boolean, inbox boolean, keys boolean, due boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off SET enable_sort = off SET jit = off AS $$
    WITH RECURSIVE tenants AS (
        SELECT coalesce(only_tenant, fanfare.retention_next(after)) AS id
        UNION ALL
        SELECT fanfare.retention_next(t.id) FROM tenants AS t WHERE t.id IS NOT NULL AND only_tenant IS NULL
    )
    SELECT
        t.id,
        p.max_entries > 0 AND EXISTS (
            SELECT FROM fanfare.activities AS a
            WHERE a.tenant_id = t.id AND a.id < fanfare.retention_floor(p.min_days)),
        EXISTS (
            SELECT FROM fanfare.dead_letters AS d
            WHERE d.tenant_id = t.id AND d.died_at < fanfare.days_ago(p.dead_letter_days))
        OR EXISTS (
            SELECT FROM fanfare.service_tokens AS s
            WHERE s.tenant_id = t.id AND least(s.expires_at, s.revoked_at) < fanfare.days_ago(p.token_days)),
        EXISTS (SELECT FROM fanfare.notifications AS n WHERE n.tenant_id = t.id),
        EXISTS (
            SELECT FROM fanfare.activities AS a
            WHERE a.tenant_id = t.id
              AND a.id < greatest(fanfare.uuidv7_floor(fanfare.days_ago(p.idempotency_days)), c.cut)
              AND a.id > coalesce(g.keys_upto, '00000000-0000-0000-0000-000000000000')),
        EXISTS (SELECT FROM fanfare.activities AS a WHERE a.tenant_id = t.id AND a.id < c.cut)
    FROM (SELECT id FROM tenants WHERE id IS NOT NULL LIMIT page) AS t
    CROSS JOIN LATERAL fanfare.retention_of(t.id) AS p
    CROSS JOIN LATERAL fanfare.retention_cut(t.id) AS c(cut)
    LEFT JOIN fanfare.retention_progress AS g ON g.tenant_id = t.id
    ORDER BY t.id
$$;

-- Stores the id at which the tenant's newest max_entries activities end.
CREATE FUNCTION fanfare.retention_measure(tenant uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan SET enable_sort = off SET enable_seqscan = off SET jit = off AS $$
DECLARE
    max_entries bigint := (fanfare.retention_of(tenant)).max_entries;
    cut         uuid;
BEGIN
    IF max_entries > 0 THEN
        SELECT a.id INTO cut
        FROM fanfare.activities AS a
        WHERE a.tenant_id = tenant
        ORDER BY a.id DESC
        OFFSET max_entries - 1
        LIMIT 1;
    END IF;
    INSERT INTO fanfare.retention_progress AS g (tenant_id, entries, entries_cut)
    VALUES (tenant, max_entries, cut)
    ON CONFLICT (tenant_id) DO UPDATE
    SET entries = excluded.entries, entries_cut = excluded.entries_cut
    WHERE (g.entries, g.entries_cut) IS DISTINCT FROM (excluded.entries, excluded.entries_cut);
END
$$;

REVOKE ALL ON FUNCTION
    fanfare.retention_cut,
    fanfare.retention_records_cut,
    fanfare.retention_passed,
    fanfare.retention_kept,
    fanfare.retention_begin,
    fanfare.retention_end,
    fanfare.retention_step,
    fanfare.retention_note,
    fanfare.retention_next,
    fanfare.retention_tenants,
    fanfare.retention_measure
FROM PUBLIC;

---- create above / drop below ----

DROP FUNCTION fanfare.retention_measure;
DROP FUNCTION fanfare.retention_tenants;
DROP FUNCTION fanfare.retention_next;
DROP FUNCTION fanfare.retention_note;
DROP FUNCTION fanfare.retention_step;
DROP FUNCTION fanfare.retention_end;
DROP FUNCTION fanfare.retention_begin;
DROP FUNCTION fanfare.retention_kept;
DROP FUNCTION fanfare.retention_passed;
DROP FUNCTION fanfare.retention_records_cut;
DROP FUNCTION fanfare.retention_cut;
DROP TABLE fanfare.retention_lease;
DROP TABLE fanfare.retention_unrecorded;
DROP TABLE fanfare.retention_progress;
