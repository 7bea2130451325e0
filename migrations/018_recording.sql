-- What became of an envelope. field, value, rule and code (an SQLSTATE) say which rule it breaks;
-- then nothing is written, and the rest is null. created is false when the activity stood already;
-- of that only the id is told. Of one that was recorded it is told what the envelope did not give,
-- or what may not be kept as it gave it.
CREATE TYPE fanfare.recording AS (
    created boolean, field text, value text, rule text, code text,
    id uuid, correlation_id uuid, owner_id uuid, parent_id uuid, occurred_at timestamptz, recorded_at timestamptz, ip_key_id smallint, ip_hash bytea,
    resource_name text, visibility text, severity text, category text, message text, request_id text, user_agent text, warning text, payload jsonb
);

-- Records one envelope. What breaks a rule is returned, not raised: a caller whose transaction must
-- stay usable calls this one. Who sends COMMIT right behind it wants an error: raising is
-- 'refusals' for what breaks a rule, 'everything' for what stood already (SQLSTATE FF003) too.
--
-- One statement looks at the envelope, at its action and its resource, and writes. It writes
-- nothing if a rule is broken, and then explain_refusal finds out which. Every expression is
-- prepared anew in every transaction, which is most of what recording costs: so what an envelope
-- seldom has is left to read_options. No literal in here has a backslash, since the caller's
-- standard_conforming_strings would decide what it means.
CREATE FUNCTION fanfare.record_envelope(e jsonb, raising text DEFAULT 'nothing') RETURNS fanfare.recording
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    nobody    CONSTANT uuid   := '00000000-0000-0000-0000-000000000000'; -- the same as not given
    micros    CONSTANT bigint := extract(epoch FROM clock_timestamp()) * 1000000;
    made      CONSTANT uuid   := fanfare.uuidv7_of(micros);
    plain     boolean; -- it gives nothing but what it must, and a payload
    body      text;    -- the payload
    links     uuid;    -- the correlation id that it brings
    stands    boolean := false;
    o         fanfare.options;
    r         fanfare.recording;
BEGIN
    BEGIN
        plain := e - '{tenant_id,actor_principal_id,resource_id,resource_type,action,payload}'::text[] = '{}';
        body := coalesce((e -> 'payload')::text, '{}');
        IF octet_length(body) > 8388608 THEN
            RAISE SQLSTATE 'FF002'; -- nothing else looks at it: jsonb writes 1e131071 out, and a few kilobytes of such become megabytes
        END IF;
        IF NOT plain THEN
            o := fanfare.read_options(e);
        END IF;
        -- The transaction's id comes first and the outbox's seq after it: the worker's hints rest
        -- on that. An activity that brings no correlation id gets one that nobody else can have,
        -- its own id, and needs no key.
        IF NOT plain AND e ->> 'correlation_id' IS NOT NULL THEN
            links := nullif((e ->> 'correlation_id')::uuid, nobody);
            stands := links IS NOT NULL AND NOT fanfare.claim_key((e ->> 'tenant_id')::uuid, links, e ->> 'action', (e ->> 'resource_id')::uuid, made);
        END IF;
        IF NOT stands THEN
            WITH recorded AS (
                INSERT INTO fanfare.activities
                SELECT made, g.tenant_id, g.actor_principal_id, g.resource_id, coalesce(links, made), o.target_principal_id,
                       coalesce(o.owner_id, d.owner_principal_id), coalesce(o.parent_id, d.parent_id), coalesce(o.occurred_at, g.at), g.at, o.ip_key_id,
                       g.resource_type, coalesce(o.resource_name, left(d.name, 500)), g.action,
                       coalesce(o.visibility, t.visibility, 'resource'), coalesce(o.status, 'success'), coalesce(o.severity, t.severity, 'info'),
                       coalesce(o.category, t.category, split_part(g.action, '.', 1)), coalesce(o.delivery_channels, '{}'),
                       o.message, o.request_id, o.user_agent, o.traceparent, o.ip_hash,
                       CASE fanfare.enforcement_of(g.tenant_id) WHEN 'warn' THEN (
                           SELECT b.field || ' ' || b.rule FROM fanfare.explain_breach(g.action, k.payload, fanfare.max_payload_bytes()) AS b) END,
                       k.payload
                FROM (
                    SELECT (e ->> 'tenant_id')::uuid AS tenant_id, (e ->> 'actor_principal_id')::uuid AS actor_principal_id, (e ->> 'resource_id')::uuid AS resource_id,
                           e ->> 'resource_type' AS resource_type, e ->> 'action' AS action, coalesce(nullif(e -> 'payload', 'null'), '{}') AS payload,
                           timestamptz 'epoch' + micros * interval '1 microsecond' AS at
                    OFFSET 0
                ) AS g
                LEFT JOIN fanfare.taxonomy AS t ON t.action = g.action
                LEFT JOIN fanfare.resources AS d ON d.tenant_id = g.tenant_id AND d.id = g.resource_id
                CROSS JOIN LATERAL (
                    SELECT CASE WHEN t.allowed_keys IS NOT NULL OR fanfare.may_contain_secret(g.action || g.resource_type || body) OR fanfare.secret_keys() <> '{}'
                        THEN fanfare.kept_payload(g.action, g.resource_type, g.payload, t.allowed_keys) ELSE g.payload END AS payload
                    OFFSET 0
                ) AS k
                WHERE (plain OR o.right) AND g.tenant_id <> nobody AND g.actor_principal_id <> nobody AND g.resource_id <> nobody
                    AND jsonb_typeof(e -> 'resource_type') = 'string' AND length(g.resource_type) BETWEEN 1 AND 100
                    AND jsonb_typeof(e -> 'action') = 'string' AND length(g.action) BETWEEN 3 AND 100 AND g.action ~ '^[a-z0-9_]+([.][a-z0-9_]+)+$'
                    AND jsonb_typeof(g.payload) = 'object' AND NOT fanfare.too_deep(g.payload, body)
                    AND octet_length(k.payload::text) <= fanfare.max_payload_bytes()
                    AND (fanfare.enforcement_of(g.tenant_id) <> 'strict' OR t.action IS NOT NULL AND k.payload ?& t.required_keys
                        AND (t.max_payload_bytes IS NULL OR octet_length(k.payload::text) <= t.max_payload_bytes))
                RETURNING *
            ), queued AS (
                INSERT INTO fanfare.outbox (lane, activity_id, tenant_id, resource_id, recorded_at)
                SELECT fanfare.lane_of(a.tenant_id, a.resource_id), a.id, a.tenant_id, a.resource_id, a.recorded_at
                FROM recorded AS a
            )
            SELECT true, NULL, NULL, NULL, NULL, a.id, a.correlation_id, a.owner_id, a.parent_id, a.occurred_at, a.recorded_at, a.ip_key_id, a.ip_hash, a.resource_name,
                   a.visibility, a.severity, a.category, a.message, a.request_id, a.user_agent, a.warning, a.payload
            INTO r
            FROM recorded AS a;
            IF FOUND THEN
                RETURN r;
            END IF;
            RAISE SQLSTATE 'FF002'; -- gives the key back
        END IF;
    EXCEPTION WHEN data_exception OR SQLSTATE 'FF002' THEN
        NULL;
    END;
    IF octet_length(body) > 8388608 THEN
        SELECT false, 'payload', octet_length(body) || ' bytes', format('must be at most %s bytes', fanfare.max_payload_bytes()), 'program_limit_exceeded'
        INTO r.created, r.field, r.value, r.rule, r.code;
    ELSE
        SELECT false, x.* INTO r FROM fanfare.explain_refusal(e, stands) AS x;
    END IF;
    IF r.field IS NOT NULL AND raising <> 'nothing' THEN
        PERFORM fanfare.refuse_envelope(r.field, r.value, r.rule, r.code);
    ELSIF r.field IS NULL THEN
        IF NOT stands THEN
            RAISE EXCEPTION 'an envelope was refused that breaks no rule' USING ERRCODE = 'internal_error';
        END IF;
        IF raising = 'everything' THEN
            RAISE EXCEPTION 'the activity stands already' USING ERRCODE = 'FF003';
        END IF;
        r.id := (fanfare.existing_activity((e ->> 'tenant_id')::uuid, links, e ->> 'action', (e ->> 'resource_id')::uuid)).id;
        IF r.id IS NULL THEN
            RAISE EXCEPTION 'the activity that stood was removed meanwhile' USING ERRCODE = 'serialization_failure', HINT = 'Try again.';
        END IF;
    END IF;
    RETURN r;
