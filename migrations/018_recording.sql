-- Recording: the functions that a service calls in its own transaction, in any language. Its role
-- may execute them and has access to no table, so the rules apply to every writer.

-- The result of recording an envelope. If the envelope violates a rule, then field, value, rule and
-- code (an SQLSTATE) describe the violation, nothing was written and the other columns are null. If
-- the activity exists already, then created is false and only id is set. If the activity was
-- recorded, then the columns contain what follows from the envelope and the taxonomy. What the
-- directory and the keys of addresses add is not for writers: a transaction that is rolled back
-- could ask for the owner of any resource and the hash of any address. ip_key_id and ip_hash are
-- null, and owner_id, parent_id and resource_name are those that the envelope gives.
CREATE TYPE fanfare.recording AS (
    created        boolean,
    field          text,
    value          text,
    rule           text,
    code           text,
    id             uuid,
    correlation_id uuid,
    owner_id       uuid,
    parent_id      uuid,
    occurred_at    timestamptz,
    recorded_at    timestamptz,
    ip_key_id      smallint,
    ip_hash        bytea,
    resource_name  text,
    visibility     text,
    severity       text,
    category       text,
    message        text,
    request_id     text,
    user_agent     text,
    warning        text,
    payload        jsonb
);

-- Records one envelope. A violation is returned, not raised, for callers whose transaction must
-- remain usable. A caller that sends COMMIT in the same round trip needs an error instead: with
-- raising 'refusals' a violation raises one, with 'everything' also a duplicate (SQLSTATE FF003).
--
-- One statement reads the envelope, its action and its resource, checks the rules and writes. If it
-- writes nothing, envelope_violation finds the violated rule. The executor prepares each expression
-- again in each transaction, which is most of the cost of recording, so the fields that few
-- envelopes have are left to read_options. No literal contains a backslash, since its meaning would
-- depend on the caller's standard_conforming_strings.
CREATE FUNCTION fanfare.record_envelope(e jsonb, raising text DEFAULT 'nothing') RETURNS fanfare.recording
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    nil         CONSTANT uuid   := '00000000-0000-0000-0000-000000000000'; -- the same as no value
    micros      CONSTANT bigint := extract(epoch FROM clock_timestamp()) * 1000000;
    new_id      CONSTANT uuid   := fanfare.uuidv7_of(micros);
    plain       boolean; -- the envelope has no fields but the required ones and the payload
    given       jsonb;   -- the payload
    body        text;    -- of the payload
    correlation uuid;    -- that the envelope gives
    excess      int;     -- the size of a payload that is too large
    existing    boolean := false;
    o           fanfare.envelope_options;
    r           fanfare.recording;
