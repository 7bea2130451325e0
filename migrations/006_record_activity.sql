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

CREATE TABLE fanfare.settings (
    only_row          boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    max_payload_bytes int     NOT NULL DEFAULT 65536 CHECK (max_payload_bytes BETWEEN 2 AND 1048576),
    enforcement       text    NOT NULL DEFAULT 'off' CHECK (enforcement IN ('off', 'warn', 'strict')), -- of the taxonomy
    secret_keys       text[]  NOT NULL DEFAULT '{}' -- names of payload keys, in lower case, whose values are not kept, beside those of names_secret
        CHECK (array_position(secret_keys, NULL) IS NULL AND secret_keys::text = lower(secret_keys::text COLLATE "C"))
);

-- The settings are functions too, so that the plans of recording have them as constants, and
-- enforcement_of looks a tenant up only while any tenant has a mode of its own. They follow their
-- tables in the same transaction, and a plan that has inlined one is made anew. STABLE, because one
-- that is IMMUTABLE would be computed instead of inlined, and then stay.
CREATE FUNCTION fanfare.publish_settings() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    s fanfare.settings;
BEGIN
    -- Changed, and not only locked: so one that does not see what another has done, as under
    -- REPEATABLE READ, fails.
    UPDATE fanfare.settings SET only_row = only_row RETURNING * INTO s;
    EXECUTE format('CREATE OR REPLACE FUNCTION fanfare.max_payload_bytes() RETURNS int LANGUAGE sql STABLE PARALLEL SAFE RETURN %s', s.max_payload_bytes);
    EXECUTE format('CREATE OR REPLACE FUNCTION fanfare.secret_keys() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE RETURN %L::text[]', s.secret_keys);
    EXECUTE format('CREATE OR REPLACE FUNCTION fanfare.enforcement_of(tenant uuid) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE RETURN %s',
        CASE WHEN EXISTS (SELECT FROM fanfare.enforcement)
            THEN format('coalesce((SELECT f.mode FROM fanfare.enforcement AS f WHERE f.tenant_id = tenant), %L)', s.enforcement)
            ELSE format('%L::text', s.enforcement) END);
    RETURN NULL;
END
$$;
CREATE TRIGGER published AFTER INSERT OR UPDATE OF max_payload_bytes, enforcement, secret_keys ON fanfare.settings FOR EACH STATEMENT EXECUTE FUNCTION fanfare.publish_settings();
CREATE TRIGGER published AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON fanfare.enforcement FOR EACH STATEMENT EXECUTE FUNCTION fanfare.publish_settings();
INSERT INTO fanfare.settings DEFAULT VALUES;

