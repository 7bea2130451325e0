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

GRANT SELECT, UPDATE ON fanfare.retention, fanfare.legal_holds TO fanfare_retention;

REVOKE ALL ON FUNCTION
    fanfare.retention_of,
    fanfare.days_ago,
    fanfare.retention_floor
FROM PUBLIC;

GRANT EXECUTE ON FUNCTION fanfare.retention_of, fanfare.days_ago, fanfare.retention_floor TO fanfare_retention;

---- create above / drop below ----

DROP FUNCTION fanfare.retention_floor;
DROP FUNCTION fanfare.days_ago;
DROP FUNCTION fanfare.retention_of;
DROP TABLE fanfare.legal_holds;
DROP TABLE fanfare.retention;
