-- The log: what happened, in the order of its UUIDv7 ids, one partition a month.

-- Roles belong to the cluster, not to the database, so another database of it may have made them
-- already. fanfare_writer:    grant it to a service's role; it may record activities and touch
-- nothing else. fanfare_retention: nobody logs in as it; only functions it owns may change or
-- remove a recorded activity.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['fanfare_writer', 'fanfare_retention'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;
            END;
        END IF;
        -- Since version 16 whoever makes a role is its member without the right to act as it.
        IF NOT pg_has_role(current_user, wanted, CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END) THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
        END IF;
    END LOOP;
END
$$;

GRANT USAGE ON SCHEMA fanfare TO fanfare_writer, fanfare_retention;

-- The lowest UUIDv7 of a millisecond (RFC 9562, 5.7): 48 bits of Unix milliseconds, everything
-- after them zero.
CREATE FUNCTION fanfare.uuidv7_floor(at timestamptz) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN encode(substring(int8send(floor(extract(epoch FROM at) * 1000)::bigint) FROM 3) || '\x00000000000000000000'::bytea, 'hex')::uuid;

-- A UUIDv7 (RFC 9562, 5.7 with 6.2 method 3) of a time in microseconds since 1970: milliseconds,
-- then 12 bits of the fraction of a millisecond, from which the microsecond can be read again, then
-- 62 random bits. It is inlined where it is called.
CREATE FUNCTION fanfare.uuidv7_of(micros bigint) RETURNS uuid
    LANGUAGE sql VOLATILE PARALLEL SAFE
    RETURN encode(int8send((micros / 1000 << 16) + 28672 + micros % 1000 * 4096 / 1000) || substring(uuid_send(gen_random_uuid()) FROM 9), 'hex')::uuid;

-- A UUIDv7 of now. PostgreSQL brings its own from version 18 on.
CREATE FUNCTION fanfare.uuidv7(at timestamptz DEFAULT clock_timestamp()) RETURNS uuid
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN fanfare.uuidv7_of((extract(epoch FROM at) * 1000000)::bigint);
END
$$;

CREATE TABLE fanfare.activities (
    id                  uuid        NOT NULL,
    tenant_id           uuid        NOT NULL,
    actor_principal_id  uuid        NOT NULL,
    resource_id         uuid        NOT NULL,
    correlation_id      uuid        NOT NULL,
    target_principal_id uuid,
    owner_id            uuid,
    parent_id           uuid,
    occurred_at         timestamptz NOT NULL,
    recorded_at         timestamptz NOT NULL,
    ip_key_id           smallint,
    resource_type       text        NOT NULL,
    resource_name       text,
    action              text        NOT NULL,
    visibility          text        NOT NULL,
    status              text        NOT NULL,
    severity            text        NOT NULL,
    category            text        NOT NULL,
    delivery_channels   text[]      NOT NULL,
    message             text,
    request_id          text,
    user_agent          text,
    traceparent         text,
    ip_hash             bytea,
    warning             text, -- the rule of the taxonomy that it breaks, where that is only noted
    payload             jsonb       NOT NULL,
    PRIMARY KEY (tenant_id, id)
) PARTITION BY RANGE (id);

CREATE INDEX activities_actor       ON fanfare.activities (tenant_id, actor_principal_id, id);
CREATE INDEX activities_resource    ON fanfare.activities (tenant_id, resource_id, id);
CREATE INDEX activities_owner       ON fanfare.activities (tenant_id, owner_id, id) WHERE owner_id IS NOT NULL;
CREATE INDEX activities_correlation ON fanfare.activities (tenant_id, correlation_id, id);

-- Nothing is lost when the months made ahead run out: it lands here, and ensure_partitions moves it
-- to its month.
CREATE TABLE fanfare.activities_default PARTITION OF fanfare.activities DEFAULT;

-- A recorded activity stands. Only code that runs as fanfare_retention may change or remove one;
-- being its member, the table's owner or a superuser is not enough. The operator is named in full,
-- so that no search_path puts another in its place.
CREATE FUNCTION fanfare.refuse_change() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    IF current_user OPERATOR(pg_catalog.=) 'fanfare_retention'::pg_catalog.name THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD WHEN 'UPDATE' THEN NEW END;
    END IF;
    RAISE EXCEPTION '% of %.% refused: recorded activities are append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege', HINT = 'Retention and redaction go through their own functions.';
END
$$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON fanfare.activities
    FOR EACH ROW EXECUTE FUNCTION fanfare.refuse_change();
-- Unlike row triggers, a TRUNCATE trigger is not inherited: every partition gets its own.
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON fanfare.activities
    FOR EACH STATEMENT EXECUTE FUNCTION fanfare.refuse_change();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON fanfare.activities_default
    FOR EACH STATEMENT EXECUTE FUNCTION fanfare.refuse_change();

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
REVOKE ALL ON FUNCTION fanfare.move_from_default FROM PUBLIC;
GRANT SELECT, DELETE ON fanfare.activities_default TO fanfare_retention;
-- A function's owner needs CREATE on its schema at the moment it is given the function, and not
-- after.
GRANT CREATE ON SCHEMA fanfare TO fanfare_retention;
DO $$
BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION fanfare.move_from_default TO %I', current_user);
END
$$;
ALTER FUNCTION fanfare.move_from_default OWNER TO fanfare_retention;
REVOKE CREATE ON SCHEMA fanfare FROM fanfare_retention;

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
REVOKE ALL ON FUNCTION fanfare.ensure_partitions FROM PUBLIC;
SELECT fanfare.ensure_partitions();

---- create above / drop below ----

DROP TABLE fanfare.activities;
DROP FUNCTION fanfare.ensure_partitions;
DROP FUNCTION fanfare.move_from_default;
DROP FUNCTION fanfare.refuse_change;
DROP FUNCTION fanfare.uuidv7;
DROP FUNCTION fanfare.uuidv7_of;
DROP FUNCTION fanfare.uuidv7_floor;
REVOKE ALL ON SCHEMA fanfare FROM fanfare_writer, fanfare_retention;
-- The roles stay while another database of the cluster uses them.
DO $$
DECLARE
    unwanted text;
BEGIN
    FOREACH unwanted IN ARRAY ARRAY['fanfare_writer', 'fanfare_retention'] LOOP
        BEGIN
            EXECUTE format('DROP ROLE IF EXISTS %I', unwanted);
        EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege OR object_in_use THEN
            NULL;
        END;
    END LOOP;
END
$$;
