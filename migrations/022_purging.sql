-- Purging: the functions that remove rows in batches, and the one that counts what they would
-- remove. They run as the role of retention.

-- Removes a batch of dead letters and a batch of service tokens that have expired.
CREATE FUNCTION fanfare.purge_expired(
    run uuid, tenant uuid, batch int,
    OUT dead_letters bigint, OUT service_tokens bigint, OUT more boolean
)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    p       fanfare.retention;
    removed fanfare.retention_unrecorded;
BEGIN
    PERFORM fanfare.retention_step(run);
    p := fanfare.retention_of(tenant);
    removed.tenant_id := tenant;
    removed.run_id := run;
    removed.batches := 1;
    DELETE FROM fanfare.dead_letters AS d
    USING (
        SELECT o.activity_id FROM fanfare.dead_letters AS o
        WHERE o.tenant_id = tenant AND o.died_at < fanfare.days_ago(p.dead_letter_days)
        ORDER BY o.died_at
        LIMIT batch
        FOR UPDATE SKIP LOCKED
    ) AS old
    WHERE d.activity_id = old.activity_id;
    GET DIAGNOSTICS removed.dead_letters = ROW_COUNT;
    DELETE FROM fanfare.service_tokens AS s
    USING (
        SELECT o.id FROM fanfare.service_tokens AS o
        WHERE o.tenant_id = tenant AND least(o.expires_at, o.revoked_at) < fanfare.days_ago(p.token_days)
        LIMIT batch
    ) AS old
    WHERE s.id = old.id;
    GET DIAGNOSTICS removed.service_tokens = ROW_COUNT;
    IF removed.dead_letters + removed.service_tokens > 0 THEN
        PERFORM fanfare.retention_note(removed);
    END IF;
    dead_letters := removed.dead_letters;
    service_tokens := removed.service_tokens;
    more := dead_letters = batch OR service_tokens = batch;
END
$$;

-- Turns a batch per lane of activities that have been parked for too long into dead letters, which
-- can be replayed, and unblocks the activities behind them. Returns the number of dead letters.
-- Like a worker, it locks the lanes whose rows it moves; lanes that a worker has claimed are
-- skipped.
CREATE FUNCTION fanfare.purge_parked(run uuid, only_tenant uuid, batch int) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    claimed smallint;
    moved   bigint := 0;
