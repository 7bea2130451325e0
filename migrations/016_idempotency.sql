-- Idempotency: one activity for each tenant, correlation id, action and resource.

-- The keys of activities that were recorded with a correlation id. They have a table of their own,
-- since a unique constraint of a partitioned table must include the partition key.
CREATE TABLE fanfare.idempotency_keys (
    tenant_id      uuid NOT NULL,
    correlation_id uuid NOT NULL,
    resource_id    uuid NOT NULL,
    activity_id    uuid NOT NULL,
    action         text NOT NULL,
    PRIMARY KEY (tenant_id, correlation_id, action, resource_id)
);

-- Reports whether the correlation id is the id of an activity with this action and resource: one
-- that was recorded without a correlation id has its own id as one, and no row in idempotency_keys.
-- The ids of activities are UUIDs of version 7, so most correlation ids need no look into the log.
CREATE FUNCTION fanfare.is_own_correlation(tenant uuid, correlation uuid, act text, resource uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN get_byte(uuid_send(correlation), 6) >> 4 = 7 AND EXISTS (
        SELECT FROM fanfare.activities AS a
        WHERE a.tenant_id = tenant AND a.id = correlation AND a.correlation_id = correlation
          AND a.action = act AND a.resource_id = resource);
END
$$;

-- Returns the id of the activity with an idempotency key, or null. Services may call it, so it
-- returns no more. In PL/pgSQL its plans are kept, also that of all partitions of the log.
CREATE FUNCTION fanfare.existing_id(tenant uuid, correlation uuid, act text, resource uuid)
    RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    keyed uuid := (
        SELECT k.activity_id
        FROM fanfare.idempotency_keys AS k
        WHERE k.tenant_id = tenant AND k.correlation_id = correlation AND k.action = act AND k.resource_id = resource);
BEGIN
    IF keyed IS NULL THEN
        RETURN CASE WHEN fanfare.is_own_correlation(tenant, correlation, act, resource) THEN correlation END;
    END IF;
    RETURN (
        SELECT a.id
        FROM fanfare.activities AS a
        WHERE a.tenant_id = tenant AND a.id = keyed AND a.correlation_id = correlation
          AND a.action = act AND a.resource_id = resource);
END
$$;

-- Returns the activity with an idempotency key, or null, with the rights of the caller: of one that
-- may not read the log, the activity has its id only.
CREATE FUNCTION fanfare.existing_activity(tenant uuid, correlation uuid, act text, resource uuid)
    RETURNS fanfare.activities
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    a fanfare.activities;
BEGIN
    a.id := fanfare.existing_id(tenant, correlation, act, resource);
    IF a.id IS NOT NULL AND has_table_privilege('fanfare.activities', 'SELECT') THEN
        SELECT x.* INTO a FROM fanfare.activities AS x WHERE x.tenant_id = tenant AND x.id = a.id;
    END IF;
    RETURN a;
END
$$;

-- Claims an idempotency key for a new activity. Returns false if the activity exists already. For
-- an incomplete or invalid key, whose envelope is about to be refused, it returns true and claims
-- nothing.
CREATE FUNCTION fanfare.claim_idempotency_key(tenant uuid, correlation uuid, act text, resource uuid, new_id uuid)
    RETURNS boolean
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF tenant IS NULL OR act IS NULL OR length(act) > 100 OR resource IS NULL THEN
        RETURN true;
    END IF;
    IF fanfare.is_own_correlation(tenant, correlation, act, resource) THEN
        RETURN false;
    END IF;
    INSERT INTO fanfare.idempotency_keys (tenant_id, correlation_id, action, resource_id, activity_id)
    VALUES (tenant, correlation, act, resource, new_id)
    ON CONFLICT DO NOTHING;
    RETURN FOUND;
END
$$;

REVOKE ALL ON FUNCTION fanfare.is_own_correlation, fanfare.existing_id, fanfare.existing_activity,
    fanfare.claim_idempotency_key FROM PUBLIC;

---- create above / drop below ----

DROP FUNCTION fanfare.claim_idempotency_key;
DROP FUNCTION fanfare.existing_activity;
DROP FUNCTION fanfare.existing_id;
DROP FUNCTION fanfare.is_own_correlation;
DROP TABLE fanfare.idempotency_keys;
