-- How far retention is with a tenant. entries_cut was the id of the tenant's entries-th newest
-- activity; since activities only leave from the old end, what was beyond it stays beyond it. The
-- idempotency keys of the ids up to keys_upto are gone.
CREATE TABLE fanfare.retention_progress (
    tenant_id   uuid PRIMARY KEY,
    entries     bigint,
    entries_cut uuid,
    keys_upto   uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000'
);

-- What was removed of a tenant and not yet recorded in its log: written in the transactions that
-- remove, taken out in the one that records, so that no purge goes unrecorded, wherever it stops.
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
    below            uuid,       -- activities that went are below it
    began_at         timestamptz NOT NULL DEFAULT now(),
    partitions       text[]      NOT NULL DEFAULT '{}'
);

-- Who runs. A lease and not a session's lock: it works behind a pooler that hands each transaction
-- another session, and it says when the last run was, so that any number of processes make one run
-- an interval. Every step renews it, or does nothing.
CREATE TABLE fanfare.retention_lease (
    only_row   boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    holder     uuid,
    expires_at timestamptz,
    began_at   timestamptz,
    ended_at   timestamptz
) WITH (fillfactor = 50);

INSERT INTO fanfare.retention_lease DEFAULT VALUES;

-- The tenant's activities with ids below it have had their time; null when none have. min_days goes
-- before all else.
CREATE FUNCTION fanfare.retention_cut(tenant uuid) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT greatest(
        CASE WHEN p.max_days > 0 THEN fanfare.retention_floor(greatest(p.max_days, p.min_days)) END,
        -- A cut that was measured for fewer entries than are kept now would take too much.
        CASE WHEN p.max_entries > 0 AND g.entries >= p.max_entries AND g.entries_cut IS NOT NULL
            THEN least(g.entries_cut, fanfare.retention_floor(p.min_days)) END)
    FROM fanfare.retention_of(tenant) AS p LEFT JOIN fanfare.retention_progress AS g ON g.tenant_id = tenant
    WHERE NOT EXISTS (
        SELECT FROM fanfare.legal_holds AS h
        WHERE h.tenant_id = tenant AND h.released_at IS NULL AND h.resource_id IS NULL AND h.actor_principal_id IS NULL)
$$;

-- Which of these activities must not go now: those that are still to be told, or given up and not
-- forgotten, and those under a hold. What is pending is seen in one statement, so that one on its
-- way from one table to another is not missed.
CREATE FUNCTION fanfare.retention_kept(tenant uuid, ids uuid[]) RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan SET enable_seqscan = on SET jit = off AS $$
DECLARE
    kept uuid[];
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
    RETURN coalesce(kept, '{}');
END
$$;

-- Takes the lease for run, unless another run has it, or the last one began less than interval ago
-- (null: no matter when).
CREATE FUNCTION fanfare.retention_begin(run uuid, every interval) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- A row that is locked is that of a run in the middle of a step.
    PERFORM FROM fanfare.retention_lease AS l
    WHERE (l.holder IS NULL OR l.expires_at < clock_timestamp()) AND (every IS NULL OR l.began_at IS NULL OR l.began_at <= clock_timestamp() - every)
    FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE fanfare.retention_lease SET holder = run, began_at = clock_timestamp(), expires_at = clock_timestamp() + interval '2 minutes';
    RETURN true;
END
$$;

