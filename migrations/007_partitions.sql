-- The partitions of the log: one for each calendar month in UTC.

-- Moves the rows between two ids from the default partition into a table that becomes their
-- partition. Returns the number of rows.
CREATE FUNCTION fanfare.move_from_default(target regclass, low uuid, high uuid) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    moved bigint;
BEGIN
    EXECUTE format(
        'WITH removed AS (DELETE FROM fanfare.activities_default WHERE id >= %L AND id < %L RETURNING *)
         INSERT INTO %s SELECT * FROM removed',
        low, high, target);
    GET DIAGNOSTICS moved = ROW_COUNT;
    RETURN moved;
END
$$;

-- Creates the partition of the month that contains a time, unless it exists, and returns whether it
-- did. The table is built first and then attached, which blocks writers only while the default
-- partition, normally empty, is scanned. Concurrent calls wait for each other.
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
    EXECUTE format(
        'CREATE TABLE fanfare.%I (
            LIKE fanfare.activities INCLUDING DEFAULTS INCLUDING CONSTRAINTS, CHECK (id >= %L AND id < %L))',
        part, low, high);
    IF month AT TIME ZONE 'UTC' <= now()
        OR EXISTS (SELECT FROM fanfare.activities_default WHERE id >= low AND id < high)
    THEN
        -- Rows of this month may be written to the default partition right now. A writer that
        -- begins later must find the new partition, since the default partition then rejects its
        -- row.
        LOCK TABLE ONLY fanfare.activities IN SHARE ROW EXCLUSIVE MODE;
    END IF;
    -- Taken before the search for rows to move, to wait for writers that have not committed theirs.
    LOCK TABLE fanfare.activities_default IN ACCESS EXCLUSIVE MODE;
    IF EXISTS (SELECT FROM fanfare.activities_default WHERE id >= low AND id < high) THEN
        EXECUTE format('GRANT INSERT ON fanfare.%I TO %I', part, fanfare.role_of_retention());
        PERFORM fanfare.move_from_default(format('fanfare.%I', part)::regclass, low, high);
        EXECUTE format('REVOKE INSERT ON fanfare.%I FROM %I', part, fanfare.role_of_retention());
    END IF;
    EXECUTE format(
        'ALTER TABLE fanfare.activities ATTACH PARTITION fanfare.%I FOR VALUES FROM (%L) TO (%L)',
        part, low, high);
    EXECUTE format('ALTER TABLE fanfare.%I DROP CONSTRAINT %I', part, part || '_id_check');
    EXECUTE format(
        'CREATE TRIGGER never_truncated BEFORE TRUNCATE ON fanfare.%I
            FOR EACH STATEMENT EXECUTE FUNCTION fanfare.refuse_change()',
        part);
    RETURN true;
END
$$;

-- Creates the partitions of the current month and of the following months, and returns the number
-- of those that did not exist.
CREATE FUNCTION fanfare.ensure_partitions(months_ahead int DEFAULT 3) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    month   CONSTANT timestamp := date_trunc('month', now() AT TIME ZONE 'UTC');
    created int                := 0;
BEGIN
    FOR i IN 0..months_ahead LOOP
        IF fanfare.ensure_partition((month + make_interval(months => i)) AT TIME ZONE 'UTC') THEN
            created := created + 1;
        END IF;
    END LOOP;
    RETURN created;
END
$$;

-- Lists the partitions with their bounds, the oldest first, without the default partition.
CREATE FUNCTION fanfare.activity_partitions() RETURNS TABLE (part name, low uuid, high uuid)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.relname, b.bounds[1]::uuid, b.bounds[2]::uuid
    FROM pg_inherits AS i
    JOIN pg_class AS c ON c.oid = i.inhrelid
    CROSS JOIN LATERAL regexp_match(
        pg_get_expr(c.relpartbound, c.oid), 'FROM [(]''(.*)''[)] TO [(]''(.*)''[)]'
    ) AS b(bounds)
    WHERE i.inhparent = 'fanfare.activities'::regclass
      AND c.relnamespace = 'fanfare'::regnamespace
      AND b.bounds IS NOT NULL
      AND NOT i.inhdetachpending
    ORDER BY 2
$$;

REVOKE ALL ON FUNCTION
    fanfare.move_from_default,
    fanfare.ensure_partition,
    fanfare.ensure_partitions,
    fanfare.activity_partitions
FROM PUBLIC;

SELECT fanfare.ensure_partitions();

---- create above / drop below ----

DROP FUNCTION fanfare.activity_partitions;
DROP FUNCTION fanfare.ensure_partitions;
DROP FUNCTION fanfare.ensure_partition;
DROP FUNCTION fanfare.move_from_default;
