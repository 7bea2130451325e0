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
    RETURN key COLLATE "C" ~* '(password|passwd|passphrase|passcode|secret|authori[sz]ation|credential|cookie|(api|private|access|signing|encryption)[-_. ]?key)|(token|(^|[^a-z])(pwd|jwt|bearer))$';

-- Whether a text holds what looks like a secret: a private key, a bearer or web token, a key with a well-known beginning, an
-- address with a password in it; or a name of one with a value behind it, as in a query or in JSON that became a text.
CREATE FUNCTION fanfare.looks_secret(value text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN value COLLATE "C" ~ (
           '-----BEGIN [A-Z0-9 ]*PRIVATE KEY'
        || '|(^|[^A-Za-z0-9_])('
        ||   'eyJ[A-Za-z0-9_-]{8,}[.][A-Za-z0-9_-]{8,}[.]|A[KS]IA[0-9A-Z]{16}|gh[oprsu]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}'
        ||   '|xox[a-z]-[A-Za-z0-9-]{10,}|[rs]k_(live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/]{16,}|sk-[A-Za-z0-9_-]{20,}|AIza[A-Za-z0-9_-]{30,}'
        ||   '|npm_[A-Za-z0-9]{30,}|hf_[A-Za-z0-9]{30,}|SG[.][A-Za-z0-9_-]{16,}[.][A-Za-z0-9_-]{16,}|dop_v1_[0-9a-f]{32,}|shp(at|ca|pa|ss)_[0-9a-fA-F]{32}'
        || ')'
        || '|[Bb][Ee][Aa][Rr][Ee][Rr][ +]+[A-Za-z0-9._~+/=-]{12,}'
        || '|[a-z][a-z0-9+.-]*://[^/?# @:]*:[^/?# @]+@')
      OR lower(value COLLATE "C") ~ (
           '(password|passwd|passphrase|pwd|secret|token|(api|access|private)[-_. ]?key|authorization|cookie)'
        || '([^a-z0-9 =:]{0,3}=[^a-z0-9]{0,3}[^ ]{3}|[^a-z0-9 =:]{1,3} ?: ?[^a-z0-9 ]{1,3}[^ ]{3})'
        || '|(authorization|cookie|api-key): *((basic|digest|token) +)?[^ ]{6}');

-- What a text must hold before it is worth looking closer: a net with a wider mesh than names_secret and looks_secret.
CREATE FUNCTION fanfare.may_hold_secret(value text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN lower(value COLLATE "C") LIKE ANY (ARRAY['%pass%', '%secret%', '%authori%', '%credential%', '%cookie%', '%key%', '%token%', '%pwd%', '%jwt%', '%bearer%',
        '%eyj%', '%akia%', '%asia%', '%ghp_%', '%gho_%', '%ghr_%', '%ghs_%', '%ghu_%', '%github_pat%', '%glpat-%', '%xox%', '%k_live%', '%k_test%', '%sk-%', '%whsec%',
        '%aiza%', '%npm_%', '%hf_%', '%sg.%', '%dop_v%', '%shp%', '%://%']);

-- The same JSON with what names or looks like a secret replaced, at any depth; more are further keys, in lower case.
CREATE FUNCTION fanfare.scrub(value jsonb, more text[]) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    CASE jsonb_typeof(value)
    WHEN 'object' THEN
        RETURN coalesce((
            SELECT jsonb_object_agg(
                CASE WHEN fanfare.looks_secret(k) THEN '[redacted]' ELSE k END,
                CASE WHEN fanfare.names_secret(k) OR fanfare.looks_secret(k) OR lower(k COLLATE "C") = ANY (more) THEN '"[redacted]"' ELSE fanfare.scrub(v, more) END)
            FROM jsonb_each(value) AS e(k, v)), '{}');
    WHEN 'array' THEN
        RETURN coalesce((
            SELECT jsonb_agg(fanfare.scrub(v, more) ORDER BY n)
            FROM jsonb_array_elements(value) WITH ORDINALITY AS e(v, n)), '[]');
    WHEN 'string' THEN
        RETURN CASE WHEN fanfare.looks_secret(value #>> '{}') THEN '"[redacted]"' ELSE value END;
    ELSE
        RETURN value;
    END CASE;
END
$$;

-- A text as it may be kept: cut, and not if it holds a secret.
CREATE FUNCTION fanfare.plain_text(value text, most int) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN fanfare.may_hold_secret(value) AND fanfare.looks_secret(value) THEN '[redacted]' ELSE left(value, most) END;

-- Says which rule an envelope breaks, given what record_envelope found broken: a field's name, or one of the words in front.
-- It is asked only then, and so may take its time.
CREATE FUNCTION fanfare.explain_refusal(e jsonb, broken text, OUT field text, OUT value text, OUT rule text, OUT code text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    nobody  CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
    channel text;
BEGIN
    field := broken;
    value := left(e ->> field, 100);
    code := 'invalid_parameter_value';
    CASE broken
    WHEN 'an object' THEN
        field := 'envelope'; value := jsonb_typeof(e); rule := 'must be a JSON object';
    WHEN 'its fields' THEN
        SELECT left(min(k), 100), 'is not a field of the envelope' INTO field, rule FROM jsonb_object_keys(e - fanfare.envelope_fields()) AS k;
    WHEN 'its strings' THEN
        SELECT k, jsonb_typeof(v), 'must be a string' INTO field, value, rule
        FROM jsonb_each(e - '{payload,delivery_channels}'::text[]) AS t(k, v) WHERE jsonb_typeof(v) NOT IN ('string', 'null') ORDER BY k LIMIT 1;
    WHEN 'its types' THEN
        FOREACH field IN ARRAY '{tenant_id,actor_principal_id,resource_id,correlation_id,target_principal_id,owner_id,parent_id,occurred_at}'::text[] LOOP
            BEGIN
                rule := CASE field WHEN 'occurred_at' THEN 'must be a time with a zone (RFC 3339)' ELSE 'must be a UUID' END;
                PERFORM CASE field WHEN 'occurred_at' THEN (e ->> field)::timestamptz IS NULL ELSE (e ->> field)::uuid IS NULL END;
            EXCEPTION WHEN data_exception THEN
                value := left(e ->> field, 100);
                EXIT;
            END;
        END LOOP;
    WHEN 'what is required' THEN
        rule := 'is required'; code := 'not_null_violation'; value := NULL;
        field := CASE
            WHEN coalesce((e ->> 'tenant_id')::uuid, nobody) = nobody THEN 'tenant_id'
            WHEN coalesce((e ->> 'actor_principal_id')::uuid, nobody) = nobody THEN 'actor_principal_id'
            WHEN coalesce((e ->> 'resource_id')::uuid, nobody) = nobody THEN 'resource_id'
            WHEN e ->> 'resource_type' IS NULL THEN 'resource_type'
            ELSE 'action'
        END;
    WHEN 'resource_type', 'category' THEN
        rule := 'must be 1 to 100 characters';
    WHEN 'action' THEN
        rule := 'must be 3 to 100 characters, <resource>.<verb>: words of a-z, 0-9 and _ with at least one dot';
    WHEN 'visibility' THEN
        rule := 'must be one of private, resource, scope, tenant';
    WHEN 'status' THEN
        rule := 'must be one of success, failure';
    WHEN 'severity' THEN
        rule := 'must be one of info, warning, error, critical';
    WHEN 'traceparent' THEN
        rule := 'must be a W3C traceparent';
    WHEN 'ip' THEN
        value := NULL; rule := 'must be an IPv4 or IPv6 address';
    WHEN 'the time' THEN
        field := 'occurred_at'; value := left(e ->> field, 100); rule := 'must be a time with a zone (RFC 3339)';
    WHEN 'occurred_at' THEN
        rule := 'must be in the years 0001 to 9999';
    WHEN 'payload' THEN
        value := jsonb_typeof(e -> 'payload'); rule := 'must be a JSON object';
    WHEN 'depth' THEN
        field := 'payload'; value := 'nested deeper'; rule := 'must nest at most 64 levels deep'; code := 'program_limit_exceeded';
    WHEN 'delivery_channels' THEN
        IF jsonb_typeof(e -> field) <> 'array' OR e -> field @? 'strict $[*] ? (@.type() != "string")' THEN
            rule := 'must be a list of strings';
        ELSIF jsonb_array_length(e -> field) > 32 THEN
            value := jsonb_array_length(e -> field) || ' channels'; rule := 'must be at most 32 channels';
        ELSE
            SELECT left(c, 300), 'must be user, resource, tenant, or <namespace>:<tenant_id>.<rest> of the same tenant: at most 255 printable ASCII characters, in a namespace of its own'
            INTO value, rule
            FROM jsonb_array_elements_text(e -> field) WITH ORDINALITY AS t(c, n) WHERE NOT fanfare.deliverable(c, (e ->> 'tenant_id')::uuid) ORDER BY n LIMIT 1;
        END IF;
    END CASE;
END
$$;

-- The fields that an envelope may have.
CREATE FUNCTION fanfare.envelope_fields() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '{tenant_id,actor_principal_id,resource_id,resource_type,action,visibility,payload,delivery_channels,correlation_id,target_principal_id,owner_id,parent_id,resource_name,message,request_id,user_agent,status,severity,category,ip,traceparent,occurred_at}'::text[];

-- Whether an activity of the tenant may ask for the channel.
CREATE FUNCTION fanfare.deliverable(channel text, tenant uuid) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN channel IN ('user', 'resource', 'tenant')
        OR channel ~ ('^[a-z0-9_-]{2,}:' || tenant || '[.][!-~]+$') AND length(channel) <= 255 AND split_part(channel, ':', 1) NOT IN ('user', 'resource', 'tenant');

-- Records one envelope. What breaks a rule is returned (field, value, rule, code = an SQLSTATE), not raised, and then nothing
-- is written: a caller whose transaction must stay usable calls this one. created is false when the activity stood already.
-- An expression is prepared anew in every transaction that comes to it, which is most of what recording costs: so they are few,
-- and what an envelope seldom has is looked at apart.
-- No literal in here has a backslash, since the caller's standard_conforming_strings would decide what it means.
CREATE FUNCTION fanfare.record_envelope(
    e jsonb,
    OUT activity fanfare.activities, OUT created boolean, OUT field text, OUT value text, OUT rule text, OUT code text
)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    nobody CONSTANT uuid   := '00000000-0000-0000-0000-000000000000'; -- the same as not given
    now    CONSTANT bigint := extract(epoch FROM clock_timestamp()) * 1000000;
    a      fanfare.activities;
    body   text;
    here   record;
BEGIN
    created := false;

    -- What every envelope has.
    field := CASE
        WHEN e IS NULL OR jsonb_typeof(e) <> 'object' THEN 'an object'
        WHEN e - fanfare.envelope_fields() <> '{}' THEN 'its fields'
        WHEN e - '{payload,delivery_channels}'::text[] @? 'strict $.* ? (@.type() != "string" && @.type() != "null")' THEN 'its strings'
    END;
    IF field IS NULL THEN
        BEGIN
            a := ROW(
                fanfare.uuidv7_of(now), nullif((e ->> 'tenant_id')::uuid, nobody), nullif((e ->> 'actor_principal_id')::uuid, nobody), nullif((e ->> 'resource_id')::uuid, nobody),
                NULL, NULL, NULL, NULL, NULL, timestamptz 'epoch' + now * interval '1 microsecond', NULL, e ->> 'resource_type', NULL, e ->> 'action',
                NULL, 'success', NULL, NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, coalesce(nullif(e -> 'payload', 'null'), '{}'));
            IF e ?| '{correlation_id,target_principal_id,owner_id,parent_id}' THEN
                a.correlation_id      := nullif((e ->> 'correlation_id')::uuid, nobody);
                a.target_principal_id := nullif((e ->> 'target_principal_id')::uuid, nobody);
                a.owner_id            := nullif((e ->> 'owner_id')::uuid, nobody);
                a.parent_id           := nullif((e ->> 'parent_id')::uuid, nobody);
            END IF;
            IF e ? 'occurred_at' THEN -- in the one form that means the same under all settings
                a.occurred_at := CASE WHEN e ->> 'occurred_at' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?([Zz]|[-+][0-9]{2}:[0-9]{2})$'
                    THEN (e ->> 'occurred_at')::timestamptz END;
                field := CASE WHEN a.occurred_at IS NULL AND e ->> 'occurred_at' IS NOT NULL THEN 'the time' END;
            END IF;
        EXCEPTION WHEN data_exception THEN
            field := 'its types';
        END;
    END IF;
    body := a.payload::text;
    field := CASE
        WHEN field IS NOT NULL THEN field
        WHEN a.tenant_id IS NULL OR a.actor_principal_id IS NULL OR a.resource_id IS NULL OR a.resource_type IS NULL OR a.action IS NULL THEN 'what is required'
        WHEN length(a.resource_type) NOT BETWEEN 1 AND 100 THEN 'resource_type'
        WHEN length(a.action) NOT BETWEEN 3 AND 100 OR a.action !~ '^[a-z0-9_]+([.][a-z0-9_]+)+$' THEN 'action'
        WHEN a.occurred_at NOT BETWEEN '0001-01-01 00:00:00Z' AND '9999-12-31 23:59:59.999999Z' THEN 'occurred_at'
        WHEN jsonb_typeof(a.payload) <> 'object' THEN 'payload'
        WHEN octet_length(body) > 128 AND a.payload @? 'strict $.**{64} ? (@.type() == "object" || @.type() == "array")' THEN 'depth'
    END;

    -- What an envelope may have.
    IF field IS NULL AND e ?| '{visibility,status,severity,category,traceparent}' THEN
        a.visibility  := e ->> 'visibility';
        a.status      := coalesce(e ->> 'status', 'success');
        a.severity    := e ->> 'severity';
        a.category    := e ->> 'category';
        a.traceparent := e ->> 'traceparent';
        field := CASE
            WHEN a.visibility NOT IN ('private', 'resource', 'scope', 'tenant') THEN 'visibility'
            WHEN a.status NOT IN ('success', 'failure') THEN 'status'
            WHEN a.severity NOT IN ('info', 'warning', 'error', 'critical') THEN 'severity'
            WHEN length(a.category) NOT BETWEEN 1 AND 100 THEN 'category'
            WHEN a.traceparent !~ '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$' THEN 'traceparent'
        END;
    END IF;
    IF field IS NULL AND e ?| '{resource_name,message,request_id,user_agent}' THEN
        a.resource_name := fanfare.plain_text(e ->> 'resource_name', 500);
        a.message       := fanfare.plain_text(e ->> 'message', 4000);
        a.request_id    := fanfare.plain_text(e ->> 'request_id', 200);
        a.user_agent    := fanfare.plain_text(e ->> 'user_agent', 500);
    END IF;
    IF field IS NULL AND e ? 'delivery_channels' AND e -> 'delivery_channels' <> 'null' THEN
        a.delivery_channels := fanfare.read_channels(e -> 'delivery_channels', a.tenant_id);
        field := CASE WHEN a.delivery_channels IS NULL THEN 'delivery_channels' END;
    END IF;
    IF field IS NULL AND e ->> 'ip' IS NOT NULL THEN
        SELECT h.key_id, h.hash INTO a.ip_key_id, a.ip_hash FROM fanfare.hash_ip(e ->> 'ip') AS h;
        field := CASE WHEN a.ip_hash IS NULL THEN 'ip' END;
    END IF;
    IF field IS NOT NULL THEN
        SELECT x.field, x.value, x.rule, x.code INTO field, value, rule, code FROM fanfare.explain_refusal(e, field) AS x;
        RETURN;
    END IF;

    -- What is known of the action, the tenant and the resource.
    SELECT s.max_payload_bytes AS cap, coalesce(f.mode, s.enforcement) AS mode, s.secret_keys,
           t.action AS registered, t.severity, t.visibility, t.category, t.required_keys, t.allowed_keys, t.max_payload_bytes AS action_cap,
           r.owner_principal_id, r.parent_id, r.name
    INTO STRICT here
    FROM fanfare.settings AS s
    LEFT JOIN fanfare.enforcement AS f ON f.tenant_id = a.tenant_id
    LEFT JOIN fanfare.taxonomy AS t ON t.action = a.action
    LEFT JOIN fanfare.resources AS r ON r.tenant_id = a.tenant_id AND r.id = a.resource_id
    LIMIT 1;

    -- What must not be kept.
    IF fanfare.may_hold_secret(body) OR here.secret_keys <> '{}' THEN
        a.payload := fanfare.scrub(a.payload, here.secret_keys);
        body := a.payload::text;
    END IF;
    IF here.allowed_keys IS NOT NULL AND a.payload - here.allowed_keys <> '{}' THEN
        a.payload := (SELECT coalesce(jsonb_object_agg(k, v), '{}') FROM jsonb_each(a.payload) AS p(k, v) WHERE k = ANY (here.allowed_keys));
        body := a.payload::text;
    END IF;

    -- The size, and the taxonomy.
    field := CASE
        WHEN octet_length(body) > here.cap THEN 'cap'
        WHEN here.mode = 'off' THEN NULL
        WHEN here.registered IS NULL THEN 'action'
        WHEN NOT a.payload ?& here.required_keys THEN 'required'
        WHEN octet_length(body) > here.action_cap THEN 'action_cap'
    END;
    IF field IS NOT NULL THEN
        SELECT x.field, x.value, x.rule, x.code INTO field, value, rule, code
        FROM fanfare.explain_breach(field, a.action, a.payload, CASE field WHEN 'cap' THEN here.cap ELSE here.action_cap END, here.required_keys) AS x;
        IF here.mode = 'strict' OR octet_length(body) > here.cap THEN
            RETURN;
        END IF;
        a.warning := field || ' ' || rule;
        field := NULL; value := NULL; rule := NULL; code := NULL;
    END IF;

    -- From here on it writes. The transaction's id comes first and the outbox's seq after it: the worker's hints rest on that.
    -- An activity that brings no correlation id gets one that nobody else can have, its own id, and needs no key.
    IF a.correlation_id IS NOT NULL THEN
        INSERT INTO fanfare.idempotency_keys (tenant_id, correlation_id, action, resource_id, activity_id)
        SELECT a.tenant_id, a.correlation_id, a.action, a.resource_id, a.id
        WHERE NOT EXISTS (
            SELECT FROM fanfare.activities AS own
            WHERE own.tenant_id = a.tenant_id AND own.id = a.correlation_id AND own.correlation_id = own.id AND own.action = a.action AND own.resource_id = a.resource_id)
        ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            activity := fanfare.standing_activity(a.tenant_id, a.correlation_id, a.action, a.resource_id);
            RETURN;
        END IF;
    END IF;
    activity := ROW(
        a.id, a.tenant_id, a.actor_principal_id, a.resource_id, coalesce(a.correlation_id, a.id), a.target_principal_id,
        coalesce(a.owner_id, here.owner_principal_id), coalesce(a.parent_id, here.parent_id), coalesce(a.occurred_at, a.recorded_at), a.recorded_at,
        a.ip_key_id, a.resource_type, coalesce(a.resource_name, left(here.name, 500)), a.action,
        coalesce(a.visibility, here.visibility, 'resource'), a.status, coalesce(a.severity, here.severity, 'info'),
        coalesce(a.category, here.category, split_part(a.action, '.', 1)),
        a.delivery_channels, a.message, a.request_id, a.user_agent, a.traceparent, a.ip_hash, a.warning, a.payload);
    INSERT INTO fanfare.activities VALUES (activity.*);
    INSERT INTO fanfare.outbox (lane, activity_id, tenant_id, resource_id, recorded_at)
    VALUES (fanfare.lane_of(a.tenant_id, a.resource_id), a.id, a.tenant_id, a.resource_id, a.recorded_at);
    created := true;
END
$$;

-- Says which rule of size or of the taxonomy a payload breaks, given what record_envelope found broken.
CREATE FUNCTION fanfare.explain_breach(broken text, action text, payload jsonb, most int, required text[], OUT field text, OUT value text, OUT rule text, OUT code text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    CASE broken
    WHEN 'action' THEN
        field := 'action'; value := action; rule := 'is not registered in the taxonomy'; code := 'invalid_parameter_value';
    WHEN 'required' THEN
        SELECT 'payload.' || left(k, 100), 'is required by ' || action, 'not_null_violation' INTO field, rule, code
        FROM unnest(required) WITH ORDINALITY AS u(k, n) WHERE NOT payload ? k ORDER BY n LIMIT 1;
    ELSE
        field := 'payload'; value := octet_length(payload::text) || ' bytes'; rule := format('must be at most %s bytes', most); code := 'program_limit_exceeded';
    END CASE;
END
$$;

-- An envelope's channels, or null if one of them breaks a rule.
CREATE FUNCTION fanfare.read_channels(channels jsonb, tenant uuid) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN jsonb_typeof(channels) = 'array' AND NOT channels @? 'strict $[*] ? (@.type() != "string")' THEN (
        SELECT coalesce(array_agg(c ORDER BY n) FILTER (WHERE fanfare.deliverable(c, tenant)), '{}')
        FROM jsonb_array_elements_text(channels) WITH ORDINALITY AS t(c, n)
        HAVING count(*) <= 32 AND coalesce(bool_and(fanfare.deliverable(c, tenant)), true)) END;

-- The keyed hash of an IP address (HMAC, RFC 2104) and which key it is made with; null if the text is none. An octet with a
-- zero in front, which some read as octal, is none, and an IPv4 address in IPv6's clothes is the IPv4 address.
CREATE FUNCTION fanfare.hash_ip(address text, OUT key_id smallint, OUT hash bytea)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    plain text;
BEGIN
    IF address !~ '^[0-9a-fA-F:.]+$' OR address ~ '(^|[.:])0[0-9]+[.]|[.]0[0-9]' THEN
        RETURN;
    END IF;
    plain := host(address::inet);
    plain := CASE WHEN plain LIKE '::ffff:%.%' THEN substr(plain, 8) ELSE plain END;
    SELECT k.key_id, sha256(k.outer_pad || sha256(k.inner_pad || convert_to(plain, 'UTF8'))) INTO key_id, hash
    FROM fanfare.ip_hash_keys AS k ORDER BY k.key_id DESC LIMIT 1;
EXCEPTION WHEN data_exception THEN
    key_id := NULL; hash := NULL;
END
$$;

-- The activity that (tenant, correlation, action, resource) names, or null. One that came without a correlation id has no key:
-- its correlation id is its own.
CREATE FUNCTION fanfare.standing_activity(tenant uuid, correlation uuid, act text, resource uuid) RETURNS fanfare.activities
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT a
    FROM fanfare.activities AS a
    WHERE a.tenant_id = tenant AND a.correlation_id = correlation AND a.action = act AND a.resource_id = resource
        AND a.id = coalesce((
            SELECT k.activity_id FROM fanfare.idempotency_keys AS k
            WHERE k.tenant_id = tenant AND k.correlation_id = correlation AND k.action = act AND k.resource_id = resource), correlation)
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
GRANT EXECUTE ON FUNCTION fanfare.uuidv7, fanfare.uuidv7_of TO PUBLIC;
GRANT EXECUTE ON FUNCTION fanfare.record_activity, fanfare.record_envelope, fanfare.record_envelopes, fanfare.refuse_envelope, fanfare.standing_activity TO fanfare_writer;

---- create above / drop below ----

DROP FUNCTION fanfare.record_envelopes;
DROP FUNCTION fanfare.record_activity;
DROP FUNCTION fanfare.refuse_envelope;
DROP FUNCTION fanfare.record_envelope;
DROP FUNCTION fanfare.standing_activity;
DROP FUNCTION fanfare.hash_ip;
DROP FUNCTION fanfare.explain_breach;
DROP FUNCTION fanfare.plain_text;
DROP FUNCTION fanfare.explain_refusal;
DROP FUNCTION fanfare.read_channels;
DROP FUNCTION fanfare.deliverable;
DROP FUNCTION fanfare.envelope_fields;
DROP FUNCTION fanfare.scrub;
DROP FUNCTION fanfare.may_hold_secret;
DROP FUNCTION fanfare.looks_secret;
DROP FUNCTION fanfare.names_secret;
DROP FUNCTION fanfare.add_ip_hash_key;
DROP TABLE fanfare.ip_hash_keys;
DROP TABLE fanfare.settings;
DROP TABLE fanfare.idempotency_keys;
