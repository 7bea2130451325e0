-- Redaction on request: an activity keeps its row, ids, action and times, and loses its contents.

-- Erases the contents of activities, and returns their number. It refuses a tenant that moves, and
-- checks nothing else: only redact_activities calls it. It runs as the role of retention, which
-- alone may change a recorded activity.
CREATE FUNCTION fanfare.erase_activities(tenant uuid, ids uuid[], marker jsonb, keep_names boolean) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET jit = off AS $$
DECLARE
    erased int;
BEGIN
    IF EXISTS (SELECT FROM fanfare.tenant_moves AS m WHERE m.tenant_id = tenant AND m.step <> 'opened') THEN
        RAISE EXCEPTION 'tenant % is being moved to another database', tenant
            USING ERRCODE = 'FF005', SCHEMA = 'fanfare', TABLE = 'activities', CONSTRAINT = 'tenant_moves',
                HINT = 'Repeat the redaction after the move, in the database to which the tenant belongs then.';
    END IF;
    UPDATE fanfare.activities AS a
    SET payload = marker,
        message = NULL,
        user_agent = NULL,
        ip_hash = NULL,
        ip_key_id = NULL,
        warning = NULL,
        resource_name = CASE WHEN keep_names THEN a.resource_name END
    WHERE a.tenant_id = tenant AND a.id = ANY (ids);
    GET DIAGNOSTICS erased = ROW_COUNT;
    RETURN erased;
END
$$;

-- Redacts the tenant's activities with the given ids, except for those that are redacted already or
-- under a hold, and records the redaction in the same transaction. The record contains the numbers,
-- the criteria and the reason; the redacted payloads contain the id of the record's resource. With
-- override_holds, activities under a hold are redacted too. At most 10,000 ids may be given.
--
-- redacted counts the redacted activities, already those that were redacted before, and held those
-- that a hold retains. Records of redactions are not redacted, and not counted. With dry_run,
-- nothing is changed. The holds are locked, so no hold is placed between the check and the
-- redaction.
CREATE FUNCTION fanfare.redact_activities(
    tenant uuid,
    ids uuid[],
    actor uuid,
    reason text,
    run uuid,
    criteria jsonb DEFAULT '{}',
    keep_names boolean DEFAULT false,
    override_holds boolean DEFAULT false,
    dry_run boolean DEFAULT false,
    OUT redacted int,
    OUT held int,
    OUT already int
)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET jit = off AS $$
DECLARE
    batch      CONSTANT uuid := gen_random_uuid();
    redactable uuid[];
    overridden int;
BEGIN
    IF num_nulls(tenant, ids, actor, run, keep_names, override_holds, dry_run) > 0 THEN
        RAISE EXCEPTION 'tenant, ids, actor, run, keep_names, override_holds and dry_run must not be null'
            USING ERRCODE = 'not_null_violation';
    ELSIF cardinality(ids) > 10000 THEN
        RAISE EXCEPTION '% ids given, must be at most 10000', cardinality(ids) USING ERRCODE = 'program_limit_exceeded';
    ELSIF coalesce(char_length(btrim(reason)), 0) NOT BETWEEN 1 AND 500 THEN
        RAISE EXCEPTION 'reason must be 1 to 500 characters' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF NOT dry_run THEN
        LOCK TABLE fanfare.legal_holds IN SHARE MODE;
        PERFORM FROM fanfare.activities AS a WHERE a.tenant_id = tenant AND a.id = ANY (ids) ORDER BY a.id FOR UPDATE;
    END IF;
    SELECT
        array_agg(c.id) FILTER (WHERE NOT c.done AND (override_holds OR NOT c.kept)),
        count(*) FILTER (WHERE NOT c.done AND c.kept AND NOT override_holds),
        count(*) FILTER (WHERE c.done),
        count(*) FILTER (WHERE NOT c.done AND c.kept AND override_holds)
    INTO redactable, held, already, overridden
    FROM (
        SELECT
            a.id,
            a.payload @> '{"redacted": true}'
                AND a.payload - '{redacted,redaction}'::text[] = '{}'
                AND coalesce(a.payload ->> 'redaction' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$', false)
                AND num_nonnulls(a.message, a.user_agent, a.ip_hash, a.ip_key_id, a.warning) = 0
                AND (keep_names OR a.resource_name IS NULL) AS done,
            EXISTS (
                SELECT FROM fanfare.legal_holds AS h
                WHERE h.tenant_id = tenant AND h.released_at IS NULL
                  AND (h.resource_id IS NULL OR h.resource_id = a.resource_id)
                  AND (h.actor_principal_id IS NULL OR h.actor_principal_id = a.actor_principal_id)) AS kept
        FROM fanfare.activities AS a
        WHERE a.tenant_id = tenant AND a.id = ANY (ids)
          AND NOT (a.action = 'activity.redacted' AND a.resource_type = 'redaction')
    ) AS c;
    redacted := coalesce(cardinality(redactable), 0);
    IF dry_run OR redacted = 0 THEN
        RETURN;
    END IF;
    redacted := fanfare.erase_activities(
        tenant, redactable, jsonb_build_object('redacted', true, 'redaction', batch), keep_names);
    PERFORM fanfare.record_activity(jsonb_build_object(
        'tenant_id', tenant,
        'actor_principal_id', actor,
        'resource_id', batch,
        'resource_type', 'redaction',
        'action', 'activity.redacted',
        'visibility', 'private',
        'severity', 'warning',
        'category', 'retention',
        'correlation_id', run,
        'payload', jsonb_build_object(
            'redacted', redacted,
            'held', held,
            'holds_overridden', overridden,
            'kept_names', keep_names,
            'criteria', criteria,
            'reason', btrim(reason)
        )
    ));
END
$$;

REVOKE ALL ON FUNCTION fanfare.erase_activities, fanfare.redact_activities FROM PUBLIC;

---- create above / drop below ----

DROP FUNCTION fanfare.redact_activities;
DROP FUNCTION fanfare.erase_activities;
