-- The write side: one function that every language calls inside its own transaction. A service's
-- role may execute it and touch no table, so these rules hold for every writer.

-- One activity for each (tenant, correlation, action, resource). A table of its own, because a
-- partitioned table cannot hold a unique key without its partition key.
CREATE TABLE fanfare.idempotency_keys (
    tenant_id      uuid NOT NULL,
    correlation_id uuid NOT NULL,
    resource_id    uuid NOT NULL,
    activity_id    uuid NOT NULL,
    action         text NOT NULL,
    PRIMARY KEY (tenant_id, correlation_id, action, resource_id)
);

-- The activity that (tenant, correlation, action, resource) names, or null. One that came without a
-- correlation id has no key: its correlation id is its own.
CREATE FUNCTION fanfare.existing_activity(tenant uuid, correlation uuid, act text, resource uuid) RETURNS fanfare.activities
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT a
    FROM fanfare.activities AS a
    WHERE a.tenant_id = tenant AND a.correlation_id = correlation AND a.action = act AND a.resource_id = resource
        AND a.id = coalesce((
            SELECT k.activity_id FROM fanfare.idempotency_keys AS k
            WHERE k.tenant_id = tenant AND k.correlation_id = correlation AND k.action = act AND k.resource_id = resource), correlation)
$$;

-- Takes the key of an activity that brings its correlation id. False if another has it: then the
-- activity stands already.
CREATE FUNCTION fanfare.claim_key(tenant uuid, correlation uuid, act text, resource uuid, made uuid) RETURNS boolean
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF tenant IS NULL OR act IS NULL OR length(act) > 100 OR resource IS NULL THEN
        RETURN true; -- it will be refused
    END IF;
    -- One that came without a correlation id is named by its own id.
    IF EXISTS (SELECT FROM fanfare.existing_activity(tenant, correlation, act, resource) AS a WHERE a.id = correlation) THEN
        RETURN false;
    END IF;
    INSERT INTO fanfare.idempotency_keys (tenant_id, correlation_id, action, resource_id, activity_id)
    VALUES (tenant, correlation, act, resource, made)
    ON CONFLICT DO NOTHING;
    RETURN FOUND;
END
$$;

REVOKE ALL ON FUNCTION
    fanfare.claim_key,
    fanfare.existing_activity
FROM PUBLIC;

---- create above / drop below ----

DROP FUNCTION fanfare.claim_key;
DROP FUNCTION fanfare.existing_activity;
DROP TABLE fanfare.idempotency_keys;
