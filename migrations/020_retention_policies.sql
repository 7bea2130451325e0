-- Retention policies and legal holds.

-- One row for each tenant with a policy of its own, and one for the installation, whose tenant_id
-- is the nil UUID. In a tenant's row, null means the installation's value. 0 means no limit, and no
-- minimum age for min_days. The installation's min_days is a floor: a tenant's own may be higher,
-- and has no effect if it is lower. A day has 24 hours. The maximum is fifty years, since a time
-- before 1970 has no UUIDv7.
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
    CONSTRAINT retention_of_installation CHECK (
        tenant_id <> '00000000-0000-0000-0000-000000000000'
        OR num_nulls(
            max_days, max_entries, min_days, inbox_days, idempotency_days, dead_letter_days, parked_days, token_days
        ) = 0
    )
);
INSERT INTO fanfare.retention (
    tenant_id,
    max_days, max_entries, min_days, inbox_days, idempotency_days, dead_letter_days, parked_days, token_days
)
VALUES ('00000000-0000-0000-0000-000000000000', 0, 0, 7, 90, 30, 90, 30, 90);

-- Legal holds: activities that are retained regardless of the policies. A hold covers the
-- activities of a tenant, about one resource, or of one actor.
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

-- Returns the policy of a tenant, with the installation's values where it has none of its own. A
-- tenant that moves has no limits: what expires would be missing in one of the databases.
CREATE FUNCTION fanfare.retention_of(tenant uuid) RETURNS fanfare.retention
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (
        tenant,
        CASE WHEN m.tenant_id IS NOT NULL THEN 0 ELSE coalesce(t.max_entries, i.max_entries) END,
        CASE WHEN m.tenant_id IS NOT NULL THEN 0 ELSE coalesce(t.max_days, i.max_days) END,
        greatest(t.min_days, i.min_days),
        CASE WHEN m.tenant_id IS NOT NULL THEN 0 ELSE coalesce(t.inbox_days, i.inbox_days) END,
        CASE WHEN m.tenant_id IS NOT NULL THEN 0 ELSE coalesce(t.idempotency_days, i.idempotency_days) END,
        CASE WHEN m.tenant_id IS NOT NULL THEN 0 ELSE coalesce(t.dead_letter_days, i.dead_letter_days) END,
        CASE WHEN m.tenant_id IS NOT NULL THEN 0 ELSE coalesce(t.parked_days, i.parked_days) END,
        CASE WHEN m.tenant_id IS NOT NULL THEN 0 ELSE coalesce(t.token_days, i.token_days) END,
        t.updated_by,
        coalesce(t.updated_at, i.updated_at)
    )::fanfare.retention
    FROM fanfare.retention AS i
    LEFT JOIN fanfare.retention AS t ON t.tenant_id = tenant
    LEFT JOIN fanfare.tenant_moves AS m ON m.tenant_id = tenant AND m.step <> 'opened'
    WHERE i.tenant_id = '00000000-0000-0000-0000-000000000000'
$$;

-- Reports whether an activity of the action is a record of what was done to the log itself: a
-- change of its retention, a removal, a hold or a redaction. Such records outlive what they record.
CREATE FUNCTION fanfare.records_the_log(action text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN action = 'activity.redacted' OR starts_with(action, 'retention.');

-- Returns the time that is a number of days ago, or null for 0, which means no limit.
CREATE FUNCTION fanfare.days_ago(days int) RETURNS timestamptz
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN days > 0 THEN now() - make_interval(hours => 24 * days) END
$$;

-- Returns the lowest id of activities that are younger than a number of days.
CREATE FUNCTION fanfare.retention_floor(min_days int) RETURNS uuid
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT fanfare.uuidv7_floor(now() - make_interval(hours => 24 * min_days))
$$;

REVOKE ALL ON FUNCTION
    fanfare.retention_of,
    fanfare.records_the_log,
    fanfare.days_ago,
    fanfare.retention_floor
FROM PUBLIC;

---- create above / drop below ----

DROP FUNCTION fanfare.retention_floor;
DROP FUNCTION fanfare.days_ago;
DROP FUNCTION fanfare.records_the_log;
DROP FUNCTION fanfare.retention_of;
DROP TABLE fanfare.legal_holds;
DROP TABLE fanfare.retention;
