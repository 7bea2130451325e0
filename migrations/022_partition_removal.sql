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

REVOKE ALL ON FUNCTION
    fanfare.partition_may_go,
    fanfare.drop_partition
FROM PUBLIC;

---- create above / drop below ----

DROP FUNCTION fanfare.drop_partition;
DROP FUNCTION fanfare.partition_may_go;
