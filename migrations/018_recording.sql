-- Recording: the functions that a service calls in its own transaction, in any language. Its role
-- may execute them and has access to no table, so the rules apply to every writer.

-- The result of recording an envelope. If the envelope violates a rule, then field, value, rule and
-- code (an SQLSTATE) describe the violation, nothing was written and the other columns are null. If
-- the activity exists already, then created is false and only id is set. If the activity was
-- recorded, then the columns contain what the writer cannot know: the id, which contains the time
-- of recording; what follows from the taxonomy; the texts and the payload as they are stored.
-- What the directory and the keys of addresses add is not for writers: a transaction that is rolled
-- back could ask for the owner of any resource and the hash of any address. So resource_name is
-- null unless the envelope gives it.
CREATE TYPE fanfare.recording AS (
    created       boolean,
    field         text,
    value         text,
    rule          text,
    code          text,
    id            uuid,
    visibility    text,
    severity      text,
    category      text,
    resource_name text,
    message       text,
    request_id    text,
    user_agent    text,
    warning       text,
    payload       text
);

-- Raises an error that describes a violation; does nothing if field is null. COLUMN is the field.
CREATE FUNCTION fanfare.refuse_envelope(field text, value text, rule text, code text) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    IF field IS NOT NULL THEN
        -- A size in the unit of the rule is not a text that the caller gave.
        IF value ~ '^[0-9]+ [a-z]+$' AND rule LIKE 'must be at most % ' || split_part(value, ' ', 2) THEN
            value := 'of ' || value;
        ELSE
            value := '"' || value || '"';
        END IF;
        IF rule = 'is not a field of the envelope' THEN
            RAISE EXCEPTION '%', concat_ws(' ', field, value, rule)
                USING ERRCODE = code, COLUMN = field, SCHEMA = 'fanfare', TABLE = 'activities',
                    HINT = 'The fields are ' || array_to_string(fanfare.envelope_fields(), ', ') || '.';
        END IF;
        RAISE EXCEPTION '%', concat_ws(' ', field, value, rule)
            USING ERRCODE = code, COLUMN = field, SCHEMA = 'fanfare', TABLE = 'activities';
    END IF;
END
$$;

-- Returns the violation of an envelope that was not recorded, or raises it unless raising is
-- 'nothing'. excess is the size of a payload that is too large also when it is redacted; null
-- otherwise.
CREATE FUNCTION fanfare.refused(e jsonb, excess int, raising text) RETURNS fanfare.recording
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    r fanfare.recording;
BEGIN
    IF excess IS NULL THEN
        SELECT false, v.* INTO r FROM fanfare.envelope_violation(e, false) AS v;
    ELSE
        SELECT false, v.* INTO r FROM fanfare.envelope_violation(e - 'payload', true) AS v;
        IF r.field IS NULL THEN
            r.field := 'payload';
            r.value := excess || ' bytes';
            r.rule := format('must be at most %s bytes', fanfare.max_payload_bytes());
            r.code := 'program_limit_exceeded';
        END IF;
    END IF;
    IF r.field IS NULL THEN
        RAISE EXCEPTION 'an envelope that violates no rule was not recorded' USING ERRCODE = 'internal_error';
    END IF;
    IF raising <> 'nothing' THEN
        PERFORM fanfare.refuse_envelope(r.field, r.value, r.rule, r.code);
    END IF;
    RETURN r;
END
$$;

