-- Retention: how long what is kept. Everything that removes a recorded activity is in this file,
-- and each function in it works out by itself, from the policies, the holds and what is pending,
-- what may go. Whoever may call them cannot remove more than that.

-- One row a tenant, and the installation's, whose tenant is the nil UUID. In a tenant's row null is
-- "as the installation has it"; 0 is "without bound" (min_days: none). Days are 24 hours. Fifty
-- years at most, since before 1970 there are no UUIDv7.
CREATE TABLE fanfare.retention (
    tenant_id        uuid        PRIMARY KEY,
    max_entries      bigint      CHECK (max_entries BETWEEN 0 AND 1000000000),
    max_days         int         CHECK (max_days BETWEEN 0 AND 18250),
    min_days         int         CHECK (min_days BETWEEN 0 AND 18250),
    inbox_days       int         CHECK (inbox_days BETWEEN 0 AND 18250),
    idempotency_days int         CHECK (idempotency_days BETWEEN 0 AND 18250),
    dead_letter_days int         CHECK (dead_letter_days BETWEEN 0 AND 18250),
    parked_days      int         CHECK (parked_days BETWEEN 0 AND 18250),
    token_days       int         CHECK (token_days BETWEEN 0 AND 18250),
    updated_by       uuid,
    updated_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT retention_of_installation CHECK (tenant_id <> '00000000-0000-0000-0000-000000000000'
        OR num_nulls(max_days, max_entries, min_days, inbox_days, idempotency_days, dead_letter_days, parked_days, token_days) = 0)
);
INSERT INTO fanfare.retention (tenant_id, max_days, max_entries, min_days, inbox_days, idempotency_days, dead_letter_days, parked_days, token_days)
VALUES ('00000000-0000-0000-0000-000000000000', 0, 0, 7, 90, 30, 90, 30, 90);

-- What must be kept whatever the policies say: all of a tenant, what is about a resource, or what
-- somebody did.
CREATE TABLE fanfare.legal_holds (
    id                 uuid        PRIMARY KEY,
    tenant_id          uuid        NOT NULL,
    resource_id        uuid,
    actor_principal_id uuid,
    created_by         uuid        NOT NULL,
    released_by        uuid,
    created_at         timestamptz NOT NULL DEFAULT now(),
    released_at        timestamptz,
    reason             text        NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 500),
    CONSTRAINT legal_holds_one_thing CHECK (num_nonnulls(resource_id, actor_principal_id) <= 1)
);
CREATE INDEX legal_holds_tenant ON fanfare.legal_holds (tenant_id, id);

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

-- A tenant's policy, field by field its own or else the installation's.
CREATE FUNCTION fanfare.retention_of(tenant uuid) RETURNS fanfare.retention
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (tenant, coalesce(t.max_entries, i.max_entries), coalesce(t.max_days, i.max_days), coalesce(t.min_days, i.min_days),
            coalesce(t.inbox_days, i.inbox_days), coalesce(t.idempotency_days, i.idempotency_days), coalesce(t.dead_letter_days, i.dead_letter_days),
            coalesce(t.parked_days, i.parked_days), coalesce(t.token_days, i.token_days), t.updated_by, coalesce(t.updated_at, i.updated_at))::fanfare.retention
    FROM fanfare.retention AS i LEFT JOIN fanfare.retention AS t ON t.tenant_id = tenant
    WHERE i.tenant_id = '00000000-0000-0000-0000-000000000000'
$$;

-- So many days ago; null for 0, which has no bound.
CREATE FUNCTION fanfare.days_ago(days int) RETURNS timestamptz
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN days > 0 THEN now() - make_interval(hours => 24 * days) END
$$;

-- The lowest id of what is younger than min_days.
CREATE FUNCTION fanfare.retention_floor(min_days int) RETURNS uuid
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT fanfare.uuidv7_floor(now() - make_interval(hours => 24 * min_days))
$$;

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