-- Keys for the hashes of IP addresses, kept as HMAC's two pads (RFC 2104: the key xor 0x36… and
-- 0x5c…). The newest is in use.
CREATE TABLE fanfare.ip_hash_keys (
    key_id     smallint    GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    inner_pad  bytea       NOT NULL,
    outer_pad  bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Adds a key of 32 random bytes (gen_random_uuid draws from the server's strong source) and returns
-- its id.
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

-- Whether a key of a payload names something that must not be kept. Collation "C", so that the case
-- of ASCII letters is folded alike everywhere (in Turkish, API_KEY is not api_key).
CREATE FUNCTION fanfare.names_secret(key text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN key COLLATE "C" ~* '(password|passwd|passphrase|passcode|secret|authori[sz]ation|credential|cookie|(api|private|access|signing|encryption)[^a-z0-9]{0,2}key|(access|refresh|auth)[^a-z0-9]{0,2}token)|(token|(^|[^a-z])(pwd|jwt|bearer))[^a-z0-9]*$';

-- Whether a text holds what looks like a secret: a private key, a bearer or web token, a key with a
-- well-known beginning, an address with a password in it; or a name of one with a value behind it,
-- as in a query or in JSON that became a text.
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
        || '|[A-Za-z0-9+.-]://[^/?# :]*:[^/?# @]+@')
      OR lower(value COLLATE "C") ~ (
           '(password|passwd|passphrase|passcode|pwd|secret|token|(api|access|account|private|signing|encryption)[-_. ]?key|authori[sz]ation|credentials?|cookie)'
        || '([^a-z0-9 =:]{0,8}=[^a-z0-9]{0,8}[^ ]{3}|[^a-z0-9 =:]{1,8} ?: ?[^a-z0-9 ]{1,8}[^ ]{3}|[^a-z0-9 =:]{0,7}["''] ?: ?[0-9]{4})'
        || '|(authorization|cookie|api-key|-token|-secret|-password): *((basic|digest|token) +)?[^ ]{6}');

-- What a text must hold before it is worth looking closer: a net with a wider mesh than
-- names_secret and looks_secret.
CREATE FUNCTION fanfare.may_hold_secret(value text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN lower(value COLLATE "C") LIKE ANY (ARRAY['%pass%', '%secret%', '%authori%', '%credential%', '%cookie%', '%key%', '%token%', '%pwd%', '%jwt%', '%bearer%',
        '%eyj%', '%akia%', '%asia%', '%ghp_%', '%gho_%', '%ghr_%', '%ghs_%', '%ghu_%', '%github_pat%', '%glpat-%', '%xox%', '%k_live%', '%k_test%', '%sk-%', '%whsec%',
        '%aiza%', '%npm_%', '%hf_%', '%sg.%', '%dop_v%', '%shp%', '%://%']);

-- The same JSON with what names or looks like a secret replaced, at any depth; more are further
-- keys, in lower case.
CREATE FUNCTION fanfare.scrub(value jsonb, more text[]) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    CASE jsonb_typeof(value)
    WHEN 'object' THEN
        RETURN coalesce((
            SELECT jsonb_object_agg(
                CASE WHEN fanfare.looks_secret(k) THEN '[redacted]' ELSE k END,
                CASE WHEN fanfare.names_secret(k) OR fanfare.looks_secret(k) OR lower(k COLLATE "C") = ANY (more) THEN '"[redacted]"' ELSE fanfare.scrub(v, more) END
                ORDER BY fanfare.looks_secret(k)) -- of keys that are the same now, the last counts
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

-- The fields that an envelope may have.
CREATE FUNCTION fanfare.envelope_fields() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '{tenant_id,actor_principal_id,resource_id,resource_type,action,visibility,payload,delivery_channels,correlation_id,target_principal_id,owner_id,parent_id,resource_name,message,request_id,user_agent,status,severity,category,ip,traceparent,occurred_at}'::text[];

-- A text as it may be kept, or repeated in an error: cut, and not if it holds a secret.
CREATE FUNCTION fanfare.kept_text(value text, most int) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN fanfare.may_hold_secret(value) AND fanfare.looks_secret(value) THEN '[redacted]' ELSE left(value, most) END;

-- A payload as it may be kept: without its secrets, and of its first level what the taxonomy
-- allows, if it says so. Null if the action or the resource's type holds a secret, which is
-- refused: neither can be what it is and be redacted.
CREATE FUNCTION fanfare.kept_payload(action text, kind text, payload jsonb, allowed text[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF fanfare.looks_secret(action) OR fanfare.looks_secret(kind) THEN
        RETURN NULL;
    END IF;
    IF jsonb_typeof(payload) <> 'object' THEN
        RETURN payload;
    END IF;
    IF fanfare.may_hold_secret(payload::text) OR fanfare.secret_keys() <> '{}' THEN
        payload := fanfare.scrub(payload, fanfare.secret_keys());
    END IF;
    IF allowed IS NOT NULL AND payload - allowed <> '{}' THEN
        payload := (SELECT coalesce(jsonb_object_agg(k, v), '{}') FROM jsonb_each(payload) AS p(k, v) WHERE k = ANY (allowed));
    END IF;
    RETURN payload;
END
$$;

-- Whether a payload, of which body is the text, nests deeper than 64 levels. What has fewer
-- brackets is not walked.
CREATE FUNCTION fanfare.too_deep(payload jsonb, body text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN octet_length(body) > 128 AND octet_length(body) - octet_length(replace(replace(body, '{', ''), '[', '')) > 64
        AND payload @? 'strict $.**{64} ? (@.type() == "object" || @.type() == "array")';

-- Whether an activity of the tenant may ask for the channel. One with a secret in it would be
-- stored.
CREATE FUNCTION fanfare.deliverable(channel text, tenant uuid) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN channel IN ('user', 'resource', 'tenant')
        OR channel ~ ('^[a-z0-9_-]{2,}:' || tenant || '[.][!-~]+$') AND length(channel) <= 255 AND split_part(channel, ':', 1) NOT IN ('user', 'resource', 'tenant') AND NOT fanfare.looks_secret(channel);

-- An envelope's channels, or null if one of them breaks a rule.
CREATE FUNCTION fanfare.read_channels(channels jsonb, tenant uuid) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN jsonb_typeof(channels) = 'array' AND NOT channels @? 'strict $[*] ? (@.type() != "string")' THEN (
        SELECT coalesce(array_agg(c ORDER BY n) FILTER (WHERE fanfare.deliverable(c, tenant)), '{}')
        FROM jsonb_array_elements_text(channels) WITH ORDINALITY AS t(c, n)
        HAVING count(*) <= 32 AND coalesce(bool_and(fanfare.deliverable(c, tenant)), true)) END;

-- The keyed hash of an IP address (HMAC, RFC 2104) and which key it is made with; null if the text
-- is none. An octet with a zero in front, which some read as octal, is none, and an IPv4 address in
-- IPv6's clothes is the IPv4 address.
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


-- What an envelope may give beside what it must and its payload, as the log keeps it. right is
-- false if any of it breaks a rule.
CREATE TYPE fanfare.options AS (
    "right" boolean, target_principal_id uuid, owner_id uuid, parent_id uuid, occurred_at timestamptz, ip_key_id smallint, ip_hash bytea,
    resource_name text, visibility text, status text, severity text, category text, delivery_channels text[],
    message text, request_id text, user_agent text, traceparent text
);

-- Reads them. A UUID or a time that is none is an error.
CREATE FUNCTION fanfare.read_options(e jsonb) RETURNS fanfare.options
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    nobody CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
    o      fanfare.options;
BEGIN
    o.right := e - fanfare.envelope_fields() = '{}' AND NOT e - '{payload,delivery_channels}'::text[] @? 'strict $.* ? (@.type() != "string" && @.type() != "null")';
    IF e ?| '{target_principal_id,owner_id,parent_id,occurred_at}' THEN
        o.target_principal_id := nullif((e ->> 'target_principal_id')::uuid, nobody);
        o.owner_id            := nullif((e ->> 'owner_id')::uuid, nobody);
        o.parent_id           := nullif((e ->> 'parent_id')::uuid, nobody);
        IF e ->> 'occurred_at' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?([Zz]|[-+][0-9]{2}:[0-9]{2})$' THEN -- else its meaning would hang on settings
            o.occurred_at := e ->> 'occurred_at';
        END IF;
        o.right := o.right AND (e ->> 'occurred_at' IS NULL OR coalesce(o.occurred_at BETWEEN '0001-01-01 00:00:00Z' AND '9999-12-31 23:59:59.999999Z', false));
    END IF;
    IF e ?| '{visibility,status,severity,category,traceparent}' THEN
        o.visibility  := e ->> 'visibility';
        o.status      := e ->> 'status';
        o.severity    := e ->> 'severity';
        o.category    := e ->> 'category';
        o.traceparent := e ->> 'traceparent';
        o.right := o.right AND coalesce(o.visibility IN ('private', 'resource', 'scope', 'tenant'), true) AND coalesce(o.status IN ('success', 'failure'), true)
            AND coalesce(o.severity IN ('info', 'warning', 'error', 'critical'), true) AND coalesce(length(o.category) BETWEEN 1 AND 100 AND NOT fanfare.looks_secret(o.category), true)
            AND coalesce(o.traceparent ~ '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$', true);
    END IF;
    IF e ?| '{resource_name,message,request_id,user_agent}' THEN
        o.resource_name := fanfare.kept_text(e ->> 'resource_name', 500);
        o.message       := fanfare.kept_text(e ->> 'message', 4000);
        o.request_id    := fanfare.kept_text(e ->> 'request_id', 200);
        o.user_agent    := fanfare.kept_text(e ->> 'user_agent', 500);
    END IF;
    IF e -> 'delivery_channels' <> 'null' THEN
        o.delivery_channels := fanfare.read_channels(e -> 'delivery_channels', (e ->> 'tenant_id')::uuid);
        o.right := o.right AND o.delivery_channels IS NOT NULL;
    END IF;
    IF e ->> 'ip' IS NOT NULL THEN
        SELECT h.key_id, h.hash INTO o.ip_key_id, o.ip_hash FROM fanfare.hash_ip(e ->> 'ip') AS h;
        o.right := o.right AND o.ip_hash IS NOT NULL;
    END IF;
    RETURN o;
END
$$;

-- The first rule of the taxonomy that an activity breaks, and whether a payload is too large, given
-- the size that it may have.
CREATE FUNCTION fanfare.explain_breach(action text, payload jsonb, most int, OUT field text, OUT value text, OUT rule text, OUT code text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    t    fanfare.taxonomy;
    size CONSTANT int := octet_length(payload::text);
BEGIN
    IF size <= most THEN
        SELECT * INTO t FROM fanfare.taxonomy AS x WHERE x.action = action;
        IF t.action IS NULL THEN
            field := 'action'; value := action; rule := 'is not registered in the taxonomy'; code := 'invalid_parameter_value';
            RETURN;
        END IF;
        SELECT 'payload.' || left(k, 100), 'is required by ' || action, 'not_null_violation' INTO field, rule, code
        FROM unnest(t.required_keys) WITH ORDINALITY AS u(k, n) WHERE NOT payload ? k ORDER BY n LIMIT 1;
        IF field IS NOT NULL OR coalesce(size <= t.max_payload_bytes, true) THEN
            RETURN;
        END IF;
        most := t.max_payload_bytes;
    END IF;
    field := 'payload'; value := size || ' bytes'; rule := format('must be at most %s bytes', most); code := 'program_limit_exceeded';
END
$$;

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
                    SELECT CASE WHEN t.allowed_keys IS NOT NULL OR fanfare.may_hold_secret(g.action || g.resource_type || body) OR fanfare.secret_keys() <> '{}'
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
        r.id := (fanfare.standing_activity((e ->> 'tenant_id')::uuid, links, e ->> 'action', (e ->> 'resource_id')::uuid)).id;
        IF r.id IS NULL THEN
            RAISE EXCEPTION 'the activity that stood was removed meanwhile' USING ERRCODE = 'serialization_failure', HINT = 'Try again.';
        END IF;
    END IF;
    RETURN r;
END
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
    IF EXISTS (SELECT FROM fanfare.standing_activity(tenant, correlation, act, resource) AS a WHERE a.id = correlation) THEN
        RETURN false;
    END IF;
    INSERT INTO fanfare.idempotency_keys (tenant_id, correlation_id, action, resource_id, activity_id)
    VALUES (tenant, correlation, act, resource, made)
    ON CONFLICT DO NOTHING;
    RETURN FOUND;
END
$$;

-- Which rule an envelope breaks, the first of them in this order; a null field if it breaks none.
-- What stands already was recorded under the taxonomy of its time.
CREATE FUNCTION fanfare.explain_refusal(e jsonb, stands boolean, OUT field text, OUT value text, OUT rule text, OUT code text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    nobody CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
    given  jsonb;
    mode   text;
BEGIN
    code := 'invalid_parameter_value';
    IF e IS NULL OR jsonb_typeof(e) <> 'object' THEN
        field := 'envelope'; value := jsonb_typeof(e); rule := 'must be a JSON object'; RETURN;
    END IF;
    IF e - fanfare.envelope_fields() <> '{}' THEN
        SELECT fanfare.kept_text(min(k), 100), 'is not a field of the envelope' INTO field, rule FROM jsonb_object_keys(e - fanfare.envelope_fields()) AS k;
        RETURN;
    END IF;
    SELECT k, jsonb_typeof(v), 'must be a string' INTO field, value, rule
    FROM jsonb_each(e - '{payload,delivery_channels}'::text[]) AS t(k, v) WHERE jsonb_typeof(v) NOT IN ('string', 'null') ORDER BY k LIMIT 1;
    IF field IS NOT NULL THEN
        RETURN;
    END IF;

    FOREACH field IN ARRAY '{tenant_id,actor_principal_id,resource_id,correlation_id,target_principal_id,owner_id,parent_id}'::text[] LOOP
        BEGIN
            PERFORM (e ->> field)::uuid;
        EXCEPTION WHEN data_exception THEN
            value := fanfare.kept_text(e ->> field, 100); rule := 'must be a UUID'; RETURN;
        END;
    END LOOP;
    IF e ->> 'ip' IS NOT NULL AND (SELECT h.hash IS NULL FROM fanfare.hash_ip(e ->> 'ip') AS h) THEN
        field := 'ip'; rule := 'must be an IPv4 or IPv6 address'; RETURN;
    END IF;
    field := 'occurred_at';
    BEGIN
        IF e ->> field !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?([Zz]|[-+][0-9]{2}:[0-9]{2})$' THEN
            RAISE invalid_datetime_format;
        END IF;
        rule := CASE WHEN (e ->> field)::timestamptz NOT BETWEEN '0001-01-01 00:00:00Z' AND '9999-12-31 23:59:59.999999Z' THEN 'must be in the years 0001 to 9999' END;
    EXCEPTION WHEN data_exception THEN
        value := fanfare.kept_text(e ->> field, 100); rule := 'must be a time with a zone (RFC 3339)'; RETURN;
    END;

    field := CASE
        WHEN coalesce((e ->> 'tenant_id')::uuid, nobody) = nobody THEN 'tenant_id'
        WHEN coalesce((e ->> 'actor_principal_id')::uuid, nobody) = nobody THEN 'actor_principal_id'
        WHEN coalesce((e ->> 'resource_id')::uuid, nobody) = nobody THEN 'resource_id'
        WHEN e ->> 'resource_type' IS NULL THEN 'resource_type'
        WHEN e ->> 'action' IS NULL THEN 'action'
    END;
    IF field IS NOT NULL THEN
        rule := 'is required'; code := 'not_null_violation'; RETURN;
    END IF;
    IF length(e ->> 'resource_type') NOT BETWEEN 1 AND 100 THEN
        field := 'resource_type'; rule := 'must be 1 to 100 characters';
    ELSIF length(e ->> 'action') NOT BETWEEN 3 AND 100 OR e ->> 'action' !~ '^[a-z0-9_]+([.][a-z0-9_]+)+$' THEN
        field := 'action'; rule := 'must be 3 to 100 characters, <resource>.<verb>: words of a-z, 0-9 and _ with at least one dot';
    ELSIF e ->> 'visibility' NOT IN ('private', 'resource', 'scope', 'tenant') THEN
        field := 'visibility'; rule := 'must be one of private, resource, scope, tenant';
    ELSIF e ->> 'status' NOT IN ('success', 'failure') THEN
        field := 'status'; rule := 'must be one of success, failure';
    ELSIF e ->> 'severity' NOT IN ('info', 'warning', 'error', 'critical') THEN
        field := 'severity'; rule := 'must be one of info, warning, error, critical';
    ELSIF length(e ->> 'category') NOT BETWEEN 1 AND 100 THEN
        field := 'category'; rule := 'must be 1 to 100 characters';
    ELSIF e ->> 'traceparent' !~ '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$' THEN
        field := 'traceparent'; rule := 'must be a W3C traceparent';
    ELSIF rule IS NOT NULL THEN
        field := 'occurred_at';
    END IF;
    IF field IS NOT NULL THEN
        value := fanfare.kept_text(e ->> field, 100); RETURN;
    END IF;
    -- Names that the code of an application gives, and yet one may have been made of what a user
    -- typed.
    SELECT f INTO field FROM unnest('{resource_type,action,category}'::text[]) WITH ORDINALITY AS u(f, n) WHERE fanfare.looks_secret(e ->> f) ORDER BY n LIMIT 1;
    IF field IS NOT NULL THEN
        rule := 'must hold no secret'; RETURN;
    END IF;

    given := coalesce(nullif(e -> 'payload', 'null'), '{}');
    IF jsonb_typeof(given) <> 'object' THEN
        field := 'payload'; value := jsonb_typeof(given); rule := 'must be a JSON object'; RETURN;
    END IF;
    IF fanfare.too_deep(given, given::text) THEN
        field := 'payload'; value := 'nested deeper'; rule := 'must nest at most 64 levels deep'; code := 'program_limit_exceeded'; RETURN;
    END IF;
    IF jsonb_typeof(e -> 'delivery_channels') <> 'null' AND fanfare.read_channels(e -> 'delivery_channels', (e ->> 'tenant_id')::uuid) IS NULL THEN
        field := 'delivery_channels';
        IF jsonb_typeof(e -> field) <> 'array' OR e -> field @? 'strict $[*] ? (@.type() != "string")' THEN
            value := jsonb_typeof(e -> field); rule := 'must be a list of strings';
        ELSIF jsonb_array_length(e -> field) > 32 THEN
            value := jsonb_array_length(e -> field) || ' channels'; rule := 'must be at most 32 channels';
        ELSE
            SELECT fanfare.kept_text(c, 100), CASE WHEN fanfare.looks_secret(c) THEN 'must hold no secret' ELSE
                'must be user, resource, tenant, or <namespace>:<tenant_id>.<rest> of the same tenant: at most 255 printable ASCII characters, in a namespace of its own' END
            INTO value, rule
            FROM jsonb_array_elements_text(e -> field) WITH ORDINALITY AS t(c, n) WHERE NOT fanfare.deliverable(c, (e ->> 'tenant_id')::uuid) ORDER BY n LIMIT 1;
        END IF;
        RETURN;
    END IF;

    mode := fanfare.enforcement_of((e ->> 'tenant_id')::uuid);
    SELECT b.field, b.value, b.rule, b.code INTO field, value, rule, code
    FROM fanfare.explain_breach(e ->> 'action', fanfare.kept_payload(e ->> 'action', e ->> 'resource_type', given, (SELECT t.allowed_keys FROM fanfare.taxonomy AS t WHERE t.action = e ->> 'action')), fanfare.max_payload_bytes()) AS b;
    IF (stands OR mode <> 'strict') AND rule IS DISTINCT FROM format('must be at most %s bytes', fanfare.max_payload_bytes()) THEN
        field := NULL; value := NULL; rule := NULL; code := NULL;
    END IF;
END
$$;

-- The activity that (tenant, correlation, action, resource) names, or null. One that came without a
-- correlation id has no key: its correlation id is its own.
CREATE FUNCTION fanfare.standing_activity(tenant uuid, correlation uuid, act text, resource uuid) RETURNS fanfare.activities
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT a
    FROM fanfare.activities AS a
    WHERE a.tenant_id = tenant AND a.correlation_id = correlation AND a.action = act AND a.resource_id = resource
        AND a.id = coalesce((
            SELECT k.activity_id FROM fanfare.idempotency_keys AS k
            WHERE k.tenant_id = tenant AND k.correlation_id = correlation AND k.action = act AND k.resource_id = resource), correlation)
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

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA fanfare FROM PUBLIC;
-- The default of subscriptions.id, for an application that loads them.
GRANT EXECUTE ON FUNCTION fanfare.uuidv7, fanfare.uuidv7_of TO PUBLIC;
GRANT EXECUTE ON FUNCTION fanfare.record_activity, fanfare.record_envelope, fanfare.record_envelopes, fanfare.refuse_envelope, fanfare.standing_activity TO fanfare_writer;

---- create above / drop below ----

DROP FUNCTION fanfare.record_envelopes;
DROP FUNCTION fanfare.record_activity;
DROP FUNCTION fanfare.refuse_envelope;
DROP FUNCTION fanfare.record_envelope;
DROP TYPE fanfare.recording;
DROP FUNCTION fanfare.explain_refusal;
DROP FUNCTION fanfare.explain_breach;
DROP FUNCTION fanfare.claim_key;
DROP FUNCTION fanfare.standing_activity;
DROP FUNCTION fanfare.read_options;
DROP TYPE fanfare.options;
DROP FUNCTION fanfare.hash_ip;
DROP FUNCTION fanfare.read_channels;
DROP FUNCTION fanfare.deliverable;
DROP FUNCTION fanfare.too_deep;
DROP FUNCTION fanfare.kept_payload;
DROP FUNCTION fanfare.kept_text;
DROP FUNCTION fanfare.envelope_fields;
DROP FUNCTION fanfare.scrub;
DROP FUNCTION fanfare.may_hold_secret;
DROP FUNCTION fanfare.looks_secret;
DROP FUNCTION fanfare.names_secret;
DROP FUNCTION fanfare.add_ip_hash_key;
DROP TABLE fanfare.ip_hash_keys;
DROP TRIGGER published ON fanfare.enforcement;
DROP TABLE fanfare.settings;
DROP FUNCTION fanfare.publish_settings;
DROP FUNCTION fanfare.enforcement_of;
DROP FUNCTION fanfare.secret_keys;
DROP FUNCTION fanfare.max_payload_bytes;
DROP TABLE fanfare.idempotency_keys;