-- Records the activity of an envelope whose fields have their types. options are the fields that
-- have no parameter, as an object; null if there are none. A violation is returned, not raised, for
-- callers whose transaction must remain usable. A caller that sends COMMIT in the same round trip
-- needs an error instead: with raising 'refusals' a violation raises one, with 'everything' also a
-- duplicate (SQLSTATE FF003).
--
-- The executor prepares each expression again in each transaction, which is most of the cost of
-- recording. So fields that few envelopes have are left to read_options, and what few envelopes
-- need is called in a statement of its own behind a cheap IF: a function that is not inlined would
-- be planned again in each transaction, also where a condition in the same statement says not to
-- call it. A call whose result is assigned costs a fraction of one in FROM, and one statement that
-- inserts both rows less than two. No literal contains a backslash, since its meaning would depend
-- on the caller's standard_conforming_strings.
CREATE FUNCTION fanfare.record_fields(
    tenant uuid, actor uuid, resource uuid, type text, action text, visibility text, severity text, category text,
    payload jsonb, options jsonb, raising text
) RETURNS fanfare.recording
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_variable
DECLARE
    nil      CONSTANT uuid        := '00000000-0000-0000-0000-000000000000'; -- the same as no value
    micros   CONSTANT bigint      := extract(epoch FROM clock_timestamp()) * 1000000;
    new_id   CONSTANT uuid        := fanfare.uuidv7_of(micros);
    at       CONSTANT timestamptz := timestamptz 'epoch' + micros * interval '1 microsecond';
    stored   jsonb; -- the payload
    body     text;  -- of the payload
    large    boolean; -- the payload takes many bytes
    excess   int;     -- the size of a payload that is too large
    existing boolean := false;
    conforms boolean; -- to the taxonomy, as far as it is enforced
    mode     text;    -- in which the taxonomy is enforced
    warning  text;
    o        fanfare.envelope_options;
    t        record;  -- what the taxonomy says of the action
    d        record;  -- what the directory says of the resource
    r        fanfare.recording;
