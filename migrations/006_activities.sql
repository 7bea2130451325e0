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

REVOKE ALL ON FUNCTION fanfare.refuse_change FROM PUBLIC;

---- create above / drop below ----

DROP TABLE fanfare.activities;
DROP FUNCTION fanfare.refuse_change;