BEGIN
    PERFORM fanfare.retention_step(run);
    FOR claimed IN
        SELECT DISTINCT k.lane
        FROM fanfare.parked AS k
        WHERE (only_tenant IS NULL OR k.tenant_id = only_tenant)
          AND k.parked_at < fanfare.days_ago((fanfare.retention_of(k.tenant_id)).parked_days)
    LOOP
        CONTINUE WHEN NOT pg_try_advisory_xact_lock(x'46414e46'::int, claimed); -- the lock of the lane
        WITH old AS (
            SELECT k.lane, k.seq
            FROM fanfare.parked AS k
            WHERE k.lane = claimed
              AND (only_tenant IS NULL OR k.tenant_id = only_tenant)
              AND k.parked_at < fanfare.days_ago((fanfare.retention_of(k.tenant_id)).parked_days)
            ORDER BY k.seq
            LIMIT batch
        ), removed AS (
            DELETE FROM fanfare.parked AS k USING old WHERE k.lane = old.lane AND k.seq = old.seq RETURNING k.*
        ), dead AS (
            INSERT INTO fanfare.dead_letters (
                activity_id, lane, seq, tenant_id, resource_id, recorded_at, attempts, channels, error
            )
            SELECT
                r.activity_id, r.lane, r.seq, r.tenant_id, r.resource_id, r.recorded_at, r.attempts, r.channels,
                concat_ws(
                    ': ',
                    'parked since ' || to_char(r.parked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'),
                    nullif(r.error, ''))
            FROM removed AS r
            ON CONFLICT (activity_id) DO NOTHING
        ), unblocked AS (
            -- The first remaining activity of each resource is retried; the worker unblocks the
            -- others after it.
            UPDATE fanfare.parked AS k
            SET retry_at = clock_timestamp()
            FROM (
                SELECT DISTINCT ON (w.tenant_id, w.resource_id) w.lane, w.seq, w.tenant_id, w.resource_id, w.retry_at
                FROM fanfare.parked AS w
                WHERE (w.tenant_id, w.resource_id) IN (SELECT r.tenant_id, r.resource_id FROM removed AS r)
                  AND (w.lane, w.seq) NOT IN (SELECT r.lane, r.seq FROM removed AS r)
                ORDER BY w.tenant_id, w.resource_id, w.seq
            ) AS first
            WHERE k.lane = first.lane AND k.seq = first.seq
              AND first.retry_at IS NULL
              AND NOT EXISTS (
                  SELECT FROM fanfare.fan_out_jobs AS j
                  WHERE j.tenant_id = first.tenant_id AND j.resource_id = first.resource_id AND j.seq < first.seq)
        ), noted AS (
            SELECT
                n.tenant_id,
                fanfare.retention_note(
                    row(n.tenant_id, run, 0, 0, 0, 0, n.total, 0, 1, NULL, now(), '{}')::fanfare.retention_unrecorded
                )::text,
                n.total
            FROM (SELECT r.tenant_id, count(*) AS total FROM removed AS r GROUP BY r.tenant_id) AS n
        )
        SELECT moved + coalesce(sum(n.total), 0) INTO moved FROM noted AS n;
    END LOOP;
    RETURN moved;
END
$$;

-- Removes a batch of notifications: those older than inbox_days, and those of activities that may
-- be removed. It visits the tenant's inboxes in the order of their key, after the given principal
-- and activity, and returns where the next batch begins; next_principal is null after the last one.
CREATE FUNCTION fanfare.purge_notifications(
    run uuid, tenant uuid, principal uuid, activity uuid, batch int,
    OUT removed bigint, OUT next_principal uuid, OUT next_activity uuid
)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    nil        CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
    old        CONSTANT uuid := fanfare.uuidv7_floor(fanfare.days_ago((fanfare.retention_of(tenant)).inbox_days));
    principals uuid[]; -- of the inboxes that this batch visits
    recipients uuid[]; -- of the notifications that have expired
    activities uuid[]; -- of the same notifications
    kept       uuid[];
    high       uuid;
    total      fanfare.retention_unrecorded;
BEGIN
    removed := 0;
    PERFORM fanfare.retention_step(run);
    high := greatest(old, fanfare.retention_cut(tenant));
    IF high IS NULL THEN
        RETURN;
    END IF;
    WITH RECURSIVE inboxes AS (
        (
            SELECT n.principal_id
            FROM fanfare.notifications AS n
            WHERE n.tenant_id = tenant AND n.principal_id >= principal
            ORDER BY n.principal_id
            LIMIT 1
        )
        UNION ALL
        SELECT (
            SELECT n.principal_id
            FROM fanfare.notifications AS n
            WHERE n.tenant_id = tenant AND n.principal_id > i.principal_id
            ORDER BY n.principal_id
            LIMIT 1
        )
        FROM inboxes AS i
        WHERE i.principal_id IS NOT NULL
    )
    SELECT array_agg(f.principal_id) INTO principals
    FROM (SELECT i.principal_id FROM inboxes AS i WHERE i.principal_id IS NOT NULL LIMIT 500) AS f;
    -- The LIMIT of the lateral subquery preserves the order of the inboxes.
    SELECT array_agg(f.principal_id), array_agg(f.activity_id) INTO recipients, activities
    FROM (
        SELECT i.principal_id, n.activity_id
        FROM unnest(principals) AS i(principal_id)
        CROSS JOIN LATERAL (
            SELECT o.activity_id
            FROM fanfare.notifications AS o
            WHERE o.tenant_id = tenant AND o.principal_id = i.principal_id
              AND o.activity_id > CASE WHEN i.principal_id = principal THEN activity ELSE nil END
              AND o.activity_id < high
            ORDER BY o.activity_id
            LIMIT batch
        ) AS n
        LIMIT batch
    ) AS f;
    IF coalesce(array_length(activities, 1), 0) = batch THEN
        next_principal := recipients[batch];
        next_activity := activities[batch];
    ELSIF coalesce(array_length(principals, 1), 0) = 500 THEN
        next_principal := principals[500];
        next_activity := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
    END IF;
    IF activities IS NULL THEN
        RETURN;
    END IF;
    kept := fanfare.retention_kept(
        tenant, ARRAY(SELECT DISTINCT u.id FROM unnest(activities) AS u(id) WHERE old IS NULL OR u.id >= old));
    DELETE FROM fanfare.notifications AS n
    USING unnest(recipients, activities) AS u(principal_id, activity_id)
    WHERE n.tenant_id = tenant AND n.principal_id = u.principal_id AND n.activity_id = u.activity_id
      AND u.activity_id <> ALL (kept);
    GET DIAGNOSTICS removed = ROW_COUNT;
    IF removed > 0 THEN
        total.tenant_id := tenant;
        total.run_id := run;
        total.notifications := removed;
        total.batches := 1;
        PERFORM fanfare.retention_note(total);
    END IF;
END
$$;

-- Removes the idempotency keys of a batch of activities that are older than idempotency_days or may
-- be removed. The progress is stored, so that no activity is visited twice.
CREATE FUNCTION fanfare.purge_keys(run uuid, tenant uuid, batch int, OUT removed bigint, OUT more boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    old   uuid;
    low   uuid;
    high  uuid;
    ids   uuid[];
    kept  uuid[];
    total fanfare.retention_unrecorded;
BEGIN
    removed := 0;
    more := false;
    PERFORM fanfare.retention_step(run);
    old := fanfare.uuidv7_floor(fanfare.days_ago((fanfare.retention_of(tenant)).idempotency_days));
    high := greatest(old, fanfare.retention_cut(tenant));
    SELECT g.keys_upto INTO low FROM fanfare.retention_progress AS g WHERE g.tenant_id = tenant;
    low := coalesce(low, '00000000-0000-0000-0000-000000000000');
    IF high IS NULL OR high <= low THEN
        RETURN;
    END IF;
    ids := ARRAY(
        SELECT a.id
        FROM fanfare.activities AS a
        WHERE a.tenant_id = tenant AND a.id > low AND a.id < high
        ORDER BY a.id
        LIMIT batch
    );
    more := cardinality(ids) = batch;
    IF cardinality(ids) > 0 THEN
        kept := fanfare.retention_kept(
            tenant, ARRAY(SELECT u.id FROM unnest(ids) AS u(id) WHERE old IS NULL OR u.id >= old));
        DELETE FROM fanfare.idempotency_keys AS k
        USING fanfare.activities AS a
        WHERE a.tenant_id = tenant AND a.id > low AND a.id <= ids[cardinality(ids)]
          AND a.id = ANY (ids) AND a.id <> ALL (kept)
          AND k.tenant_id = tenant AND k.correlation_id = a.correlation_id AND k.action = a.action
          AND k.resource_id = a.resource_id AND k.activity_id = a.id;
        GET DIAGNOSTICS removed = ROW_COUNT;
    END IF;
    INSERT INTO fanfare.retention_progress (tenant_id, keys_upto)
    VALUES (tenant, CASE WHEN more THEN ids[batch] ELSE high END)
    ON CONFLICT (tenant_id) DO UPDATE SET keys_upto = excluded.keys_upto;
    IF removed > 0 THEN
        total.tenant_id := tenant;
        total.run_id := run;
        total.idempotency_keys := removed;
        total.batches := 1;
        PERFORM fanfare.retention_note(total);
    END IF;
END
$$;

-- Removes the activities that may be removed among the tenant's next batch of expired activities,
-- with ids above after, and their idempotency keys. next is the last id of the batch, or null if no
-- expired activity follows it.
CREATE FUNCTION fanfare.purge_activities(
    run uuid, tenant uuid, after uuid, batch int,
    OUT removed bigint, OUT keys bigint, OUT next uuid
)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    cut   uuid;
    ids   uuid[];
    kept  uuid[];
    low   uuid;
    high  uuid;
    total fanfare.retention_unrecorded;
BEGIN
    removed := 0;
    keys := 0;
    PERFORM fanfare.retention_step(run);
    cut := fanfare.retention_cut(tenant);
    SELECT array_agg(e.id) INTO ids
    FROM (
        SELECT a.id
        FROM fanfare.activities AS a
        WHERE a.tenant_id = tenant AND a.id > after AND a.id < cut
        ORDER BY a.id
        LIMIT batch
    ) AS e;
    IF coalesce(array_length(ids, 1), 0) < batch THEN
        PERFORM fanfare.retention_passed(tenant, cut) WHERE cut IS NOT NULL;
    ELSE
        next := ids[batch];
    END IF;
    IF ids IS NULL THEN
        RETURN;
    END IF;
    low := ids[1];
    high := ids[array_length(ids, 1)];
    kept := fanfare.retention_kept(tenant, ids);
    WITH deleted AS (
        -- With the bounds, partitions are pruned, so that those in use are not even locked.
        DELETE FROM fanfare.activities AS a
        USING unnest(ids) AS u(id)
        WHERE a.tenant_id = tenant AND a.id = u.id AND a.id >= low AND a.id <= high AND u.id <> ALL (kept)
        RETURNING a.id, a.correlation_id, a.action, a.resource_id
    ), deleted_keys AS (
        DELETE FROM fanfare.idempotency_keys AS k
        USING deleted AS d
        WHERE k.tenant_id = tenant AND k.correlation_id = d.correlation_id AND k.action = d.action
          AND k.resource_id = d.resource_id AND k.activity_id = d.id
        RETURNING k.activity_id
    )
    SELECT (SELECT count(*) FROM deleted), (SELECT count(*) FROM deleted_keys)
    INTO total.activities, total.idempotency_keys;
    removed := total.activities;
    keys := total.idempotency_keys;
    IF removed > 0 THEN
        total.tenant_id := tenant;
        total.run_id := run;
        total.batches := 1;
        total.below := cut;
        PERFORM fanfare.retention_note(total);
    END IF;
END
$$;

-- Counts what a run would remove of a tenant now, and removes nothing. Each number is counted up to
-- max_count; exact is false if there may be more.
CREATE FUNCTION fanfare.retention_count(
    tenant uuid, max_count int,
    OUT activities bigint, OUT kept bigint, OUT notifications bigint, OUT idempotency_keys bigint,
    OUT dead_letters bigint, OUT parked bigint, OUT service_tokens bigint, OUT below uuid, OUT exact boolean
)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    p        CONSTANT fanfare.retention := fanfare.retention_of(tenant);
    nil      CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
    old      CONSTANT uuid := fanfare.uuidv7_floor(fanfare.days_ago(p.inbox_days));
    batch    CONSTANT int  := least(max_count, 5000);
    after    uuid          := nil;
    ids      uuid[];
    kept_ids uuid[]        := '{}';
BEGIN
    below := fanfare.retention_cut(tenant);
    activities := 0;
    LOOP
        ids := ARRAY(
            SELECT a.id
            FROM fanfare.activities AS a
            WHERE a.tenant_id = tenant AND a.id > after AND a.id < below
            ORDER BY a.id
            LIMIT batch
        );
        activities := activities + cardinality(ids);
        kept_ids := kept_ids || fanfare.retention_kept(tenant, ids);
        EXIT WHEN cardinality(ids) < batch OR activities >= max_count;
        after := ids[cardinality(ids)];
    END LOOP;
    exact := activities < max_count;
    kept := (SELECT count(DISTINCT u.id) FROM unnest(kept_ids) AS u(id));
    activities := activities - kept;
    SELECT count(*) INTO notifications
    FROM (
        SELECT FROM fanfare.notifications AS n
        WHERE n.tenant_id = tenant
          AND (n.activity_id < old OR n.activity_id < below AND n.activity_id <> ALL (kept_ids))
        LIMIT max_count
    ) AS f;
    SELECT count(*) INTO idempotency_keys
    FROM (
        SELECT FROM fanfare.activities AS a
        JOIN fanfare.idempotency_keys AS k
            ON k.tenant_id = tenant AND k.correlation_id = a.correlation_id AND k.action = a.action
            AND k.resource_id = a.resource_id AND k.activity_id = a.id
        WHERE a.tenant_id = tenant
          AND (
              a.id < fanfare.uuidv7_floor(fanfare.days_ago(p.idempotency_days))
              OR a.id < below AND a.id <> ALL (kept_ids)
          )
          AND a.id > coalesce((SELECT g.keys_upto FROM fanfare.retention_progress AS g WHERE g.tenant_id = tenant), nil)
        LIMIT max_count
    ) AS f;
    SELECT count(*) INTO dead_letters
    FROM (
        SELECT FROM fanfare.dead_letters AS d
        WHERE d.tenant_id = tenant AND d.died_at < fanfare.days_ago(p.dead_letter_days)
        LIMIT max_count
    ) AS f;
    SELECT count(*) INTO parked
    FROM (
        SELECT FROM fanfare.parked AS k
        WHERE k.tenant_id = tenant AND k.parked_at < fanfare.days_ago(p.parked_days)
        LIMIT max_count
    ) AS f;
    SELECT count(*) INTO service_tokens
    FROM (
        SELECT FROM fanfare.service_tokens AS s
        WHERE s.tenant_id = tenant AND least(s.expires_at, s.revoked_at) < fanfare.days_ago(p.token_days)
        LIMIT max_count
    ) AS f;
    exact := exact AND greatest(notifications, idempotency_keys, dead_letters, parked, service_tokens) < max_count;
END
$$;

REVOKE ALL ON FUNCTION
    fanfare.purge_expired,
    fanfare.purge_parked,
    fanfare.purge_notifications,
    fanfare.purge_keys,
    fanfare.purge_activities,
    fanfare.retention_count
FROM PUBLIC;

---- create above / drop below ----

DROP FUNCTION fanfare.retention_count;
DROP FUNCTION fanfare.purge_activities;
DROP FUNCTION fanfare.purge_keys;
DROP FUNCTION fanfare.purge_notifications;
DROP FUNCTION fanfare.purge_parked;
DROP FUNCTION fanfare.purge_expired;
