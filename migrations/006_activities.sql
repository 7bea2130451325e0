-- The log of activities, in the order of their UUIDv7 ids, with one partition a month.

CREATE TABLE fanfare.activities (
    id                   uuid        NOT NULL,
    tenant_id            uuid        NOT NULL,
    actor_principal_id   uuid        NOT NULL,
    resource_id          uuid        NOT NULL,
    correlation_id       uuid        NOT NULL,
    owner_id             uuid,
    parent_id            uuid,
    occurred_at          timestamptz NOT NULL,
    recorded_at          timestamptz NOT NULL,
    ip_key_id            smallint,
    resource_type        text        NOT NULL,
    resource_name        text,
    action               text        NOT NULL,
    visibility           text        NOT NULL,
    status               text        NOT NULL,
    severity             text        NOT NULL,
    category             text        NOT NULL,
    target_principal_ids uuid[],             -- distinct; null if there are none
    delivery_channels    text[]      NOT NULL,
    message              text,
    request_id           text,
    user_agent           text,
    traceparent          text,
    ip_hash              bytea,
    warning              text,               -- the rule of the taxonomy that it violates, under enforcement warn
    payload              jsonb       NOT NULL,
    PRIMARY KEY (tenant_id, id)
) PARTITION BY RANGE (id);

CREATE INDEX activities_actor       ON fanfare.activities (tenant_id, actor_principal_id, id);
CREATE INDEX activities_resource    ON fanfare.activities (tenant_id, resource_id, id);
CREATE INDEX activities_owner       ON fanfare.activities (tenant_id, owner_id, id) WHERE owner_id IS NOT NULL;
CREATE INDEX activities_correlation ON fanfare.activities (tenant_id, correlation_id, id);

-- Takes the activities of months that have no partition yet. fanfare.ensure_partitions moves them.
CREATE TABLE fanfare.activities_default PARTITION OF fanfare.activities DEFAULT;

-- Recorded activities are append-only. Only code that runs as the role of retention may change or
-- remove them: membership in the role, ownership of the table and superuser rights do not suffice.
-- The operator is schema-qualified, so that search_path cannot replace it.
CREATE FUNCTION fanfare.refuse_change() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    IF current_user OPERATOR(pg_catalog.=) fanfare.role_of_retention() THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD WHEN 'UPDATE' THEN NEW END;
    END IF;
    RAISE EXCEPTION '% of %.% refused: recorded activities are append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege',
            HINT = 'Remove activities with fanfare retention, and their contents with fanfare activity redact.';
END
$$;
REVOKE ALL ON FUNCTION fanfare.refuse_change FROM PUBLIC;

CREATE TRIGGER append_only
    BEFORE UPDATE OR DELETE ON fanfare.activities
    FOR EACH ROW EXECUTE FUNCTION fanfare.refuse_change();
-- Unlike row triggers, TRUNCATE triggers are not inherited: each partition has its own.
CREATE TRIGGER never_truncated
    BEFORE TRUNCATE ON fanfare.activities
    FOR EACH STATEMENT EXECUTE FUNCTION fanfare.refuse_change();
CREATE TRIGGER never_truncated
    BEFORE TRUNCATE ON fanfare.activities_default
    FOR EACH STATEMENT EXECUTE FUNCTION fanfare.refuse_change();

---- create above / drop below ----

DROP TABLE fanfare.activities;
DROP FUNCTION fanfare.refuse_change;