CREATE FUNCTION fanfare.retention_end(run uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE fanfare.retention_lease SET holder = NULL, expires_at = NULL, ended_at = clock_timestamp() WHERE holder = run
$$;

-- Begins a step of run: renews the lease, and lets no policy be changed and no hold be placed until
-- the step's transaction is over. So a hold that was placed holds from then on, and the step sees
-- all that were placed before.
CREATE FUNCTION fanfare.retention_step(run uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE fanfare.retention_lease SET expires_at = clock_timestamp() + interval '2 minutes' WHERE holder = run;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'retention run % has lost its lease', run USING ERRCODE = 'object_in_use';
    END IF;
    LOCK TABLE fanfare.retention, fanfare.legal_holds IN SHARE MODE;
END
$$;

-- Adds to what is to be recorded of a tenant.
CREATE FUNCTION fanfare.retention_note(gone fanfare.retention_unrecorded) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO fanfare.retention_unrecorded AS u (tenant_id, run_id, activities, notifications, idempotency_keys, dead_letters, parked, service_tokens, batches, below, partitions)
    SELECT gone.tenant_id, gone.run_id, coalesce(gone.activities, 0), coalesce(gone.notifications, 0), coalesce(gone.idempotency_keys, 0), coalesce(gone.dead_letters, 0),
           coalesce(gone.parked, 0), coalesce(gone.service_tokens, 0), coalesce(gone.batches, 0), gone.below, coalesce(gone.partitions, '{}')
    ON CONFLICT (tenant_id) DO UPDATE
    SET activities = u.activities + excluded.activities, notifications = u.notifications + excluded.notifications,
        idempotency_keys = u.idempotency_keys + excluded.idempotency_keys, dead_letters = u.dead_letters + excluded.dead_letters,
        parked = u.parked + excluded.parked, service_tokens = u.service_tokens + excluded.service_tokens, batches = u.batches + excluded.batches,
        below = greatest(u.below, excluded.below), partitions = u.partitions || excluded.partitions
$$;

-- The tenant next in order that has anything which may grow old; null after the last.
CREATE FUNCTION fanfare.retention_next(tenant uuid) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT least(
        (SELECT tenant_id FROM fanfare.activities WHERE tenant_id > tenant ORDER BY tenant_id LIMIT 1),
        (SELECT tenant_id FROM fanfare.notifications WHERE tenant_id > tenant ORDER BY tenant_id LIMIT 1),
        (SELECT tenant_id FROM fanfare.dead_letters WHERE tenant_id > tenant ORDER BY tenant_id LIMIT 1),
        (SELECT tenant_id FROM fanfare.service_tokens WHERE tenant_id > tenant ORDER BY tenant_id LIMIT 1))
$$;

-- A page of tenants in their order, and what there may be to do for each. Only one tenant when that
-- is given.
CREATE FUNCTION fanfare.retention_tenants(only_tenant uuid, after uuid, page int)
    RETURNS TABLE (tenant_id uuid, measure boolean, rest boolean, inbox boolean, keys boolean, due boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_sort = off SET jit = off AS $$
    WITH RECURSIVE tenants AS (
        SELECT coalesce(only_tenant, fanfare.retention_next(after)) AS id
        UNION ALL
        SELECT fanfare.retention_next(t.id) FROM tenants AS t WHERE t.id IS NOT NULL AND only_tenant IS NULL
    )
    SELECT t.id,
           p.max_entries > 0 AND EXISTS (SELECT FROM fanfare.activities AS a WHERE a.tenant_id = t.id AND a.id < fanfare.retention_floor(p.min_days)),
           EXISTS (SELECT FROM fanfare.dead_letters AS d WHERE d.tenant_id = t.id AND d.died_at < fanfare.days_ago(p.dead_letter_days))
           OR EXISTS (SELECT FROM fanfare.service_tokens AS s WHERE s.tenant_id = t.id AND least(s.expires_at, s.revoked_at) < fanfare.days_ago(p.token_days)),
           EXISTS (SELECT FROM fanfare.notifications AS n WHERE n.tenant_id = t.id),
           EXISTS (
               SELECT FROM fanfare.activities AS a
               WHERE a.tenant_id = t.id AND a.id < greatest(fanfare.uuidv7_floor(fanfare.days_ago(p.idempotency_days)), c.cut)
                 AND a.id > coalesce(g.keys_upto, '00000000-0000-0000-0000-000000000000')),
           EXISTS (SELECT FROM fanfare.activities AS a WHERE a.tenant_id = t.id AND a.id < c.cut)
    FROM (SELECT id FROM tenants WHERE id IS NOT NULL LIMIT page) AS t
    CROSS JOIN LATERAL fanfare.retention_of(t.id) AS p
    CROSS JOIN LATERAL fanfare.retention_cut(t.id) AS c(cut)
    LEFT JOIN fanfare.retention_progress AS g ON g.tenant_id = t.id
    ORDER BY t.id
$$;

-- Notes where the tenant's newest max_entries end.
CREATE FUNCTION fanfare.retention_measure(tenant uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan SET enable_sort = off SET enable_seqscan = off SET jit = off AS $$
DECLARE
    bound bigint := (fanfare.retention_of(tenant)).max_entries;
    cut   uuid;
BEGIN
    IF bound > 0 THEN
        SELECT id INTO cut FROM fanfare.activities WHERE tenant_id = tenant ORDER BY id DESC OFFSET bound - 1 LIMIT 1;
    END IF;
    INSERT INTO fanfare.retention_progress AS g (tenant_id, entries, entries_cut) VALUES (tenant, bound, cut)
    ON CONFLICT (tenant_id) DO UPDATE SET entries = excluded.entries, entries_cut = excluded.entries_cut
    WHERE (g.entries, g.entries_cut) IS DISTINCT FROM (excluded.entries, excluded.entries_cut);
END
$$;

GRANT SELECT, INSERT, UPDATE ON fanfare.retention_progress, fanfare.retention_unrecorded, fanfare.retention_lease TO fanfare_retention;

REVOKE ALL ON FUNCTION
    fanfare.retention_cut,
    fanfare.retention_kept,
    fanfare.retention_begin,
    fanfare.retention_end,
    fanfare.retention_step,
    fanfare.retention_note,
    fanfare.retention_next,
    fanfare.retention_tenants,
    fanfare.retention_measure
FROM PUBLIC;

-- A function's owner needs CREATE on its schema at the moment it becomes the owner.
GRANT CREATE ON SCHEMA fanfare TO fanfare_retention;
DO $$
DECLARE
    f text;
BEGIN
    FOREACH f IN ARRAY ARRAY['retention_cut',
        'retention_kept',
        'retention_begin',
        'retention_end',
        'retention_step',
        'retention_note',
        'retention_next',
        'retention_tenants',
        'retention_measure'] LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION fanfare.%I TO %I', f, current_user);
        EXECUTE format('ALTER FUNCTION fanfare.%I OWNER TO fanfare_retention', f);
    END LOOP;
END
$$;
REVOKE CREATE ON SCHEMA fanfare FROM fanfare_retention;

---- create above / drop below ----

DROP FUNCTION fanfare.retention_measure;
DROP FUNCTION fanfare.retention_tenants;
DROP FUNCTION fanfare.retention_next;
DROP FUNCTION fanfare.retention_note;
DROP FUNCTION fanfare.retention_step;
DROP FUNCTION fanfare.retention_end;
DROP FUNCTION fanfare.retention_begin;
DROP FUNCTION fanfare.retention_kept;
DROP FUNCTION fanfare.retention_cut;
DROP TABLE fanfare.retention_lease;
DROP TABLE fanfare.retention_unrecorded;
DROP TABLE fanfare.retention_progress;