BEGIN
    <<acceptable>>
    BEGIN
        EXIT acceptable WHEN (
            tenant <> nil AND actor <> nil AND resource <> nil
            AND octet_length(type) <= 400
            AND length(type) BETWEEN 1 AND 100
            AND octet_length(action) BETWEEN 3 AND 100
            AND action ~ '^[a-z0-9_]+([.][a-z0-9_]+)+$') IS NOT TRUE;
        stored := coalesce(nullif(payload, 'null'), '{}');
        -- A smaller payload has few enough parts.
        large := pg_column_size(stored) > 2048;
        IF large THEN
            EXIT acceptable WHEN fanfare.exceeds_bounds(stored);
        END IF;
        body := stored::text;
        IF octet_length(body) > fanfare.max_payload_bytes() THEN
            -- A small payload may have numbers with many digits.
            EXIT acceptable WHEN jsonb_typeof(stored) <> 'object' OR NOT large AND fanfare.exceeds_bounds(stored);
            -- Redacted here, since its redaction is much work and envelope_violation would repeat
            -- it.
            stored := fanfare.redact_payload(
                'a.b', 'a', stored, (SELECT x.allowed_keys FROM fanfare.taxonomy AS x WHERE x.action = action));
            body := stored::text;
            IF octet_length(body) > fanfare.max_payload_bytes() THEN
                excess := octet_length(body);
                EXIT acceptable;
            END IF;
        END IF;
        -- 65 levels take 520 bytes.
        IF pg_column_size(stored) > 512 THEN
            EXIT acceptable WHEN fanfare.too_deep(stored, body);
        END IF;
        IF options IS NOT NULL THEN
            o := fanfare.read_options(options, tenant);
            EXIT acceptable WHEN o.valid IS NOT TRUE;
        END IF;
        SELECT
            true AS registered,
            x.category,
            x.severity,
            x.visibility,
            x.required_keys,
            x.allowed_keys,
            x.max_payload_bytes
        INTO t
        FROM fanfare.taxonomy AS x
        WHERE x.action = action;
        IF coalesce(visibility, t.visibility) IS DISTINCT FROM t.visibility
            OR coalesce(severity, t.severity) IS DISTINCT FROM t.severity
            OR coalesce(category, t.category) IS DISTINCT FROM t.category
        THEN
            EXIT acceptable WHEN visibility NOT IN ('private', 'resource', 'scope', 'tenant')
                OR severity NOT IN ('info', 'warning', 'error', 'critical')
                OR length(category) NOT BETWEEN 1 AND 100
                OR fanfare.contains_secret(category);
        END IF;
        IF t.allowed_keys IS NOT NULL
            OR fanfare.may_contain_secret(action || type || body)
            OR fanfare.secret_keys() <> '{}'
        THEN
            stored := fanfare.redact_payload(action, type, stored, t.allowed_keys);
            body := stored::text;
        END IF;
        EXIT acceptable WHEN (jsonb_typeof(stored) = 'object' AND octet_length(body) <= fanfare.max_payload_bytes())
            IS NOT TRUE;
        mode := fanfare.enforcement_of(tenant);
        IF mode = 'strict' THEN
            conforms := CASE
                WHEN t.registered THEN
                    stored ?& t.required_keys AND coalesce(octet_length(body) <= t.max_payload_bytes, true)
                ELSE action = ANY (fanfare.builtin_actions())
            END;
        ELSIF mode = 'warn' THEN
            warning := (
                SELECT v.field || ' ' || v.rule
                FROM fanfare.taxonomy_violation(action, stored, fanfare.max_payload_bytes()) AS v);
        END IF;
        -- A row of idempotency_keys or of activities is inserted first, which gives the
        -- transaction its id; then the outbox assigns seq, in a row that is made of the activity's.
        -- The worker's hints depend on this order. Without a correlation id, the activity gets its
        -- own id as one, which is unique and needs no key. An activity that exists already was
        -- recorded under the taxonomy of its time.
        IF o.correlation_id IS NOT NULL THEN
            IF conforms IS FALSE THEN
                existing := fanfare.existing_id(tenant, o.correlation_id, action, resource) IS NOT NULL;
            ELSE
                existing := NOT fanfare.claim_idempotency_key(tenant, o.correlation_id, action, resource, new_id);
            END IF;
        END IF;
        EXIT acceptable WHEN existing OR NOT conforms;
        d := fanfare.resource_entry(tenant, resource);
        visibility := coalesce(visibility, t.visibility, 'resource');
        severity := coalesce(severity, t.severity, 'info');
        category := coalesce(category, t.category, split_part(action, '.', 1));
        WITH recorded AS (
            INSERT INTO fanfare.activities (
                id, tenant_id, actor_principal_id, resource_id, correlation_id, owner_id, parent_id, occurred_at,
                recorded_at, ip_key_id, resource_type, resource_name, action, visibility, status, severity, category,
                target_principal_ids, delivery_channels, message, request_id, user_agent, traceparent, ip_hash,
                warning, payload)
            VALUES (
                new_id, tenant, actor, resource, coalesce(o.correlation_id, new_id), coalesce(o.owner_id, d.owner_id),
                coalesce(o.parent_id, d.parent_id), coalesce(o.occurred_at, at), at, o.ip_key_id, type,
                coalesce(o.resource_name, d.resource_name), action, visibility, coalesce(o.status, 'success'),
                severity, category, o.target_principal_ids, coalesce(o.delivery_channels, '{}'), o.message,
                o.request_id, o.user_agent, o.traceparent, o.ip_hash, warning, stored)
            RETURNING activities.id
        )
        INSERT INTO fanfare.outbox (lane, activity_id, tenant_id, resource_id, recorded_at)
        SELECT fanfare.lane_of(tenant, resource), recorded.id, tenant, resource, at FROM recorded;
        RETURN (
            true, NULL, NULL, NULL, NULL, new_id, visibility, severity, category, o.resource_name, o.message,
            o.request_id, o.user_agent, warning, body)::fanfare.recording;
    END;
    IF NOT existing THEN
        RETURN fanfare.refused(
            coalesce(options, '{}') || jsonb_build_object(
                'tenant_id', tenant, 'actor_principal_id', actor, 'resource_id', resource, 'resource_type', type,
                'action', action, 'visibility', visibility, 'severity', severity, 'category', category,
                'payload', payload),
            excess, raising);
    END IF;
    IF raising = 'everything' THEN
        RAISE EXCEPTION 'the activity already exists' USING ERRCODE = 'FF003';
    END IF;
    r.created := false;
    r.id := fanfare.existing_id(tenant, o.correlation_id, action, resource);
    IF r.id IS NULL THEN
        RAISE EXCEPTION 'the existing activity was removed concurrently'
            USING ERRCODE = 'serialization_failure', HINT = 'Retry the transaction.';
    END IF;
    RETURN r;
END
$$;

-- Records one envelope as record_fields does.
CREATE FUNCTION fanfare.record_envelope(e jsonb, raising text DEFAULT 'nothing') RETURNS fanfare.recording
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    readable   boolean; -- the fields have their types
    tenant     uuid;
    actor      uuid;
    resource   uuid;
    visibility text;
    severity   text;
    category   text;
    options    jsonb;
