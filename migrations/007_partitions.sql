-- Moves what the default partition holds between two ids into a table that is about to become their
-- partition.
CREATE FUNCTION fanfare.move_from_default(target regclass, low uuid, high uuid) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    moved bigint;
BEGIN
    EXECUTE format(
        'WITH gone AS (DELETE FROM fanfare.activities_default WHERE id >= %L AND id < %L RETURNING *)
         INSERT INTO %s SELECT * FROM gone', low, high, target);
    GET DIAGNOSTICS moved = ROW_COUNT;
    RETURN moved;
END
$$;

-- Makes the partitions of this month and of the months after it, each in the way that a live system
-- bears: built aside, then attached, which holds writers up only while the (empty) default
-- partition is looked through. Returns how many it made. Safe to call from many places at once.
CREATE FUNCTION fanfare.ensure_partitions(months_ahead int DEFAULT 3) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s' AS $$
DECLARE
    month timestamptz;
    low   uuid;
    high  uuid;
    part  text;
    made  int := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('fanfare.ensure_partitions', 0));
    FOR i IN 0..months_ahead LOOP
        month := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => i)) AT TIME ZONE 'UTC';
        part := format('activities_%s', to_char(month AT TIME ZONE 'UTC', '"y"YYYY"m"MM'));
        CONTINUE WHEN to_regclass('fanfare.' || part) IS NOT NULL;
        low  := fanfare.uuidv7_floor(month);
        high := fanfare.uuidv7_floor((month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC');
        EXECUTE format('CREATE TABLE fanfare.%I (LIKE fanfare.activities INCLUDING DEFAULTS INCLUDING CONSTRAINTS, CHECK (id >= %L AND id < %L))', part, low, high);
        IF month <= now() OR EXISTS (SELECT FROM fanfare.activities_default WHERE id >= low AND id < high) THEN
            -- Writers fill the default partition: those to come must find the new one, or the
            -- default turns their row away.
            LOCK TABLE ONLY fanfare.activities IN SHARE ROW EXCLUSIVE MODE;
        END IF;
        -- Before the look for rows to move, so that a writer who is about to commit some is waited
        -- for.
        LOCK TABLE fanfare.activities_default IN ACCESS EXCLUSIVE MODE;
        IF EXISTS (SELECT FROM fanfare.activities_default WHERE id >= low AND id < high) THEN
            EXECUTE format('GRANT INSERT ON fanfare.%I TO fanfare_retention', part);
            PERFORM fanfare.move_from_default(format('fanfare.%I', part)::regclass, low, high);
            EXECUTE format('REVOKE INSERT ON fanfare.%I FROM fanfare_retention', part);
        END IF;
        EXECUTE format('ALTER TABLE fanfare.activities ATTACH PARTITION fanfare.%I FOR VALUES FROM (%L) TO (%L)', part, low, high);
        EXECUTE format('ALTER TABLE fanfare.%I DROP CONSTRAINT %I', part, part || '_id_check');
        EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON fanfare.%I FOR EACH STATEMENT EXECUTE FUNCTION fanfare.refuse_change()', part);
        made := made + 1;
    END LOOP;
    RETURN made;
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

-- The partitions and their bounds, the oldest first.
CREATE FUNCTION fanfare.activity_partitions() RETURNS TABLE (part name, low uuid, high uuid)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.relname, m.bounds[1]::uuid, m.bounds[2]::uuid
    FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
    CROSS JOIN LATERAL regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \(''(.*)''\) TO \(''(.*)''\)') AS m(bounds)
    WHERE i.inhparent = 'fanfare.activities'::regclass AND c.relnamespace = 'fanfare'::regnamespace AND m.bounds IS NOT NULL AND NOT i.inhdetachpending
    ORDER BY 2
$$;

REVOKE ALL ON FUNCTION
    fanfare.move_from_default,
    fanfare.ensure_partitions,
    fanfare.ensure_partition,
    fanfare.activity_partitions
FROM PUBLIC;

GRANT SELECT, DELETE ON fanfare.activities_default TO fanfare_retention;

-- A function's owner needs CREATE on its schema at the moment it becomes the owner.
GRANT CREATE ON SCHEMA fanfare TO fanfare_retention;
DO $$
DECLARE
    f text;
BEGIN
    FOREACH f IN ARRAY ARRAY['move_from_default'] LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION fanfare.%I TO %I', f, current_user);
        EXECUTE format('ALTER FUNCTION fanfare.%I OWNER TO fanfare_retention', f);
    END LOOP;
END
$$;
REVOKE CREATE ON SCHEMA fanfare FROM fanfare_retention;

SELECT fanfare.ensure_partitions();

---- create above / drop below ----

DROP FUNCTION fanfare.activity_partitions;
DROP FUNCTION fanfare.ensure_partition;
DROP FUNCTION fanfare.ensure_partitions;
DROP FUNCTION fanfare.move_from_default;
REVOKE ALL ON fanfare.activities_default FROM fanfare_retention;