END
$$;

-- Says in an error what record_envelope said in data, if it said anything: the field in the error's
-- COLUMN, the rule in its message.
CREATE FUNCTION fanfare.refuse_envelope(field text, value text, rule text, code text) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    IF field IS NOT NULL THEN
        RAISE EXCEPTION '%', concat_ws(' ', field || CASE WHEN value IS NULL THEN '' ELSE ' "' || value || '"' END, rule)
            USING ERRCODE = code, COLUMN = field, SCHEMA = 'fanfare', TABLE = 'activities';
    END IF;
END
$$;

-- Records an activity in the caller's transaction and returns its id; the id of the one that stands
-- if it was recorded before. Errors: not_null_violation (23502) a required field is missing,
-- invalid_parameter_value (22023) a field breaks its rule, program_limit_exceeded (54000) the
-- payload is too large or too deep. COLUMN names the field.
CREATE FUNCTION fanfare.record_activity(envelope jsonb) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (fanfare.record_envelope(envelope, 'refusals')).id;
END
$$;

-- Records many in their order, all or none: the first refusal undoes what came before it, and is
-- the only answer then. n counts the envelopes from 1.
CREATE FUNCTION fanfare.record_envelopes(envelopes jsonb[]) RETURNS TABLE (n int, recording fanfare.recording)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    results fanfare.recording[];
BEGIN
    BEGIN
        FOR i IN 1..coalesce(array_length(envelopes, 1), 0) LOOP
            n := i;
            recording := fanfare.record_envelope(envelopes[i]);
            IF recording.field IS NOT NULL THEN
                RAISE SQLSTATE 'FF001';
            END IF;
            results[i] := recording;
        END LOOP;
    EXCEPTION WHEN SQLSTATE 'FF001' THEN
        RETURN NEXT;
        RETURN;
    END;
    FOR i IN 1..coalesce(array_length(results, 1), 0) LOOP
        n := i; recording := results[i];
        RETURN NEXT;
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION
    fanfare.record_envelope,
    fanfare.refuse_envelope,
    fanfare.record_activity,
    fanfare.record_envelopes
FROM PUBLIC;

GRANT EXECUTE ON FUNCTION fanfare.record_activity, fanfare.record_envelope, fanfare.record_envelopes, fanfare.refuse_envelope, fanfare.existing_activity TO fanfare_writer;

---- create above / drop below ----

DROP FUNCTION fanfare.record_envelopes;
DROP FUNCTION fanfare.record_activity;
DROP FUNCTION fanfare.refuse_envelope;
DROP FUNCTION fanfare.record_envelope;
DROP TYPE fanfare.recording;
