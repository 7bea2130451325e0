-- The write side: one function that every language calls inside its own transaction. A service's role may execute it and
-- touch no table, so these rules hold for every writer.

-- One activity for each (tenant, correlation, action, resource). A table of its own, because a partitioned table cannot
-- hold a unique key without its partition key.
CREATE TABLE fanfare.idempotency_keys (
    tenant_id      uuid NOT NULL,
    correlation_id uuid NOT NULL,
    resource_id    uuid NOT NULL,
    activity_id    uuid NOT NULL,
    action         text NOT NULL,
    PRIMARY KEY (tenant_id, correlation_id, action, resource_id)
);

CREATE TABLE fanfare.settings (
    only_row          boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    max_payload_bytes int     NOT NULL DEFAULT 65536 CHECK (max_payload_bytes BETWEEN 2 AND 1048576),
    enforcement       text    NOT NULL DEFAULT 'off' CHECK (enforcement IN ('off', 'warn', 'strict')), -- of the taxonomy
    secret_keys       text[]  NOT NULL DEFAULT '{}' -- names of payload keys, beside those of names_secret, whose values are not kept
);
INSERT INTO fanfare.settings DEFAULT VALUES;

-- Keys for the hashes of IP addresses, kept as HMAC's two pads (RFC 2104: the key xor 0x36… and 0x5c…). The newest is in use.
CREATE TABLE fanfare.ip_hash_keys (
    key_id     smallint    GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    inner_pad  bytea       NOT NULL,
    outer_pad  bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Adds a key of 32 random bytes (gen_random_uuid draws from the server's strong source) and returns its id.
CREATE FUNCTION fanfare.add_ip_hash_key() RETURNS smallint
    LANGUAGE plpgsql AS $$
DECLARE
    key    bytea := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
    inside bytea := decode(repeat('36', 64), 'hex');
    beyond bytea := decode(repeat('5c', 64), 'hex');
    made   smallint;
BEGIN
    FOR i IN 0..31 LOOP
        inside := set_byte(inside, i, get_byte(key, i) # 54);
        beyond := set_byte(beyond, i, get_byte(key, i) # 92);
    END LOOP;
    INSERT INTO fanfare.ip_hash_keys (inner_pad, outer_pad) VALUES (inside, beyond) RETURNING key_id INTO made;
    RETURN made;
END
$$;
SELECT fanfare.add_ip_hash_key();

-- Whether a key of a payload names something that must not be kept. Collation "C", so that the case of ASCII letters is folded
-- alike everywhere (in Turkish, API_KEY is not api_key).
CREATE FUNCTION fanfare.names_secret(key text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN key COLLATE "C" ~* '(password|passwd|passphrase|secret|authorization|credential|cookie|api[-_. ]?key|private[-_. ]?key|access[-_. ]?key)|(token|(^|[^a-z])pwd)$';

-- The same JSON with the value of every such key, at any depth, replaced.
CREATE FUNCTION fanfare.scrub(value jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    CASE jsonb_typeof(value)
    WHEN 'object' THEN
        RETURN coalesce((
            SELECT jsonb_object_agg(k, CASE WHEN fanfare.names_secret(k) THEN '"[redacted]"' ELSE fanfare.scrub(v) END)
            FROM jsonb_each(value) AS e(k, v)), '{}');
    WHEN 'array' THEN
        RETURN coalesce((
            SELECT jsonb_agg(fanfare.scrub(v) ORDER BY n)
            FROM jsonb_array_elements(value) WITH ORDINALITY AS e(v, n)), '[]');
    ELSE
        RETURN value;
    END CASE;
END
$$;

-- Records one envelope. What breaks a rule is returned (field, value, rule, code = an SQLSTATE), not raised, and then nothing
-- is written: a caller whose transaction must stay usable calls this one. created is false when the activity stood already.
-- No literal in here has a backslash, since the caller's standard_conforming_strings would decide what it means.
CREATE FUNCTION fanfare.record_envelope(
    e jsonb,
    OUT activity fanfare.activities, OUT created boolean, OUT field text, OUT value text, OUT rule text, OUT code text
)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    nobody  CONSTANT uuid := '00000000-0000-0000-0000-000000000000'; -- the same as not given
    a       fanfare.activities;
    unknown jsonb;
    body    text;
    channel text;
    ip      text;
    here    record;
BEGIN
    created := false;
    code := 'invalid_parameter_value';
    IF e IS NULL OR jsonb_typeof(e) <> 'object' THEN
        field := 'envelope'; value := jsonb_typeof(e); rule := 'must be a JSON object'; RETURN;
    END IF;
    unknown := e - '{tenant_id,actor_principal_id,resource_id,resource_type,action,visibility,payload,delivery_channels,correlation_id,
        target_principal_id,owner_id,parent_id,resource_name,message,request_id,user_agent,status,severity,category,ip,traceparent,occurred_at}'::text[];
    IF unknown <> '{}' THEN
        SELECT left(min(k), 100), 'is not a field of the envelope' INTO field, rule FROM jsonb_object_keys(unknown) AS k;
        RETURN;
    END IF;
    IF e - '{payload,delivery_channels}'::text[] @? 'strict $.* ? (@.type() != "string" && @.type() != "null")' THEN
        SELECT k, jsonb_typeof(v), 'must be a string' INTO field, value, rule
        FROM jsonb_each(e - '{payload,delivery_channels}'::text[]) AS t(k, v) WHERE jsonb_typeof(v) NOT IN ('string', 'null') ORDER BY k LIMIT 1;
        RETURN;
    END IF;

    -- Fields with a type of their own.
    BEGIN
        field := 'tenant_id';           a.tenant_id           := e ->> field;
        field := 'actor_principal_id';  a.actor_principal_id  := e ->> field;
        field := 'resource_id';         a.resource_id         := e ->> field;
        field := 'correlation_id';      a.correlation_id      := e ->> field;
        field := 'target_principal_id'; a.target_principal_id := e ->> field;
        field := 'owner_id';            a.owner_id            := e ->> field;
        field := 'parent_id';           a.parent_id           := e ->> field;
        IF e ->> 'ip' IS NOT NULL THEN
            field := 'ip';              ip := host((e ->> field)::inet);
            IF e ->> field !~ '^[0-9a-fA-F:.]+$' OR e ->> field ~ '(^|[.:])0[0-9]+[.]|[.]0[0-9]' THEN
                RAISE invalid_text_representation; -- a mask, or an octet that some read as octal
            END IF;
            ip := CASE WHEN ip LIKE '::ffff:%.%' THEN substr(ip, 8) ELSE ip END; -- an IPv4 address in IPv6's clothes
        END IF;
        field := 'occurred_at';
        IF e ->> field !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?([Zz]|[-+][0-9]{2}:[0-9]{2})$' THEN
            RAISE invalid_datetime_format; -- a form whose meaning hangs on the session's settings
        END IF;
        a.occurred_at := e ->> field;
    EXCEPTION WHEN data_exception THEN
        IF field <> 'ip' THEN
            value := left(e ->> field, 100);
        END IF;
        rule := CASE field WHEN 'occurred_at' THEN 'must be a time with a zone (RFC 3339)' WHEN 'ip' THEN 'must be an IPv4 or IPv6 address' ELSE 'must be a UUID' END;
        RETURN;
    END;

    -- Required fields.
    field := CASE
        WHEN coalesce(a.tenant_id, nobody) = nobody THEN 'tenant_id'
        WHEN coalesce(a.actor_principal_id, nobody) = nobody THEN 'actor_principal_id'
        WHEN coalesce(a.resource_id, nobody) = nobody THEN 'resource_id'
        WHEN e ->> 'resource_type' IS NULL THEN 'resource_type'
        WHEN e ->> 'action' IS NULL THEN 'action'
    END;
    IF field IS NOT NULL THEN
        rule := 'is required'; code := 'not_null_violation'; RETURN;
    END IF;
    a.target_principal_id := nullif(a.target_principal_id, nobody);
    a.owner_id            := nullif(a.owner_id, nobody);
    a.parent_id           := nullif(a.parent_id, nobody);

    -- Text fields.
    a.resource_type := e ->> 'resource_type';
    a.action        := e ->> 'action';
    a.visibility    := coalesce(e ->> 'visibility', 'resource');
    a.status        := coalesce(e ->> 'status', 'success');
    a.severity      := coalesce(e ->> 'severity', 'info');
    a.category      := coalesce(e ->> 'category', split_part(a.action, '.', 1));
    a.traceparent   := e ->> 'traceparent';
    a.message       := left(e ->> 'message', 4000);
    a.request_id    := left(e ->> 'request_id', 200);
    a.user_agent    := left(e ->> 'user_agent', 500);
    IF length(a.resource_type) NOT BETWEEN 1 AND 100 THEN
        field := 'resource_type'; rule := 'must be 1 to 100 characters';
    ELSIF length(a.action) NOT BETWEEN 3 AND 100 OR a.action !~ '^[a-z0-9_]+([.][a-z0-9_]+)+$' THEN
        field := 'action'; rule := 'must be 3 to 100 characters, <resource>.<verb>: words of a-z, 0-9 and _ with at least one dot';
    ELSIF a.visibility NOT IN ('private', 'resource', 'scope', 'tenant') THEN
        field := 'visibility'; rule := 'must be one of private, resource, scope, tenant';
    ELSIF a.status NOT IN ('success', 'failure') THEN
        field := 'status'; rule := 'must be one of success, failure';
    ELSIF a.severity NOT IN ('info', 'warning', 'error', 'critical') THEN
        field := 'severity'; rule := 'must be one of info, warning, error, critical';
    ELSIF length(a.category) NOT BETWEEN 1 AND 100 THEN
        field := 'category'; rule := 'must be 1 to 100 characters';
    ELSIF a.traceparent !~ '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$' THEN
        field := 'traceparent'; rule := 'must be a W3C traceparent';
    ELSIF a.occurred_at NOT BETWEEN '0001-01-01 00:00:00Z' AND '9999-12-31 23:59:59.999999Z' THEN
        field := 'occurred_at'; rule := 'must be in the years 0001 to 9999';
    END IF;
    IF field IS NOT NULL THEN
        value := left(e ->> field, 100); RETURN;
    END IF;

    -- Payload.
    a.payload := CASE jsonb_typeof(e -> 'payload') WHEN 'null' THEN '{}' ELSE coalesce(e -> 'payload', '{}') END;
    IF jsonb_typeof(a.payload) <> 'object' THEN
        field := 'payload'; value := jsonb_typeof(a.payload); rule := 'must be a JSON object'; RETURN;
    END IF;
    body := a.payload::text;
    IF octet_length(body) > 128 AND a.payload @? 'strict $.**{64} ? (@.type() == "object" || @.type() == "array")' THEN
        field := 'payload'; value := 'nested deeper'; rule := 'must nest at most 64 levels deep'; code := 'program_limit_exceeded'; RETURN;
    END IF;
    IF fanfare.names_secret_anywhere(body) THEN
        a.payload := fanfare.scrub(a.payload);
        body := a.payload::text;
    END IF;
    a.resource_name := left(e ->> 'resource_name', 500);
    SELECT s.max_payload_bytes, r.owner_principal_id, r.parent_id, left(r.name, 500) AS name INTO STRICT here
    FROM fanfare.settings AS s
    LEFT JOIN fanfare.resources AS r
        ON r.tenant_id = a.tenant_id AND r.id = a.resource_id AND (a.owner_id IS NULL OR a.parent_id IS NULL OR a.resource_name IS NULL)
    LIMIT 1;
    IF octet_length(body) > here.max_payload_bytes THEN
        field := 'payload'; value := octet_length(body) || ' bytes'; rule := format('must be at most %s bytes', here.max_payload_bytes);
        code := 'program_limit_exceeded'; RETURN;
    END IF;

    -- Delivery channels.
    IF coalesce(jsonb_typeof(e -> 'delivery_channels'), 'null') = 'null' THEN
        a.delivery_channels := '{}';
    ELSIF jsonb_typeof(e -> 'delivery_channels') <> 'array' OR e -> 'delivery_channels' @? 'strict $[*] ? (@.type() != "string")' THEN
        field := 'delivery_channels'; value := left((e -> 'delivery_channels')::text, 100); rule := 'must be a list of strings'; RETURN;
    ELSIF jsonb_array_length(e -> 'delivery_channels') > 32 THEN
        field := 'delivery_channels'; value := jsonb_array_length(e -> 'delivery_channels') || ' channels'; rule := 'must be at most 32 channels'; RETURN;
    ELSE
        a.delivery_channels := ARRAY(SELECT jsonb_array_elements_text(e -> 'delivery_channels'));
        FOREACH channel IN ARRAY a.delivery_channels LOOP
            CONTINUE WHEN channel IN ('user', 'resource', 'tenant');
            IF channel !~ ('^[a-z0-9_-]{2,}:' || a.tenant_id || '[.][!-~]+$') OR length(channel) > 255 OR split_part(channel, ':', 1) IN ('user', 'resource', 'tenant') THEN
                field := 'delivery_channels'; value := left(channel, 300);
                rule := 'must be user, resource, tenant, or <namespace>:<tenant_id>.<rest> of the same tenant: at most 255 printable ASCII characters, in a namespace of its own';
                RETURN;
            END IF;
        END LOOP;
    END IF;

    code := NULL;

    -- From here on it writes. The transaction's id comes first and the outbox's seq after it: the worker's hints rest on that.
    a.id             := fanfare.uuidv7();
    a.correlation_id := coalesce(nullif(a.correlation_id, nobody), a.id);
    INSERT INTO fanfare.idempotency_keys (tenant_id, correlation_id, action, resource_id, activity_id)
    VALUES (a.tenant_id, a.correlation_id, a.action, a.resource_id, a.id)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        activity := fanfare.standing_activity(a.tenant_id, a.correlation_id, a.action, a.resource_id);
        RETURN;
    END IF;

    a.owner_id      := coalesce(a.owner_id, here.owner_principal_id);
    a.parent_id     := coalesce(a.parent_id, here.parent_id);
    a.resource_name := coalesce(a.resource_name, here.name);
    IF ip IS NOT NULL THEN
        SELECT k.key_id, sha256(k.outer_pad || sha256(k.inner_pad || convert_to(ip, 'UTF8'))) INTO a.ip_key_id, a.ip_hash
        FROM fanfare.ip_hash_keys k ORDER BY k.key_id DESC LIMIT 1;
    END IF;
    a.recorded_at := clock_timestamp();
    a.occurred_at := coalesce(a.occurred_at, a.recorded_at);

    INSERT INTO fanfare.activities VALUES (a.*);
    INSERT INTO fanfare.outbox (lane, activity_id, tenant_id, resource_id, recorded_at)
    VALUES (fanfare.lane_of(a.tenant_id, a.resource_id), a.id, a.tenant_id, a.resource_id, a.recorded_at);
    activity := a;
    created := true;
END
$$;

-- What a payload must contain, as text, before it is worth walking: a net with a wider mesh than names_secret.
CREATE FUNCTION fanfare.names_secret_anywhere(payload text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN payload COLLATE "C" ~* 'passw|passphrase|secret|authoriz|credential|cookie|(api|private|access)[-_. ]?key|token"|pwd"';

-- The activity that (tenant, correlation, action, resource) names, or null.
CREATE FUNCTION fanfare.standing_activity(tenant uuid, correlation uuid, act text, resource uuid) RETURNS fanfare.activities
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT a
    FROM fanfare.idempotency_keys k JOIN fanfare.activities a ON a.id = k.activity_id
    WHERE k.tenant_id = tenant AND k.correlation_id = correlation AND k.action = act AND k.resource_id = resource
$$;

-- Says in an error what record_envelope said in data, if it said anything: the field in the error's COLUMN, the rule in its message.
CREATE FUNCTION fanfare.refuse_envelope(field text, value text, rule text, code text) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    IF field IS NOT NULL THEN
        RAISE EXCEPTION '%', concat_ws(' ', field || CASE WHEN value IS NULL THEN '' ELSE ' "' || value || '"' END, rule)
            USING ERRCODE = code, COLUMN = field, SCHEMA = 'fanfare', TABLE = 'activities';
    END IF;
END
$$;

-- Records an activity in the caller's transaction and returns its id; the id of the one that stands if it was recorded before.
-- Errors: not_null_violation (23502) a required field is missing, invalid_parameter_value (22023) a field breaks its rule,
-- program_limit_exceeded (54000) the payload is too large or too deep. COLUMN names the field.
CREATE FUNCTION fanfare.record_activity(envelope jsonb) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    r record;
BEGIN
    r := fanfare.record_envelope(envelope);
    IF r.field IS NOT NULL THEN
        PERFORM fanfare.refuse_envelope(r.field, r.value, r.rule, r.code);
    END IF;
    RETURN (r.activity).id;
END
$$;

-- Records many in their order, all or none: the first refusal (its place in ordinal, from 1) undoes what came before it.
CREATE FUNCTION fanfare.record_envelopes(envelopes jsonb[]) RETURNS TABLE (
    ordinal int, activity fanfare.activities, created boolean, field text, value text, rule text, code text
)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    results fanfare.activities[];
    fresh   boolean[];
    r       record;
BEGIN
    BEGIN
        FOR i IN 1..coalesce(array_length(envelopes, 1), 0) LOOP
            ordinal := i;
            r := fanfare.record_envelope(envelopes[i]);
            IF r.field IS NOT NULL THEN
                RAISE EXCEPTION SQLSTATE 'FF001';
            END IF;
            results[i] := r.activity;
            fresh[i]   := r.created;
        END LOOP;
    EXCEPTION WHEN SQLSTATE 'FF001' THEN
        activity := NULL; created := false; field := r.field; value := r.value; rule := r.rule; code := r.code;
        RETURN NEXT;
        RETURN;
    END;
    FOR i IN 1..coalesce(array_length(results, 1), 0) LOOP
        ordinal := i; activity := results[i]; created := fresh[i];
        RETURN NEXT;
    END LOOP;
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA fanfare FROM PUBLIC;
-- The default of subscriptions.id, for an application that loads them.
GRANT EXECUTE ON FUNCTION fanfare.uuidv7 TO PUBLIC;
GRANT EXECUTE ON FUNCTION fanfare.record_activity, fanfare.record_envelope, fanfare.record_envelopes, fanfare.refuse_envelope, fanfare.standing_activity TO fanfare_writer;

---- create above / drop below ----

DROP FUNCTION fanfare.record_envelopes;
DROP FUNCTION fanfare.record_activity;
DROP FUNCTION fanfare.refuse_envelope;
DROP FUNCTION fanfare.record_envelope;
DROP FUNCTION fanfare.standing_activity;
DROP FUNCTION fanfare.names_secret_anywhere;
DROP FUNCTION fanfare.scrub;
DROP FUNCTION fanfare.names_secret;
DROP FUNCTION fanfare.add_ip_hash_key;
DROP TABLE fanfare.ip_hash_keys;
DROP TABLE fanfare.settings;
DROP TABLE fanfare.idempotency_keys;