BEGIN
    BEGIN
        given := coalesce(nullif(e -> 'payload', 'null'), '{}');
        -- A smaller payload has few enough parts.
        IF pg_column_size(given) > 2048 OR fanfare.has_long_number(given) THEN
            IF (SELECT x.rule IS NOT NULL FROM fanfare.payload_excess(given) AS x) THEN
                RAISE SQLSTATE 'FF002';
            END IF;
        END IF;
        IF fanfare.is_oversized(e, given) THEN
            RAISE SQLSTATE 'FF002';
        END IF;
        plain := e - '{tenant_id,actor_principal_id,resource_id,resource_type,action,payload}'::text[] = '{}';
        body := given::text;
        IF octet_length(body) > fanfare.max_payload_bytes() AND jsonb_typeof(given) = 'object' THEN
            -- Redacted here, since its redaction is much work and envelope_violation would repeat
            -- it.
            body := fanfare.redact_payload(
                'a.b', 'a', given, (SELECT t.allowed_keys FROM fanfare.taxonomy AS t WHERE t.action = e ->> 'action')
            )::text;
            IF octet_length(body) > fanfare.max_payload_bytes() THEN
                excess := octet_length(body);
                RAISE SQLSTATE 'FF002';
            END IF;
            given := body;
        END IF;
        IF NOT plain THEN
            o := fanfare.read_options(e);
        END IF;
        -- A row of idempotency_keys or of activities is inserted first, which gives the transaction
        -- its id; then the outbox assigns seq. The worker's hints depend on this order. Without a
        -- correlation id, the activity gets its own id as one, which is unique and needs no key.
        IF NOT plain AND e ->> 'correlation_id' IS NOT NULL THEN
            correlation := nullif((e ->> 'correlation_id')::uuid, nil);
            existing := correlation IS NOT NULL AND NOT fanfare.claim_idempotency_key(
                (e ->> 'tenant_id')::uuid, correlation, e ->> 'action', (e ->> 'resource_id')::uuid, new_id);
        END IF;
        IF NOT existing THEN
            WITH recorded AS (
                INSERT INTO fanfare.activities
                SELECT
                    new_id,
                    g.tenant_id,
                    g.actor_principal_id,
                    g.resource_id,
                    coalesce(correlation, new_id),
                    coalesce(o.owner_id, d.owner_principal_id),
                    coalesce(o.parent_id, d.parent_id),
                    coalesce(o.occurred_at, g.at),
                    g.at,
                    o.ip_key_id,
                    g.resource_type,
                    coalesce(o.resource_name, d.name),
                    g.action,
                    coalesce(o.visibility, t.visibility, 'resource'),
                    coalesce(o.status, 'success'),
                    coalesce(o.severity, t.severity, 'info'),
                    coalesce(o.category, t.category, split_part(g.action, '.', 1)),
                    o.target_principal_ids,
                    coalesce(o.delivery_channels, '{}'),
                    o.message,
                    o.request_id,
                    o.user_agent,
                    o.traceparent,
                    o.ip_hash,
                    CASE fanfare.enforcement_of(g.tenant_id) WHEN 'warn' THEN (
                        SELECT v.field || ' ' || v.rule
                        FROM fanfare.taxonomy_violation(g.action, k.payload, fanfare.max_payload_bytes()) AS v) END,
                    k.payload
                FROM (
                    SELECT
                        (e ->> 'tenant_id')::uuid AS tenant_id,
                        (e ->> 'actor_principal_id')::uuid AS actor_principal_id,
                        (e ->> 'resource_id')::uuid AS resource_id,
                        e ->> 'resource_type' AS resource_type,
                        e ->> 'action' AS action,
                        given AS payload,
                        timestamptz 'epoch' + micros * interval '1 microsecond' AS at
                    OFFSET 0
                ) AS g
                LEFT JOIN fanfare.taxonomy AS t ON t.action = g.action
                LEFT JOIN LATERAL (
                    -- A view may have a resource twice, and a name of any size and type.
                    SELECT d.owner_principal_id, d.parent_id, left(d.name::text, 500) AS name
                    FROM fanfare.resources AS d
                    WHERE d.tenant_id = g.tenant_id AND d.id = g.resource_id LIMIT 1
                ) AS d ON true
                CROSS JOIN LATERAL (
                    SELECT CASE
                        WHEN t.allowed_keys IS NOT NULL
                            OR fanfare.may_contain_secret(g.action || g.resource_type || body)
                            OR fanfare.secret_keys() <> '{}'
                        THEN fanfare.redact_payload(g.action, g.resource_type, g.payload, t.allowed_keys)
                        ELSE g.payload
                    END AS payload
                    OFFSET 0
                ) AS k
                WHERE (plain OR o.valid)
                    AND g.tenant_id <> nil AND g.actor_principal_id <> nil AND g.resource_id <> nil
                    AND jsonb_typeof(e -> 'resource_type') = 'string'
                    AND length(g.resource_type) BETWEEN 1 AND 100
                    AND jsonb_typeof(e -> 'action') = 'string'
                    AND CASE
                        WHEN length(g.action) BETWEEN 3 AND 100 THEN g.action ~ '^[a-z0-9_]+([.][a-z0-9_]+)+$'
                        ELSE false
                    END
                    AND jsonb_typeof(g.payload) = 'object'
                    AND NOT fanfare.too_deep(g.payload, body)
                    AND octet_length(k.payload::text) <= fanfare.max_payload_bytes()
                    AND (
                        fanfare.enforcement_of(g.tenant_id) <> 'strict'
                        OR t.action IS NOT NULL
                            AND k.payload ?& t.required_keys
                            AND (t.max_payload_bytes IS NULL OR octet_length(k.payload::text) <= t.max_payload_bytes)
                    )
                RETURNING *
            ), queued AS (
                INSERT INTO fanfare.outbox (lane, activity_id, tenant_id, resource_id, recorded_at)
                SELECT fanfare.lane_of(a.tenant_id, a.resource_id), a.id, a.tenant_id, a.resource_id, a.recorded_at
                FROM recorded AS a
            )
            SELECT
                true, NULL, NULL, NULL, NULL,
                a.id, a.correlation_id, o.owner_id, o.parent_id, a.occurred_at, a.recorded_at, NULL, NULL,
                o.resource_name, a.visibility, a.severity, a.category, a.message, a.request_id, a.user_agent,
                a.warning, a.payload
            INTO r
            FROM recorded AS a;
            IF FOUND THEN
                RETURN r;
            END IF;
            RAISE SQLSTATE 'FF002'; -- releases the idempotency key
        END IF;
    EXCEPTION WHEN data_exception OR SQLSTATE 'FF002' THEN
        NULL;
    END;
    IF excess IS NULL THEN
        SELECT false, v.* INTO r FROM fanfare.envelope_violation(e, existing) AS v;
    ELSE
        SELECT false, v.* INTO r FROM fanfare.envelope_violation(e - 'payload', true) AS v;
        IF r.field IS NULL THEN
            r.field := 'payload';
            r.value := excess || ' bytes';
            r.rule := format('must be at most %s bytes', fanfare.max_payload_bytes());
            r.code := 'program_limit_exceeded';
        END IF;
    END IF;
    IF r.field IS NOT NULL AND raising <> 'nothing' THEN
        PERFORM fanfare.refuse_envelope(r.field, r.value, r.rule, r.code);
    ELSIF r.field IS NULL THEN
        IF NOT existing THEN
            RAISE EXCEPTION 'an envelope that violates no rule was not recorded' USING ERRCODE = 'internal_error';
        END IF;
        IF raising = 'everything' THEN
            RAISE EXCEPTION 'the activity already exists' USING ERRCODE = 'FF003';
        END IF;
        r.id := fanfare.existing_id(
            (e ->> 'tenant_id')::uuid, correlation, e ->> 'action', (e ->> 'resource_id')::uuid);
        IF r.id IS NULL THEN
            RAISE EXCEPTION 'the existing activity was removed concurrently'
                USING ERRCODE = 'serialization_failure', HINT = 'Retry the transaction.';
        END IF;
    END IF;
    RETURN r;
END
$$;

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
        RAISE EXCEPTION '%', concat_ws(' ', field, value, rule)
            USING ERRCODE = code, COLUMN = field, SCHEMA = 'fanfare', TABLE = 'activities';
    END IF;
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

-- Records envelopes in their order, all of them or none: the first violation undoes the recordings
-- before it, and is the only row of the result. n counts the envelopes from 1.
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
        n := i;
        recording := results[i];
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

---- create above / drop below ----

DROP FUNCTION fanfare.record_envelopes;
DROP FUNCTION fanfare.record_activity;
DROP FUNCTION fanfare.refuse_envelope;
DROP FUNCTION fanfare.record_envelope;
DROP TYPE fanfare.recording;
