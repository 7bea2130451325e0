-- Removal of partitions in which every activity may be removed.

-- Reports whether nothing in a partition must be retained but records of what was done to the log,
-- which drop_partition preserves: the activities of each tenant in it have expired, none of the
-- activities between its bounds is pending or a dead letter, and none is under a hold. A partition
-- that contains such records only is not removable before they have expired. An empty partition
-- must have ended a month ago, since earlier activities may be about to be imported into it.
CREATE FUNCTION fanfare.partition_is_removable(part name) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET jit = off AS $$
DECLARE
    b      record;
    tenant uuid := '00000000-0000-0000-0000-000000000000';
    filled boolean := false;
    held   boolean;
    other  boolean; -- it contains activities besides records of what was done to the log
BEGIN
    SELECT p.low, p.high INTO b FROM fanfare.activity_partitions() AS p WHERE p.part = partition_is_removable.part;
    -- The months in use are excluded without reading them.
    IF b.high IS NULL OR b.high > fanfare.uuidv7_floor(now()) THEN
        RETURN false;
    END IF;
    LOOP
        EXECUTE format('SELECT tenant_id FROM fanfare.%I WHERE tenant_id > $1 ORDER BY tenant_id LIMIT 1', part)
        INTO tenant
        USING tenant;
        EXIT WHEN tenant IS NULL;
        filled := true;
        IF fanfare.retention_cut(tenant) >= b.high THEN
            CONTINUE;
        END IF;
        RETURN false;
    END LOOP;
    EXECUTE format('SELECT EXISTS (SELECT FROM fanfare.%I AS a WHERE NOT fanfare.records_the_log(a.action))', part)
    INTO other;
    IF filled AND NOT other THEN
        EXECUTE format(
            'SELECT bool_and(coalesce(fanfare.retention_records_cut(t.tenant_id) >= $1, false))
             FROM (SELECT DISTINCT tenant_id FROM fanfare.%I) AS t',
            part)
        INTO other
        USING b.high;
        IF NOT other THEN
            RETURN false;
        END IF;
    END IF;
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
            SELECT FROM fanfare.legal_holds AS h
            WHERE h.released_at IS NULL AND (
                h.resource_id IS NOT NULL AND EXISTS (
                    SELECT FROM fanfare.%1$I AS a
                    WHERE a.tenant_id = h.tenant_id AND a.resource_id = h.resource_id)
                OR h.actor_principal_id IS NOT NULL AND EXISTS (
                    SELECT FROM fanfare.%1$I AS a
                    WHERE a.tenant_id = h.tenant_id AND a.actor_principal_id = h.actor_principal_id)))',
        part)
    INTO held;
    RETURN NOT held;
END
$$;

-- Drops a partition if it is removable. dropped is null if a lock was not available; then nothing
-- was changed. Records of what was done to the log that have not expired are preserved in a new
-- partition of the same month.
--
-- The partition is first locked against changes and counted, which blocks no one: reading
-- continues, and months of the past are not written to. Then the policies and the holds are locked,
-- and the partition is examined again, so that the result still holds when the partition is
-- dropped. Dropping locks the entire log for a moment, and waiting for this lock blocks every
-- session that comes after it. So it is attempted five times, for 25 to 400 milliseconds, each time
-- after a pause of eight times that length, and no writer is blocked for longer than an attempt.
CREATE FUNCTION fanfare.drop_partition(
    run uuid, part name,
    OUT dropped boolean, OUT removed bigint, OUT keys bigint
)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '400ms' SET jit = off AS $$
DECLARE
    b           record;
    tenants     uuid[];
    counts      bigint[]; -- of activities of each of the tenants
    records     fanfare.activities[]; -- that are preserved
    key_tenants uuid[];
    key_counts  bigint[]; -- of idempotency keys of each of the key_tenants
