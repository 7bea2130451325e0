-- Moves of tenants from one database to another. Each database has its own row of a move; the
-- package internal/tenantmove describes the steps.

-- While a tenant has a row, nothing of it expires and nothing is redacted. While frozen_at is not
-- null, triggers refuse to change what belongs to the tenant: they exist only for frozen tenants,
-- so that recording checks nothing while no tenant moves.
--
-- A row with the role source remains after the move: the tenant is frozen here for good, and
-- belongs to the peer once the step is moved or cleared. The row of the destination is deleted when
-- the move ends.
CREATE TABLE fanfare.tenant_moves (
    tenant_id  uuid        PRIMARY KEY,
    move_id    uuid        NOT NULL, -- the same in both databases
    role       text        NOT NULL CHECK (role IN ('source', 'destination')),
    step       text        NOT NULL CHECK (step IN (
        'begun', 'copying', 'frozen', 'delta', 'verified', 'opened', 'moved', 'cleared', 'aborting')),
    peer       text        NOT NULL, -- the other database: the name of its cell, or host:port/database
    -- The moving process sets fanfare.tenant_move to it, and may then change what is frozen.
    pass       uuid        NOT NULL DEFAULT gen_random_uuid(),
    log_upto   uuid,                 -- the activities below this id were compared before the freeze
    -- In the source, what the last comparison of the other tables before the freeze found, with an
    -- id; in the destination, the id.
    baselines  jsonb,
    copied     jsonb,                -- the numbers of rows by table, when both databases were equal
    removed    jsonb,                -- the numbers of rows that were removed here after the move, by table
    former     jsonb,                -- the row that this one replaces, of a tenant that returns
    started_at timestamptz NOT NULL DEFAULT now(),
    frozen_at  timestamptz,
    moved_at   timestamptz,
    cleared_at timestamptz
);

-- Pending activities and dead letters of a tenant that moves, out of reach of the workers. content
-- is the row of the table.
CREATE TABLE fanfare.tenant_move_rows (
    tenant_id   uuid   NOT NULL,
    from_table  text   NOT NULL CHECK (from_table IN ('outbox', 'parked', 'fan_out_jobs', 'dead_letters')),
    activity_id uuid   NOT NULL,
    seq         bigint NOT NULL,
    content     jsonb  NOT NULL,
    PRIMARY KEY (tenant_id, from_table, activity_id)
);

-- Refuses a change of a frozen tenant. Errors: FF005. The conditions of the triggers name the
-- frozen tenants, so it is not called for others. It reads the row of the move again: a tenant is
-- released by changing that row, before the triggers are.
CREATE FUNCTION fanfare.refuse_frozen() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    tenants CONSTANT uuid[] := CASE TG_OP
        WHEN 'INSERT' THEN ARRAY[NEW.tenant_id]
        WHEN 'DELETE' THEN ARRAY[OLD.tenant_id]
        ELSE ARRAY[OLD.tenant_id, NEW.tenant_id]
    END;
    m       fanfare.tenant_moves;
BEGIN
    SELECT * INTO m
    FROM fanfare.tenant_moves AS x
    WHERE x.tenant_id = ANY (tenants) AND x.frozen_at IS NOT NULL
      AND x.pass::text IS DISTINCT FROM current_setting('fanfare.tenant_move', true)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'tenant % %', m.tenant_id, CASE
                WHEN m.step IN ('moved', 'cleared') THEN 'has been moved to another database'
                ELSE 'is being moved to another database'
            END
            USING ERRCODE = 'FF005', SCHEMA = 'fanfare', TABLE = TG_TABLE_NAME, CONSTRAINT = 'tenant_moves',
                HINT = 'Repeat the transaction in a moment, in the database to which the tenant belongs then.';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;

-- Removes a batch of a tenant's activities with ids above after, the oldest first, with their
-- idempotency keys, and returns the numbers and the last id. It removes only copies: those that a
-- tenant left behind when it moved, and those of a move that is being aborted.
CREATE FUNCTION fanfare.remove_moved_activities(
    tenant uuid, after uuid, batch int,
    OUT removed bigint, OUT keys bigint, OUT next uuid
)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    low CONSTANT uuid := coalesce(after, '00000000-0000-0000-0000-000000000000');
BEGIN
    IF NOT EXISTS (
        SELECT FROM fanfare.tenant_moves AS m
        WHERE m.tenant_id = tenant
          AND (m.role = 'source' AND m.step IN ('moved', 'cleared') OR m.role = 'destination' AND m.step = 'aborting')
    ) THEN
        RAISE EXCEPTION 'the activities of tenant % are not copies', tenant USING ERRCODE = 'object_in_use';
    END IF;
    SELECT b.id INTO next
    FROM (
        SELECT a.id
        FROM fanfare.activities AS a
        WHERE a.tenant_id = tenant AND a.id > low
        ORDER BY a.id
        LIMIT batch
    ) AS b
    ORDER BY b.id DESC
    LIMIT 1;
    -- By ranges and by looking up each key, without a join whose order would depend on statistics:
    -- after a copy, they are out of date.
    WITH deleted AS (
        DELETE FROM fanfare.activities AS a
        WHERE a.tenant_id = tenant AND a.id > low AND a.id <= next
        RETURNING a.id, a.correlation_id, a.action, a.resource_id
    ), deleted_keys AS (
        DELETE FROM fanfare.idempotency_keys
        WHERE ctid = ANY (ARRAY(
            SELECT k.ctid
            FROM deleted AS d
            CROSS JOIN LATERAL (
                SELECT k.ctid FROM fanfare.idempotency_keys AS k
                WHERE k.tenant_id = tenant AND k.correlation_id = d.correlation_id AND k.action = d.action
                  AND k.resource_id = d.resource_id
                OFFSET 0
            ) AS k
        ))
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM deleted), (SELECT count(*) FROM deleted_keys) INTO removed, keys;
END
$$;

REVOKE ALL ON FUNCTION fanfare.refuse_frozen, fanfare.remove_moved_activities FROM PUBLIC;

---- create above / drop below ----

DROP FUNCTION fanfare.remove_moved_activities;
DROP FUNCTION fanfare.refuse_frozen CASCADE; -- and the triggers of frozen tenants
DROP TABLE fanfare.tenant_move_rows;
DROP TABLE fanfare.tenant_moves;