BEGIN
    BEGIN
        readable := jsonb_typeof(e -> 'resource_type') = 'string' AND jsonb_typeof(e -> 'action') = 'string';
        IF pg_column_size(e) > 2048 THEN
            readable := readable AND NOT fanfare.is_oversized(e, coalesce(e -> 'payload', '{}'));
        END IF;
        IF readable THEN
            tenant := (e ->> 'tenant_id')::uuid;
            actor := (e ->> 'actor_principal_id')::uuid;
            resource := (e ->> 'resource_id')::uuid;
            options := nullif(
                e - '{tenant_id,actor_principal_id,resource_id,resource_type,action,payload}'::text[], '{}');
            IF options ?| '{visibility,severity,category}' THEN
                readable := coalesce(jsonb_typeof(options -> 'visibility') IN ('string', 'null'), true)
                    AND coalesce(jsonb_typeof(options -> 'severity') IN ('string', 'null'), true)
                    AND coalesce(jsonb_typeof(options -> 'category') IN ('string', 'null'), true);
                visibility := options ->> 'visibility';
                severity := options ->> 'severity';
                category := options ->> 'category';
                options := nullif(options - '{visibility,severity,category}'::text[], '{}');
            END IF;
        END IF;
    EXCEPTION WHEN data_exception THEN
        readable := false;
    END;
    IF NOT coalesce(readable, false) THEN
        RETURN fanfare.refused(e, NULL, raising);
    END IF;
    RETURN fanfare.record_fields(
        tenant, actor, resource, e ->> 'resource_type', e ->> 'action', visibility, severity, category, e -> 'payload',
        options, raising);
END
$$;

-- Records an activity in the caller's transaction and returns its id, or the id of the existing
-- activity if it is a duplicate. Errors: not_null_violation (23502) if a required field is missing,
-- invalid_parameter_value (22023) if a field violates a rule, program_limit_exceeded (54000) if the
-- payload is too large or nests too deep. COLUMN of the error is the field.
CREATE FUNCTION fanfare.record_activity(envelope jsonb) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (fanfare.record_envelope(envelope, 'refusals')).id;
END
$$;

-- Records envelopes in their order, all of them or none. If some violate a rule, the result is
-- their rows, at most 20, and the recordings of the others are undone. n counts the envelopes from
-- 1.
CREATE FUNCTION fanfare.record_envelopes(envelopes jsonb[]) RETURNS TABLE (n int, recording fanfare.recording)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    results    fanfare.recording[];
    violations fanfare.recording[];
    violating  int[]; -- the n of each
BEGIN
    BEGIN
        FOR i IN 1..coalesce(array_length(envelopes, 1), 0) LOOP
            recording := fanfare.record_envelope(envelopes[i]);
            IF recording.field IS NOT NULL THEN
                violations := violations || recording;
                violating := violating || i;
                EXIT WHEN array_length(violations, 1) = 20;
            ELSIF violations IS NULL THEN
                results[i] := recording;
            END IF;
        END LOOP;
        IF violations IS NOT NULL THEN
            RAISE SQLSTATE 'FF001';
        END IF;
    EXCEPTION WHEN SQLSTATE 'FF001' THEN
        FOR i IN 1..array_length(violations, 1) LOOP
            n := violating[i];
            recording := violations[i];
            RETURN NEXT;
        END LOOP;
        RETURN;
    END;
    FOR i IN 1..coalesce(array_length(results, 1), 0) LOOP
        n := i;
        recording := results[i];
        RETURN NEXT;
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION
    fanfare.refuse_envelope,
    fanfare.refused,
    fanfare.record_fields,
    fanfare.record_envelope,
    fanfare.record_activity,
    fanfare.record_envelopes
FROM PUBLIC;

---- create above / drop below ----

DROP FUNCTION fanfare.record_envelopes;
DROP FUNCTION fanfare.record_activity;
DROP FUNCTION fanfare.record_envelope;
DROP FUNCTION fanfare.record_fields;
DROP FUNCTION fanfare.refused;
DROP FUNCTION fanfare.refuse_envelope;
DROP TYPE fanfare.recording;