BEGIN
    dropped := false;
    removed := 0;
    keys := 0;
    SELECT p.low, p.high INTO b FROM fanfare.activity_partitions() AS p WHERE p.part = drop_partition.part;
    IF NOT FOUND OR NOT fanfare.partition_is_removable(part) THEN
        RETURN;
    END IF;
    BEGIN
        EXECUTE format('LOCK TABLE fanfare.%I IN SHARE ROW EXCLUSIVE MODE', part);
        EXECUTE format(
            'SELECT array_agg(c.tenant_id), array_agg(c.total)
             FROM (SELECT tenant_id, count(*) AS total FROM fanfare.%I GROUP BY tenant_id) AS c',
            part)
        INTO tenants, counts;
        EXECUTE format(
            'SELECT array_agg(a::fanfare.activities) FROM fanfare.%I AS a WHERE fanfare.records_the_log(a.action)',
            part)
        INTO records;
        PERFORM fanfare.retention_step(run);
    EXCEPTION WHEN lock_not_available OR deadlock_detected OR undefined_table THEN
        dropped := NULL;
        RETURN;
    END;
    IF NOT fanfare.partition_is_removable(part) THEN
        RETURN;
    END IF;
    SELECT array_agg(r) INTO records
    FROM unnest(tenants) AS t(id)
    CROSS JOIN LATERAL fanfare.retention_records_cut(t.id) AS c(cut)
    JOIN unnest(records) AS r ON r.tenant_id = t.id AND (c.cut IS NULL OR r.id >= c.cut);
    IF records IS NOT NULL THEN
        counts := ARRAY(
            SELECT u.total - (SELECT count(*) FROM unnest(records) AS r WHERE r.tenant_id = u.tenant)
            FROM unnest(tenants, counts) WITH ORDINALITY AS u(tenant, total, n)
            ORDER BY u.n
        );
        -- The lock of ensure_partition, which must be taken before that of the log.
        IF NOT pg_try_advisory_xact_lock(hashtextextended('fanfare.ensure_partitions', 0)) THEN
            dropped := NULL;
            RETURN;
        END IF;
    END IF;
    -- purge_keys has removed the keys, except for those of activities that were imported later.
    WITH deleted AS (
        DELETE FROM fanfare.idempotency_keys WHERE activity_id >= b.low AND activity_id < b.high RETURNING tenant_id
    ), counted AS (
        SELECT d.tenant_id, count(*) AS total FROM deleted AS d GROUP BY d.tenant_id
    )
    SELECT array_agg(c.tenant_id), array_agg(c.total), coalesce(sum(c.total), 0)
    INTO key_tenants, key_counts, keys
    FROM counted AS c;
    PERFORM fanfare.retention_note(
        row(u.tenant, run, 0, 0, u.total, 0, 0, 0, 1, NULL, now(), '{}')::fanfare.retention_unrecorded)
    FROM unnest(key_tenants, key_counts) AS u(tenant, total);
    FOR attempt IN 0..4 LOOP
        BEGIN
            PERFORM set_config('lock_timeout', 25 * 2 ^ attempt || 'ms', true);
            LOCK TABLE ONLY fanfare.activities IN ACCESS EXCLUSIVE MODE;
            EXECUTE format('DROP TABLE fanfare.%I', part);
            IF records IS NOT NULL THEN
                PERFORM fanfare.ensure_partition(to_timestamp(
                    ('x' || translate(left(b.low::text, 13), '-', ''))::bit(48)::bigint / 1000.0));
                INSERT INTO fanfare.activities SELECT r.* FROM unnest(records) AS r;
            END IF;
            dropped := true;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            dropped := NULL;
        END;
        EXIT WHEN dropped OR attempt = 4;
        PERFORM pg_sleep(0.2 * 2 ^ attempt);
    END LOOP;
    IF dropped THEN
        removed := (SELECT coalesce(sum(u.total), 0) FROM unnest(counts) AS u(total));
        PERFORM fanfare.retention_note(
            row(u.tenant, run, u.total, 0, 0, 0, 0, 0, 0, b.high, now(), ARRAY[part]::text[])
                ::fanfare.retention_unrecorded)
        FROM unnest(tenants, counts) AS u(tenant, total)
        WHERE u.total > 0;
    END IF;
END
$$;

REVOKE ALL ON FUNCTION fanfare.partition_is_removable, fanfare.drop_partition FROM PUBLIC;

---- create above / drop below ----

DROP FUNCTION fanfare.drop_partition;
DROP FUNCTION fanfare.partition_is_removable;
