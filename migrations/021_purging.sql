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

REVOKE ALL ON FUNCTION
    fanfare.purge_rest,
    fanfare.purge_parked,
    fanfare.purge_notifications,
    fanfare.purge_keys,
    fanfare.purge_activities,
    fanfare.retention_count
FROM PUBLIC;

-- A function's owner needs CREATE on its schema at the moment it becomes the owner.
GRANT CREATE ON SCHEMA fanfare TO fanfare_retention;
DO $$
DECLARE
    f text;
BEGIN
    FOREACH f IN ARRAY ARRAY['purge_rest',
        'purge_parked',
        'purge_notifications',
        'purge_keys',
        'purge_activities',
        'retention_count'] LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION fanfare.%I TO %I', f, current_user);
        EXECUTE format('ALTER FUNCTION fanfare.%I OWNER TO fanfare_retention', f);
    END LOOP;
END
$$;
REVOKE CREATE ON SCHEMA fanfare FROM fanfare_retention;

---- create above / drop below ----

DROP FUNCTION fanfare.retention_count;
DROP FUNCTION fanfare.purge_activities;
DROP FUNCTION fanfare.purge_keys;
DROP FUNCTION fanfare.purge_notifications;
DROP FUNCTION fanfare.purge_parked;
DROP FUNCTION fanfare.purge_rest;
REVOKE ALL ON
    fanfare.activities, fanfare.idempotency_keys, fanfare.notifications, fanfare.service_tokens,
    fanfare.parked, fanfare.dead_letters, fanfare.outbox, fanfare.fan_out_jobs
FROM fanfare_retention;