-- Removes a batch of dead letters and of service tokens that ended, each when it is old enough.
CREATE FUNCTION fanfare.purge_rest(run uuid, tenant uuid, batch int, OUT dead_letters bigint, OUT service_tokens bigint, OUT more boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    p    fanfare.retention;
    gone fanfare.retention_unrecorded;
BEGIN
    PERFORM fanfare.retention_step(run);
    p := fanfare.retention_of(tenant);
    gone.tenant_id := tenant; gone.run_id := run; gone.batches := 1;
    DELETE FROM fanfare.dead_letters AS d USING (
        SELECT o.activity_id FROM fanfare.dead_letters AS o
        WHERE o.tenant_id = tenant AND o.died_at < fanfare.days_ago(p.dead_letter_days)
        ORDER BY o.died_at LIMIT batch FOR UPDATE SKIP LOCKED
    ) AS old WHERE d.activity_id = old.activity_id;
    GET DIAGNOSTICS gone.dead_letters = ROW_COUNT;
    DELETE FROM fanfare.service_tokens AS s USING (
        SELECT o.id FROM fanfare.service_tokens AS o
        WHERE o.tenant_id = tenant AND least(o.expires_at, o.revoked_at) < fanfare.days_ago(p.token_days)
        LIMIT batch
    ) AS old WHERE s.id = old.id;
    GET DIAGNOSTICS gone.service_tokens = ROW_COUNT;
    IF gone.dead_letters + gone.service_tokens > 0 THEN
        PERFORM fanfare.retention_note(gone);
    END IF;
    dead_letters := gone.dead_letters; service_tokens := gone.service_tokens;
    more := dead_letters = batch OR service_tokens = batch;
END
$$;

-- Gives up what has been parked for too long: it becomes a dead letter, which can be replayed, and
-- what waited behind it goes on. Returns how many. It holds the lanes that it moves rows of, as
-- whoever does must, and leaves out those that are being served.
CREATE FUNCTION fanfare.purge_parked(run uuid, only_tenant uuid, batch int) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    served smallint;
    moved  bigint := 0;
BEGIN
    PERFORM fanfare.retention_step(run);
    FOR served IN
        SELECT DISTINCT k.lane FROM fanfare.parked AS k
        WHERE (only_tenant IS NULL OR k.tenant_id = only_tenant) AND k.parked_at < fanfare.days_ago((fanfare.retention_of(k.tenant_id)).parked_days)
    LOOP
        CONTINUE WHEN NOT pg_try_advisory_xact_lock(x'46414e46'::int, served); -- the class of the lanes' locks
        WITH old AS (
            SELECT k.lane, k.seq FROM fanfare.parked AS k
            WHERE k.lane = served AND (only_tenant IS NULL OR k.tenant_id = only_tenant)
              AND k.parked_at < fanfare.days_ago((fanfare.retention_of(k.tenant_id)).parked_days)
            ORDER BY k.seq LIMIT batch
        ), gone AS (
            DELETE FROM fanfare.parked AS k USING old WHERE k.lane = old.lane AND k.seq = old.seq RETURNING k.*
        ), buried AS (
            INSERT INTO fanfare.dead_letters (activity_id, lane, seq, tenant_id, resource_id, recorded_at, attempts, channels, error)
            SELECT g.activity_id, g.lane, g.seq, g.tenant_id, g.resource_id, g.recorded_at, g.attempts, g.channels,
                   concat_ws(': ', 'parked since ' || to_char(g.parked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), nullif(g.error, ''))
            FROM gone AS g
            ON CONFLICT (activity_id) DO NOTHING
        ), released AS (
            -- The first that is left of a resource may go; the worker then lets the others follow.
            UPDATE fanfare.parked AS k SET retry_at = clock_timestamp()
            FROM (
                SELECT DISTINCT ON (w.tenant_id, w.resource_id) w.lane, w.seq, w.tenant_id, w.resource_id, w.retry_at
                FROM fanfare.parked AS w
                WHERE (w.tenant_id, w.resource_id) IN (SELECT g.tenant_id, g.resource_id FROM gone AS g)
                  AND (w.lane, w.seq) NOT IN (SELECT g.lane, g.seq FROM gone AS g)
                ORDER BY w.tenant_id, w.resource_id, w.seq
            ) AS first
            WHERE k.lane = first.lane AND k.seq = first.seq AND first.retry_at IS NULL AND NOT EXISTS (
                SELECT FROM fanfare.fan_out_jobs AS j
                WHERE j.tenant_id = first.tenant_id AND j.resource_id = first.resource_id AND j.seq < first.seq)
        ), noted AS (
            SELECT n.tenant_id, fanfare.retention_note(row(n.tenant_id, run, 0, 0, 0, 0, n.many, 0, 1, NULL, now(), '{}')::fanfare.retention_unrecorded)::text, n.many
            FROM (SELECT g.tenant_id, count(*) AS many FROM gone AS g GROUP BY g.tenant_id) AS n
        )
        SELECT moved + coalesce(sum(n.many), 0) INTO moved FROM noted AS n;
    END LOOP;
    RETURN moved;
END
$$;

-- Removes a batch of notifications: those older than inbox_days, and those of activities that may
-- go. It goes through the tenant's inboxes one after the other, by their key, behind (person,
-- activity); after the last of them next_person is null.
CREATE FUNCTION fanfare.purge_notifications(run uuid, tenant uuid, person uuid, activity uuid, batch int,
    OUT removed bigint, OUT next_person uuid, OUT next_activity uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    nobody CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
    old    CONSTANT uuid := fanfare.uuidv7_floor(fanfare.days_ago((fanfare.retention_of(tenant)).inbox_days));
    people uuid[];
    whose  uuid[];
    which  uuid[];
    kept   uuid[];
    high   uuid;
    gone   fanfare.retention_unrecorded;
BEGIN
    removed := 0;
    PERFORM fanfare.retention_step(run);
    high := greatest(old, fanfare.retention_cut(tenant));
    IF high IS NULL THEN
        RETURN;
    END IF;
    WITH RECURSIVE inboxes AS (
        (SELECT n.principal_id FROM fanfare.notifications AS n WHERE n.tenant_id = tenant AND n.principal_id >= person ORDER BY n.principal_id LIMIT 1)
        UNION ALL
        SELECT (SELECT n.principal_id FROM fanfare.notifications AS n WHERE n.tenant_id = tenant AND n.principal_id > i.principal_id ORDER BY n.principal_id LIMIT 1)
        FROM inboxes AS i WHERE i.principal_id IS NOT NULL
    )
    SELECT array_agg(f.principal_id) INTO people FROM (SELECT i.principal_id FROM inboxes AS i WHERE i.principal_id IS NOT NULL LIMIT 500) AS f;
    -- The lateral part has a limit, so the inboxes stay in their order.
    SELECT array_agg(f.principal_id), array_agg(f.activity_id) INTO whose, which
    FROM (
        SELECT i.principal_id, n.activity_id
        FROM unnest(people) AS i(principal_id) CROSS JOIN LATERAL (
            SELECT o.activity_id FROM fanfare.notifications AS o
            WHERE o.tenant_id = tenant AND o.principal_id = i.principal_id
              AND o.activity_id > CASE WHEN i.principal_id = person THEN activity ELSE nobody END AND o.activity_id < high
            ORDER BY o.activity_id LIMIT batch
        ) AS n
        LIMIT batch
    ) AS f;
    IF coalesce(array_length(which, 1), 0) = batch THEN
        next_person := whose[batch]; next_activity := which[batch];
    ELSIF coalesce(array_length(people, 1), 0) = 500 THEN
        next_person := people[500]; next_activity := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
    END IF;
    IF which IS NULL THEN
        RETURN;
    END IF;
    kept := fanfare.retention_kept(tenant, ARRAY(SELECT DISTINCT u.id FROM unnest(which) AS u(id) WHERE old IS NULL OR u.id >= old));
    DELETE FROM fanfare.notifications AS n
    USING unnest(whose, which) AS u(principal_id, activity_id)
    WHERE n.tenant_id = tenant AND n.principal_id = u.principal_id AND n.activity_id = u.activity_id AND u.activity_id <> ALL (kept);
    GET DIAGNOSTICS removed = ROW_COUNT;
    IF removed > 0 THEN
        gone.tenant_id := tenant; gone.run_id := run; gone.notifications := removed; gone.batches := 1;
        PERFORM fanfare.retention_note(gone);
    END IF;
END
$$;

-- Removes the idempotency keys of a batch of activities: of those older than idempotency_days and
-- of those that may go. How far it came is kept, so that no activity is looked through twice.
CREATE FUNCTION fanfare.purge_keys(run uuid, tenant uuid, batch int, OUT removed bigint, OUT more boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    old  uuid;
    low  uuid;
    high uuid;
    ids  uuid[];
    kept uuid[];
    gone fanfare.retention_unrecorded;
BEGIN
    removed := 0; more := false;
    PERFORM fanfare.retention_step(run);
    old := fanfare.uuidv7_floor(fanfare.days_ago((fanfare.retention_of(tenant)).idempotency_days));
    high := greatest(old, fanfare.retention_cut(tenant));
    SELECT g.keys_upto INTO low FROM fanfare.retention_progress AS g WHERE g.tenant_id = tenant;
    low := coalesce(low, '00000000-0000-0000-0000-000000000000');
    IF high IS NULL OR high <= low THEN
        RETURN;
    END IF;
    ids := ARRAY(SELECT a.id FROM fanfare.activities AS a WHERE a.tenant_id = tenant AND a.id > low AND a.id < high ORDER BY a.id LIMIT batch);
    more := cardinality(ids) = batch;
    IF cardinality(ids) > 0 THEN
        kept := fanfare.retention_kept(tenant, ARRAY(SELECT u.id FROM unnest(ids) AS u(id) WHERE old IS NULL OR u.id >= old));
        DELETE FROM fanfare.idempotency_keys AS k
        USING fanfare.activities AS a
        WHERE a.tenant_id = tenant AND a.id > low AND a.id <= ids[cardinality(ids)] AND a.id = ANY (ids) AND a.id <> ALL (kept)
          AND k.tenant_id = tenant AND k.correlation_id = a.correlation_id AND k.action = a.action AND k.resource_id = a.resource_id AND k.activity_id = a.id;
        GET DIAGNOSTICS removed = ROW_COUNT;
    END IF;
    INSERT INTO fanfare.retention_progress (tenant_id, keys_upto) VALUES (tenant, CASE WHEN more THEN ids[batch] ELSE high END)
    ON CONFLICT (tenant_id) DO UPDATE SET keys_upto = excluded.keys_upto;
    IF removed > 0 THEN
        gone.tenant_id := tenant; gone.run_id := run; gone.idempotency_keys := removed; gone.batches := 1;
        PERFORM fanfare.retention_note(gone);
    END IF;
END
$$;

-- Removes what may go among the tenant's next batch of activities with ids above after, and their
-- idempotency keys with them. next is where the batch ended; null when nothing is left that has had
-- its time.
CREATE FUNCTION fanfare.purge_activities(run uuid, tenant uuid, after uuid, batch int, OUT removed bigint, OUT keys bigint, OUT next uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    cut  uuid;
    ids  uuid[];
    kept uuid[];
    low  uuid;
    high uuid;
    gone fanfare.retention_unrecorded;
BEGIN
    removed := 0; keys := 0;
    PERFORM fanfare.retention_step(run);
    cut := fanfare.retention_cut(tenant);
    SELECT array_agg(w.id) INTO ids
    FROM (SELECT a.id FROM fanfare.activities AS a WHERE a.tenant_id = tenant AND a.id > after AND a.id < cut ORDER BY a.id LIMIT batch) AS w;
    IF ids IS NULL THEN
        RETURN;
    END IF;
    low := ids[1]; high := ids[array_length(ids, 1)];
    IF array_length(ids, 1) = batch THEN
        next := high;
    END IF;
    kept := fanfare.retention_kept(tenant, ids);
    WITH gone AS (
        -- The bounds are for leaving partitions out, so that those which are written to are not
        -- even locked.
        DELETE FROM fanfare.activities AS a USING unnest(ids) AS u(id)
        WHERE a.tenant_id = tenant AND a.id = u.id AND a.id >= low AND a.id <= high AND u.id <> ALL (kept)
        RETURNING a.id, a.correlation_id, a.action, a.resource_id
    ), freed AS (
        DELETE FROM fanfare.idempotency_keys AS k USING gone AS g
        WHERE k.tenant_id = tenant AND k.correlation_id = g.correlation_id AND k.action = g.action AND k.resource_id = g.resource_id AND k.activity_id = g.id
        RETURNING k.activity_id
    )
    SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM freed) INTO gone.activities, gone.idempotency_keys;
    removed := gone.activities; keys := gone.idempotency_keys;
    IF removed > 0 THEN
        gone.tenant_id := tenant; gone.run_id := run; gone.batches := 1; gone.below := cut;
        PERFORM fanfare.retention_note(gone);
    END IF;
END
$$;

-- The partitions and their bounds, the oldest first.
CREATE FUNCTION fanfare.activity_partitions() RETURNS TABLE (part name, low uuid, high uuid)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.relname, m.bounds[1]::uuid, m.bounds[2]::uuid
    FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
    CROSS JOIN LATERAL regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \(''(.*)''\) TO \(''(.*)''\)') AS m(bounds)
    WHERE i.inhparent = 'fanfare.activities'::regclass AND c.relnamespace = 'fanfare'::regnamespace AND m.bounds IS NOT NULL AND NOT i.inhdetachpending
    ORDER BY 2
$$;

-- Whether nothing of a partition must be kept: every tenant in it has its cut beyond it, nothing
-- between its bounds is pending, and no hold is on anything in it. An empty one must have ended a
-- month ago: until then, somebody may be about to fill it.
CREATE FUNCTION fanfare.partition_may_go(part name) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET jit = off AS $$
DECLARE
    b      record;
    tenant uuid := '00000000-0000-0000-0000-000000000000';
    filled boolean := false;
    held   boolean;
BEGIN
    SELECT p.low, p.high INTO b FROM fanfare.activity_partitions() AS p WHERE p.part = partition_may_go.part;
    -- A quick no for the months that are in use.
    IF b.high IS NULL OR b.high > fanfare.uuidv7_floor(now()) THEN
        RETURN false;
    END IF;
    LOOP
        EXECUTE format('SELECT tenant_id FROM fanfare.%I WHERE tenant_id > $1 ORDER BY tenant_id LIMIT 1', part) INTO tenant USING tenant;
        EXIT WHEN tenant IS NULL;
        filled := true;
        IF fanfare.retention_cut(tenant) >= b.high THEN
            CONTINUE;
        END IF;
        RETURN false;
    END LOOP;
    IF NOT filled AND b.high > fanfare.uuidv7_floor(now() - interval '31 days') THEN
        RETURN false;
    END IF;
    IF EXISTS (
        SELECT FROM fanfare.outbox WHERE activity_id >= b.low AND activity_id < b.high
        UNION ALL
        SELECT FROM fanfare.parked WHERE activity_id >= b.low AND activity_id < b.high
        UNION ALL
        SELECT FROM fanfare.fan_out_jobs WHERE activity_id >= b.low AND activity_id < b.high
        UNION ALL
        SELECT FROM fanfare.dead_letters WHERE activity_id >= b.low AND activity_id < b.high
    ) THEN
        RETURN false;
    END IF;
    EXECUTE format(
        'SELECT EXISTS (
            SELECT FROM fanfare.legal_holds AS h WHERE h.released_at IS NULL AND (
                h.resource_id IS NOT NULL AND EXISTS (SELECT FROM fanfare.%1$I AS a WHERE a.tenant_id = h.tenant_id AND a.resource_id = h.resource_id)
                OR h.actor_principal_id IS NOT NULL AND EXISTS (SELECT FROM fanfare.%1$I AS a WHERE a.tenant_id = h.tenant_id AND a.actor_principal_id = h.actor_principal_id)))',
        part) INTO held;
    RETURN NOT held;
END
$$;

-- Drops a partition if nothing of it must be kept. dropped is null when the locks could not be had,
-- and nothing happened then. First the partition is locked against changes and counted, which
-- nobody waits for: reading goes on, and nobody writes to a month that is past. Then the policies
-- and the holds are locked too, and the partition is judged: so the judgment still holds when it
-- goes. The drop itself locks the whole log for a moment. A lock that is waited for holds up
-- whoever comes after it: so it is waited for five times, 25 to 400 milliseconds, each behind a
-- pause eight times as long, and no writer is ever held up for longer than that.
CREATE FUNCTION fanfare.drop_partition(run uuid, part name, OUT dropped boolean, OUT removed bigint, OUT keys bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '400ms' SET jit = off AS $$
DECLARE
    b          record;
    tenants    uuid[];
    many       bigint[];
    late       uuid[];
    freed_keys bigint[];
BEGIN
    dropped := false; removed := 0; keys := 0;
    SELECT p.low, p.high INTO b FROM fanfare.activity_partitions() AS p WHERE p.part = drop_partition.part;
    IF NOT FOUND OR NOT fanfare.partition_may_go(part) THEN
        RETURN;
    END IF;
    BEGIN
        EXECUTE format('LOCK TABLE fanfare.%I IN SHARE ROW EXCLUSIVE MODE', part);
        EXECUTE format('SELECT array_agg(c.tenant_id), array_agg(c.many) FROM (SELECT tenant_id, count(*) AS many FROM fanfare.%I GROUP BY tenant_id) AS c', part)
            INTO tenants, many;
        PERFORM fanfare.retention_step(run);
    EXCEPTION WHEN lock_not_available OR deadlock_detected OR undefined_table THEN
        dropped := NULL;
        RETURN;
    END;
    IF NOT fanfare.partition_may_go(part) THEN
        RETURN;
    END IF;
    -- The keys are gone already, but for those of activities that were recorded late.
    WITH freed AS (
        DELETE FROM fanfare.idempotency_keys WHERE activity_id >= b.low AND activity_id < b.high RETURNING tenant_id
    ), counted AS (
        SELECT f.tenant_id, count(*) AS n FROM freed AS f GROUP BY f.tenant_id
    )
    SELECT array_agg(c.tenant_id), array_agg(c.n), coalesce(sum(c.n), 0) INTO late, freed_keys, keys FROM counted AS c;
    PERFORM fanfare.retention_note(row(u.tenant, run, 0, 0, u.n, 0, 0, 0, 1, NULL, now(), '{}')::fanfare.retention_unrecorded)
    FROM unnest(late, freed_keys) AS u(tenant, n);
    FOR attempt IN 0..4 LOOP
        BEGIN
            PERFORM set_config('lock_timeout', 25 * 2 ^ attempt || 'ms', true);
            LOCK TABLE ONLY fanfare.activities IN ACCESS EXCLUSIVE MODE;
            EXECUTE format('DROP TABLE fanfare.%I', part);
            dropped := true;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            dropped := NULL;
        END;
        EXIT WHEN dropped OR attempt = 4;
        PERFORM pg_sleep(0.2 * 2 ^ attempt);
    END LOOP;
    IF dropped THEN
        removed := (SELECT coalesce(sum(u.n), 0) FROM unnest(many) AS u(n));
        PERFORM fanfare.retention_note(row(u.tenant, run, u.n, 0, 0, 0, 0, 0, 0, b.high, now(), ARRAY[part]::text[])::fanfare.retention_unrecorded)
        FROM unnest(tenants, many) AS u(tenant, n);
    END IF;
END
$$;

-- Makes the partition of a month that is past or to come, empty, unless it is there: before
-- activities of that time are brought in from elsewhere. It locks the log as ensure_partitions
-- does. Returns whether it made one.
CREATE FUNCTION fanfare.ensure_partition(at timestamptz) RETURNS boolean
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s' AS $$
DECLARE
    month timestamp := date_trunc('month', at AT TIME ZONE 'UTC');
    part  text      := format('activities_%s', to_char(month, '"y"YYYY"m"MM'));
    low   uuid      := fanfare.uuidv7_floor(month AT TIME ZONE 'UTC');
    high  uuid      := fanfare.uuidv7_floor((month + interval '1 month') AT TIME ZONE 'UTC');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('fanfare.ensure_partitions', 0));
    IF to_regclass('fanfare.' || part) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE fanfare.%I (LIKE fanfare.activities INCLUDING DEFAULTS INCLUDING CONSTRAINTS, CHECK (id >= %L AND id < %L))', part, low, high);
    LOCK TABLE ONLY fanfare.activities IN SHARE ROW EXCLUSIVE MODE;
    LOCK TABLE fanfare.activities_default IN ACCESS EXCLUSIVE MODE;
    IF EXISTS (SELECT FROM fanfare.activities_default WHERE id >= low AND id < high) THEN
        EXECUTE format('GRANT INSERT ON fanfare.%I TO fanfare_retention', part);
        PERFORM fanfare.move_from_default(format('fanfare.%I', part)::regclass, low, high);
        EXECUTE format('REVOKE INSERT ON fanfare.%I FROM fanfare_retention', part);
    END IF;
    EXECUTE format('ALTER TABLE fanfare.activities ATTACH PARTITION fanfare.%I FOR VALUES FROM (%L) TO (%L)', part, low, high);
    EXECUTE format('ALTER TABLE fanfare.%I DROP CONSTRAINT %I', part, part || '_id_check');
    EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON fanfare.%I FOR EACH STATEMENT EXECUTE FUNCTION fanfare.refuse_change()', part);
    RETURN true;
END
$$;

-- What a run would remove of a tenant now, each kind counted up to the bound; exact is false where
-- there is more. Removes nothing.
CREATE FUNCTION fanfare.retention_count(tenant uuid, bound int, OUT activities bigint, OUT kept bigint, OUT notifications bigint,
    OUT idempotency_keys bigint, OUT dead_letters bigint, OUT parked bigint, OUT service_tokens bigint, OUT below uuid, OUT exact boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    p      CONSTANT fanfare.retention := fanfare.retention_of(tenant);
    old    CONSTANT uuid := fanfare.uuidv7_floor(fanfare.days_ago(p.inbox_days));
    after  uuid := '00000000-0000-0000-0000-000000000000';
    ids    uuid[];
    spared uuid[] := '{}';
BEGIN
    below := fanfare.retention_cut(tenant);
    activities := 0;
    LOOP
        ids := ARRAY(SELECT a.id FROM fanfare.activities AS a WHERE a.tenant_id = tenant AND a.id > after AND a.id < below ORDER BY a.id LIMIT least(bound, 5000));
        activities := activities + cardinality(ids);
        spared := spared || fanfare.retention_kept(tenant, ids);
        EXIT WHEN cardinality(ids) < least(bound, 5000) OR activities >= bound;
        after := ids[cardinality(ids)];
    END LOOP;
    exact := activities < bound;
    kept := (SELECT count(DISTINCT u.id) FROM unnest(spared) AS u(id));
    activities := activities - kept;
    SELECT count(*) INTO notifications
    FROM (
        SELECT FROM fanfare.notifications AS n
        WHERE n.tenant_id = tenant AND (n.activity_id < old OR n.activity_id < below AND n.activity_id <> ALL (spared)) LIMIT bound
    ) AS f;
    SELECT count(*) INTO idempotency_keys
    FROM (
        SELECT FROM fanfare.activities AS a
        JOIN fanfare.idempotency_keys AS k
            ON k.tenant_id = tenant AND k.correlation_id = a.correlation_id AND k.action = a.action AND k.resource_id = a.resource_id AND k.activity_id = a.id
        WHERE a.tenant_id = tenant AND (a.id < fanfare.uuidv7_floor(fanfare.days_ago(p.idempotency_days)) OR a.id < below AND a.id <> ALL (spared))
          AND a.id > coalesce((SELECT g.keys_upto FROM fanfare.retention_progress AS g WHERE g.tenant_id = tenant), '00000000-0000-0000-0000-000000000000')
        LIMIT bound
    ) AS f;
    SELECT count(*) INTO dead_letters
    FROM (SELECT FROM fanfare.dead_letters AS d WHERE d.tenant_id = tenant AND d.died_at < fanfare.days_ago(p.dead_letter_days) LIMIT bound) AS f;
    SELECT count(*) INTO parked
    FROM (SELECT FROM fanfare.parked AS k WHERE k.tenant_id = tenant AND k.parked_at < fanfare.days_ago(p.parked_days) LIMIT bound) AS f;
    SELECT count(*) INTO service_tokens
    FROM (SELECT FROM fanfare.service_tokens AS s WHERE s.tenant_id = tenant AND least(s.expires_at, s.revoked_at) < fanfare.days_ago(p.token_days) LIMIT bound) AS f;
    exact := exact AND greatest(notifications, idempotency_keys, dead_letters, parked, service_tokens) < bound;
END
$$;

-- Who may what. Nobody gets any of this by being there; fanfare_retention owns what removes rows.
GRANT SELECT, DELETE ON fanfare.activities, fanfare.idempotency_keys, fanfare.notifications, fanfare.service_tokens TO fanfare_retention;
GRANT SELECT, INSERT, UPDATE, DELETE ON fanfare.parked, fanfare.dead_letters TO fanfare_retention;
GRANT SELECT ON fanfare.outbox, fanfare.fan_out_jobs TO fanfare_retention;
GRANT SELECT, INSERT, UPDATE ON fanfare.retention_progress, fanfare.retention_unrecorded, fanfare.retention_lease TO fanfare_retention;
-- UPDATE is what locking them against changes takes; nothing that fanfare_retention owns changes
-- them.
GRANT SELECT, UPDATE ON fanfare.retention, fanfare.legal_holds TO fanfare_retention;
GRANT CREATE ON SCHEMA fanfare TO fanfare_retention;
DO $$
DECLARE
    f record;
BEGIN
    GRANT EXECUTE ON FUNCTION fanfare.uuidv7_floor TO fanfare_retention;
    FOR f IN
        SELECT p.oid::regprocedure AS signature, p.proname ~ '^(purge_|retention_)' AND p.prosecdef AS removes, p.proname ~ '^(retention_of|retention_floor|days_ago)$' AS reads
        FROM pg_proc AS p
        WHERE p.pronamespace = 'fanfare'::regnamespace AND p.proname ~ '^(purge_|retention_|days_ago|activity_partitions|partition_may_go|drop_partition|ensure_partition$)'
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f.signature);
        IF f.reads THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO fanfare_retention', f.signature);
        ELSIF f.removes THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', f.signature, current_user);
            EXECUTE format('ALTER FUNCTION %s OWNER TO fanfare_retention', f.signature);
        END IF;
    END LOOP;
END
$$;
REVOKE CREATE ON SCHEMA fanfare FROM fanfare_retention;

---- create above / drop below ----

DO $$
DECLARE
    f record;
BEGIN
    FOR f IN
        SELECT p.oid::regprocedure AS signature FROM pg_proc AS p
        WHERE p.pronamespace = 'fanfare'::regnamespace AND p.proname ~ '^(purge_|retention_|days_ago|activity_partitions|partition_may_go|drop_partition|ensure_partition$)'
    LOOP
        EXECUTE format('DROP FUNCTION %s CASCADE', f.signature);
    END LOOP;
END
$$;
DROP TABLE fanfare.retention_lease;
DROP TABLE fanfare.retention_unrecorded;
DROP TABLE fanfare.retention_progress;
DROP TABLE fanfare.legal_holds;
DROP TABLE fanfare.retention;
REVOKE ALL ON fanfare.activities, fanfare.idempotency_keys, fanfare.notifications, fanfare.service_tokens, fanfare.parked, fanfare.dead_letters, fanfare.outbox, fanfare.fan_out_jobs FROM fanfare_retention;
REVOKE ALL ON FUNCTION fanfare.uuidv7_floor FROM fanfare_retention;
