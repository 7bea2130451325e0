-- The rules of envelopes: reading one, and finding the rule that it violates.

-- Returns the maximum number of parts of a payload: names, texts, objects and lists at any depth,
-- including the payload itself. Redaction reads each of them.
CREATE FUNCTION fanfare.max_payload_parts() RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN 3072;

-- Reports whether an envelope whose fields besides the payload are large has more fields than there
-- are names of fields, or an action, a type or a list that is too long to be read.
CREATE FUNCTION fanfare.is_oversized(e jsonb, payload jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN pg_column_size(e) > pg_column_size(payload) + 16384
        AND jsonb_typeof(e) = 'object'
        AND ((SELECT count(*) FROM (SELECT jsonb_object_keys(e) LIMIT 24) AS k) > 23
            OR octet_length(e ->> 'action') > 400
            OR octet_length(e ->> 'resource_type') > 400);

-- Returns the names of an envelope's fields.
CREATE FUNCTION fanfare.envelope_fields() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ('{tenant_id,actor_principal_id,resource_id,resource_type,action,visibility,payload,delivery_channels,'
        'correlation_id,target_principal_id,target_principal_ids,owner_id,parent_id,resource_name,message,'
        'request_id,user_agent,status,severity,category,ip,traceparent,occurred_at}')::text[];

-- Reports whether a payload nests deeper than 64 levels. body is its text; a payload whose text has
-- no more than 64 brackets is not searched.
CREATE FUNCTION fanfare.too_deep(payload jsonb, body text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN octet_length(body) > 128
        AND octet_length(body) - octet_length(replace(replace(body, '{', ''), '[', '')) > 64
        AND payload @? 'strict $.**{64} ? (@.type() == "object" || @.type() == "array")';

-- Returns the bound that a payload exceeds as it is given, before anything else reads it; nulls if
-- there is none. As given, a payload may have four times the maximum size, because redaction may
-- shorten it. Each test limits the work of the next one, so that no payload takes long to refuse.
CREATE FUNCTION fanfare.payload_excess(payload jsonb, OUT value text, OUT rule text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    size      CONSTANT int := pg_column_size(payload);
    max_bytes CONSTANT int := 4 * fanfare.max_payload_bytes();
    found     bigint;
    body      text;
    bare      text; -- without escaped quotes
BEGIN
    -- With few enough parts, jsonb needs less than 32 bytes for each besides its text; a number
    -- takes at most four times as many bytes as its text.
    IF size > max_bytes + 32 * fanfare.max_payload_parts() THEN
        value := size || ' bytes';
        rule := format('must be at most %s bytes', fanfare.max_payload_bytes());
        RETURN;
    END IF;
    IF size > 512 AND payload @? 'strict $.**{64} ? (@.type() == "object" || @.type() == "array")' THEN
        value := 'nested deeper';
        rule := 'must nest at most 64 levels deep';
        RETURN;
    END IF;
    -- Each sum is less than the digits of these numbers and more than a quarter of them.
    SELECT sum(scale(n.value) + CASE
            WHEN abs(n.value) < 1e300 THEN 0
            WHEN abs(n.value) < 1e1000 THEN 300
            WHEN abs(n.value) < 1e3000 THEN 1000
            WHEN abs(n.value) < 1e10000 THEN 3000
            WHEN abs(n.value) < 1e30000 THEN 10000
            WHEN abs(n.value) < 1e100000 THEN 30000
            ELSE 100000 END)
    INTO found
    FROM jsonb_array_elements(jsonb_path_query_array(
        payload, 'strict $.** ? (@ > 1e300 || @ < -1e300 || @ > -1e-300 && @ < 1e-300)')) AS v
    CROSS JOIN LATERAL (SELECT v::numeric AS value) AS n;
    IF coalesce(found, 0) <= max_bytes THEN
        body := payload::text;
        found := octet_length(body);
    END IF;
    IF found > max_bytes THEN
        value := found || ' bytes';
        rule := format('must be at most %s bytes', fanfare.max_payload_bytes());
        RETURN;
    END IF;
    -- The quotes that are not escaped enclose names and texts.
    bare := replace(replace(body, repeat(chr(92), 2), ''), chr(92) || '"', '');
    found := (octet_length(bare) - octet_length(replace(bare, '"', ''))) / 2;
    IF found + octet_length(body) - octet_length(replace(replace(body, '{', ''), '[', ''))
        > fanfare.max_payload_parts()
    THEN
        -- Texts may contain brackets.
        found := found + jsonb_array_length(jsonb_path_query_array(
            payload, 'strict $.** ? (@.type() == "object" || @.type() == "array").type()'));
        IF found > fanfare.max_payload_parts() THEN
            value := found || ' of them';
            rule := format('must have at most %s names, texts, objects and lists', fanfare.max_payload_parts());
        END IF;
    END IF;
END
$$;

-- Reports whether a payload exceeds such a bound.
CREATE FUNCTION fanfare.exceeds_bounds(payload jsonb) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT x.rule IS NOT NULL FROM fanfare.payload_excess(payload) AS x);
END
$$;

-- Reports whether a text is a time with a zone (RFC 3339). The meaning of other forms would depend
-- on settings of the session.
CREATE FUNCTION fanfare.is_time(value text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN octet_length(value) <= 64
        AND value ~ ('^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?'
        '([Zz]|[-+][0-9]{2}:[0-9]{2})$');

-- Reports whether an activity of the tenant may have the delivery channel. Channels are stored, so
-- they must contain no secret.
CREATE FUNCTION fanfare.is_channel(channel text, tenant uuid) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN channel IN ('user', 'resource', 'tenant')
        OR octet_length(channel) <= 255
            AND channel ~ ('^[a-z0-9_-]{2,}:' || tenant || '[.][!-~]+$')
            AND split_part(channel, ':', 1) NOT IN ('user', 'resource', 'tenant')
            AND NOT fanfare.contains_secret(channel);

-- Returns the delivery channels of an envelope, or null if they violate a rule.
CREATE FUNCTION fanfare.read_channels(channels jsonb, tenant uuid) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN jsonb_typeof(channels) <> 'array' THEN NULL
        WHEN jsonb_array_length(channels) > 32 THEN NULL
        WHEN NOT channels @? 'strict $[*] ? (@.type() != "string")' THEN (
            SELECT coalesce(array_agg(c ORDER BY n) FILTER (WHERE fanfare.is_channel(c, tenant)), '{}')
            FROM jsonb_array_elements_text(channels) WITH ORDINALITY AS t(c, n)
            HAVING coalesce(bool_and(fanfare.is_channel(c, tenant)), true))
    END;

-- Returns the principals that an envelope addresses, each once and in the order in which it gives
-- them; null if there are none. valid is false if they violate a rule. An invalid UUID raises an
-- error.
CREATE FUNCTION fanfare.read_targets(one text, more jsonb, OUT valid boolean, OUT targets uuid[])
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    more := coalesce(nullif(more, 'null'), '[]');
    valid := jsonb_typeof(more) = 'array'
        AND jsonb_array_length(more) <= 32
        AND NOT more @? 'strict $[*] ? (@.type() != "string")';
    IF valid THEN
        SELECT array_agg(g.id ORDER BY g.n)
        INTO targets
        FROM (
            SELECT t.id, min(t.n) AS n
            FROM (
                SELECT one::uuid, 0
                UNION ALL
                SELECT u.id::uuid, u.n FROM jsonb_array_elements_text(more) WITH ORDINALITY AS u(id, n)
            ) AS t(id, n)
            WHERE t.id <> '00000000-0000-0000-0000-000000000000' -- the same as no value
            GROUP BY t.id
        ) AS g;
        valid := coalesce(cardinality(targets), 0) <= 32;
    END IF;
END
$$;

-- The optional fields of an envelope that record_fields has no parameters for, as they are stored.
-- valid is false if one of them violates a rule.
CREATE TYPE fanfare.envelope_options AS (
    valid                boolean,
    correlation_id       uuid,
    owner_id             uuid,
    parent_id            uuid,
    occurred_at          timestamptz,
    ip_key_id            smallint,
    ip_hash              bytea,
    resource_name        text,
    status               text,
    target_principal_ids uuid[],
    delivery_channels    text[],
    message              text,
    request_id           text,
    user_agent           text,
    traceparent          text
);

-- Reads the optional fields of an envelope of the tenant.
CREATE FUNCTION fanfare.read_options(e jsonb, tenant uuid) RETURNS fanfare.envelope_options
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    nil CONSTANT uuid := '00000000-0000-0000-0000-000000000000'; -- the same as no value
    o   fanfare.envelope_options;
    t   record; -- what read_targets returns
    h   record; -- what hash_ip returns
BEGIN
    o.valid := e - ('{delivery_channels,correlation_id,target_principal_id,target_principal_ids,owner_id,parent_id,'
            'resource_name,message,request_id,user_agent,status,ip,traceparent,occurred_at}')::text[] = '{}'
        AND NOT e - '{delivery_channels,target_principal_ids}'::text[]
            @? 'strict $.* ? (@.type() != "string" && @.type() != "null")';
    IF NOT o.valid THEN
        RETURN o;
    END IF;
    o.correlation_id := nullif((e ->> 'correlation_id')::uuid, nil);
    IF e ?| '{target_principal_id,target_principal_ids}' THEN
        t := fanfare.read_targets(e ->> 'target_principal_id', e -> 'target_principal_ids');
        o.valid := t.valid;
        o.target_principal_ids := t.targets;
    END IF;
    IF e ?| '{owner_id,parent_id,occurred_at}' THEN
        o.owner_id  := nullif((e ->> 'owner_id')::uuid, nil);
        o.parent_id := nullif((e ->> 'parent_id')::uuid, nil);
        IF fanfare.is_time(e ->> 'occurred_at') THEN
            o.occurred_at := e ->> 'occurred_at';
        END IF;
        o.valid := o.valid AND (
            e ->> 'occurred_at' IS NULL
            OR coalesce(o.occurred_at BETWEEN '0001-01-01 00:00:00Z' AND '9999-12-31 23:59:59.999999Z', false));
    END IF;
    IF e ?| '{status,traceparent}' THEN
        o.status      := e ->> 'status';
        o.traceparent := e ->> 'traceparent';
        o.valid := o.valid
            AND coalesce(o.status IN ('success', 'failure'), true)
            AND coalesce(o.traceparent ~ '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$', true);
    END IF;
    IF e ?| '{resource_name,message,request_id,user_agent}' THEN
        o.resource_name := fanfare.redact_text(e ->> 'resource_name', 500);
        o.message       := fanfare.redact_text(e ->> 'message', 4000);
        o.request_id    := fanfare.redact_text(e ->> 'request_id', 200);
        o.user_agent    := fanfare.redact_text(e ->> 'user_agent', 500);
    END IF;
    IF e -> 'delivery_channels' <> 'null' THEN
        o.delivery_channels := fanfare.read_channels(e -> 'delivery_channels', tenant);
        o.valid := o.valid AND o.delivery_channels IS NOT NULL;
    END IF;
    IF e ->> 'ip' IS NOT NULL THEN
        h := fanfare.hash_ip(e ->> 'ip');
        o.ip_key_id := h.key_id;
        o.ip_hash := h.hash;
        o.valid := o.valid AND h.hash IS NOT NULL;
    END IF;
    RETURN o;
EXCEPTION WHEN data_exception THEN
    o.valid := false;
    RETURN o;
END
$$;

-- Returns the actions that Fanfare itself records. They are accepted without a row in the taxonomy,
-- so that no taxonomy, and none that an earlier version has applied, refuses them.
CREATE FUNCTION fanfare.builtin_actions() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ('{activity.redacted,daemon.started,daemon.stopping,log.exported,notification.tested,'
        'outbox.discarded,outbox.replayed,preferences.changed,retention.changed,'
        'retention.hold_placed,retention.hold_released,retention.purged,subscription.created,'
        'subscription.revoked,taxonomy.applied,taxonomy.enforcement_changed,tenant.cleared,'
        'tenant.moved,token.created,token.revoked}')::text[];

-- Returns the first rule of the taxonomy that an activity with a redacted payload violates, or that
-- the payload has more than max_bytes bytes; nulls if there is no violation.
CREATE FUNCTION fanfare.taxonomy_violation(
    action text, payload jsonb, max_bytes int,
    OUT field text, OUT value text, OUT rule text, OUT code text
)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    t    fanfare.taxonomy;
    size CONSTANT int := octet_length(payload::text);
BEGIN
    IF size <= max_bytes THEN
        SELECT * INTO t FROM fanfare.taxonomy AS x WHERE x.action = action;
        IF t.action IS NULL AND action = ANY (fanfare.builtin_actions()) THEN
            RETURN;
        END IF;
        IF t.action IS NULL THEN
            field := 'action';
            value := action;
            rule := 'is not registered in the taxonomy';
            code := 'invalid_parameter_value';
            RETURN;
        END IF;
        SELECT 'payload.' || left(k, 100), 'is required by ' || action, 'not_null_violation'
        INTO field, rule, code
        FROM unnest(t.required_keys) WITH ORDINALITY AS u(k, n)
        WHERE NOT payload ? k
        ORDER BY n
        LIMIT 1;
        IF field IS NOT NULL OR coalesce(size <= t.max_payload_bytes, true) THEN
            RETURN;
        END IF;
        max_bytes := t.max_payload_bytes;
    END IF;
    field := 'payload';
    value := size || ' bytes';
    rule := format('must be at most %s bytes', max_bytes);
    code := 'program_limit_exceeded';
END
$$;

-- Returns the rule that the principals which an envelope addresses violate; nulls if there is no
-- violation.
CREATE FUNCTION fanfare.targets_violation(one text, more jsonb, OUT value text, OUT rule text)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    valid   boolean;
    targets uuid[];
BEGIN
    SELECT t.valid, t.targets INTO valid, targets FROM fanfare.read_targets(one, more) AS t;
    IF valid THEN
        RETURN;
    END IF;
    IF jsonb_typeof(more) <> 'array' THEN
        value := jsonb_typeof(more);
        rule := 'must be a list of UUIDs';
    ELSIF jsonb_array_length(more) > 32 OR targets IS NOT NULL THEN
        value := greatest(jsonb_array_length(more), cardinality(targets)) || ' principals';
        rule := 'must be at most 32 principals';
    ELSE
        rule := 'must be a list of UUIDs';
    END IF;
EXCEPTION WHEN data_exception THEN
    rule := 'must be a list of UUIDs';
    FOR value IN SELECT jsonb_array_elements_text(more) LOOP
        BEGIN
            PERFORM value::uuid;
        EXCEPTION WHEN data_exception THEN
            value := fanfare.redact_text(value, 100);
            RETURN;
        END;
    END LOOP;
END
$$;

-- Returns the first rule that an envelope violates, in this order; nulls if there is no violation.
-- "existing" says that the activity exists already: it was recorded under the taxonomy of its time,
-- so the present taxonomy is not applied.
CREATE FUNCTION fanfare.envelope_violation(
    e jsonb, existing boolean,
    OUT field text, OUT value text, OUT rule text, OUT code text
)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    nil   CONSTANT uuid := '00000000-0000-0000-0000-000000000000'; -- the same as no value
    given jsonb;
    mode  text;
BEGIN
    code := 'invalid_parameter_value';
    IF e IS NULL OR jsonb_typeof(e) <> 'object' THEN
        field := 'envelope';
        value := jsonb_typeof(e);
        rule := 'must be a JSON object';
        RETURN;
    END IF;
    IF pg_column_size(e) > 65536 AND (SELECT count(*) FROM (SELECT jsonb_object_keys(e) LIMIT 24) AS k) > 23 THEN
        SELECT fanfare.redact_text(min(k), 100), 'is not a field of the envelope'
        INTO field, rule
        FROM (SELECT jsonb_object_keys(e) AS k LIMIT 24) AS first
        WHERE k <> ALL (fanfare.envelope_fields());
        RETURN;
    END IF;
    IF e - fanfare.envelope_fields() <> '{}' THEN
        SELECT fanfare.redact_text(min(k), 100), 'is not a field of the envelope'
        INTO field, rule
        FROM jsonb_object_keys(e - fanfare.envelope_fields()) AS k;
        RETURN;
    END IF;
    SELECT k, jsonb_typeof(v), 'must be a string'
    INTO field, value, rule
    FROM jsonb_each(e - '{payload,delivery_channels,target_principal_ids}'::text[]) AS t(k, v)
    WHERE jsonb_typeof(v) NOT IN ('string', 'null')
    ORDER BY k
    LIMIT 1;
    IF field IS NOT NULL THEN
        RETURN;
    END IF;

    FOREACH field IN ARRAY
        '{tenant_id,actor_principal_id,resource_id,correlation_id,target_principal_id,owner_id,parent_id}'::text[]
    LOOP
        BEGIN
            PERFORM (e ->> field)::uuid;
        EXCEPTION WHEN data_exception THEN
            value := fanfare.redact_text(e ->> field, 100);
            rule := 'must be a UUID';
            RETURN;
        END;
    END LOOP;
    SELECT x.value, x.rule INTO value, rule
    FROM fanfare.targets_violation(e ->> 'target_principal_id', e -> 'target_principal_ids') AS x;
    IF rule IS NOT NULL THEN
        field := 'target_principal_ids';
        RETURN;
    END IF;
    IF e ->> 'ip' IS NOT NULL AND (SELECT h.hash IS NULL FROM fanfare.hash_ip(e ->> 'ip') AS h) THEN
        field := 'ip';
        rule := 'must be an IPv4 or IPv6 address';
        RETURN;
    END IF;
    field := 'occurred_at';
    BEGIN
        IF NOT fanfare.is_time(e ->> field) THEN
            RAISE invalid_datetime_format;
        END IF;
        rule := CASE
            WHEN (e ->> field)::timestamptz NOT BETWEEN '0001-01-01 00:00:00Z' AND '9999-12-31 23:59:59.999999Z'
            THEN 'must be in the years 0001 to 9999'
        END;
    EXCEPTION WHEN data_exception THEN
        value := fanfare.redact_text(e ->> field, 100);
        rule := 'must be a time with a zone, such as 2026-01-02T15:04:05Z';
        RETURN;
    END;

    field := CASE
        WHEN coalesce((e ->> 'tenant_id')::uuid, nil) = nil THEN 'tenant_id'
        WHEN coalesce((e ->> 'actor_principal_id')::uuid, nil) = nil THEN 'actor_principal_id'
        WHEN coalesce((e ->> 'resource_id')::uuid, nil) = nil THEN 'resource_id'
        WHEN e ->> 'resource_type' IS NULL THEN 'resource_type'
        WHEN e ->> 'action' IS NULL THEN 'action'
    END;
    IF field IS NOT NULL THEN
        rule := 'is required';
        code := 'not_null_violation';
        RETURN;
    END IF;
    IF octet_length(e ->> 'resource_type') > 400 OR length(e ->> 'resource_type') NOT BETWEEN 1 AND 100 THEN
        field := 'resource_type';
        rule := 'must be 1 to 100 characters';
    ELSIF octet_length(e ->> 'action') NOT BETWEEN 3 AND 100 OR e ->> 'action' !~ '^[a-z0-9_]+([.][a-z0-9_]+)+$' THEN
        field := 'action';
        rule := 'must be 3 to 100 characters, <resource>.<verb>: words of a-z, 0-9 and _ with at least one dot';
    ELSIF e ->> 'visibility' NOT IN ('private', 'resource', 'scope', 'tenant') THEN
        field := 'visibility';
        rule := 'must be one of private, resource, scope, tenant';
    ELSIF e ->> 'status' NOT IN ('success', 'failure') THEN
        field := 'status';
        rule := 'must be one of success, failure';
    ELSIF e ->> 'severity' NOT IN ('info', 'warning', 'error', 'critical') THEN
        field := 'severity';
        rule := 'must be one of info, warning, error, critical';
    ELSIF length(e ->> 'category') NOT BETWEEN 1 AND 100 THEN
        field := 'category';
        rule := 'must be 1 to 100 characters';
    ELSIF e ->> 'traceparent' !~ '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$' THEN
        field := 'traceparent';
        rule := 'must be a W3C traceparent';
    ELSIF rule IS NOT NULL THEN
        field := 'occurred_at';
    END IF;
    IF field IS NOT NULL THEN
        value := fanfare.redact_text(e ->> field, 100);
        RETURN;
    END IF;
    -- The application's code chooses these, but it may compose them of a user's input.
    SELECT f INTO field
    FROM unnest('{resource_type,action,category}'::text[]) WITH ORDINALITY AS u(f, n)
    WHERE fanfare.contains_secret(e ->> f)
    ORDER BY n
    LIMIT 1;
    IF field IS NOT NULL THEN
        rule := 'must not contain a secret';
        RETURN;
    END IF;

    given := coalesce(nullif(e -> 'payload', 'null'), '{}');
    IF jsonb_typeof(given) <> 'object' THEN
        field := 'payload';
        value := jsonb_typeof(given);
        rule := 'must be a JSON object';
        RETURN;
    END IF;
    SELECT x.value, x.rule INTO value, rule FROM fanfare.payload_excess(given) AS x;
    IF rule IS NOT NULL THEN
        field := 'payload';
        code := 'program_limit_exceeded';
        RETURN;
    END IF;
    IF jsonb_typeof(e -> 'delivery_channels') <> 'null'
        AND fanfare.read_channels(e -> 'delivery_channels', (e ->> 'tenant_id')::uuid) IS NULL
    THEN
        field := 'delivery_channels';
        IF jsonb_typeof(e -> field) <> 'array' OR e -> field @? 'strict $[*] ? (@.type() != "string")' THEN
            value := jsonb_typeof(e -> field);
            rule := 'must be a list of strings';
        ELSIF jsonb_array_length(e -> field) > 32 THEN
            value := jsonb_array_length(e -> field) || ' channels';
            rule := 'must be at most 32 channels';
        ELSE
            SELECT
                fanfare.redact_text(c, 100),
                CASE
                    WHEN octet_length(c) <= 255 AND fanfare.contains_secret(c) THEN 'must not contain a secret'
                    ELSE 'must be user, resource, tenant, or <namespace>:<tenant_id>.<rest> of the same tenant: '
                        'at most 255 printable ASCII characters, in a namespace of its own'
                END
            INTO value, rule
            FROM jsonb_array_elements_text(e -> field) WITH ORDINALITY AS t(c, n)
            WHERE NOT fanfare.is_channel(c, (e ->> 'tenant_id')::uuid)
            ORDER BY n
            LIMIT 1;
        END IF;
        RETURN;
    END IF;

    mode := fanfare.enforcement_of((e ->> 'tenant_id')::uuid);
    SELECT v.field, v.value, v.rule, v.code
    INTO field, value, rule, code
    FROM fanfare.taxonomy_violation(
        e ->> 'action',
        fanfare.redact_payload(
            e ->> 'action',
            e ->> 'resource_type',
            given,
            (SELECT t.allowed_keys FROM fanfare.taxonomy AS t WHERE t.action = e ->> 'action')),
        fanfare.max_payload_bytes()
    ) AS v;
    IF (existing OR mode <> 'strict')
        AND rule IS DISTINCT FROM format('must be at most %s bytes', fanfare.max_payload_bytes())
    THEN
        field := NULL;
        value := NULL;
        rule := NULL;
        code := NULL;
    END IF;
END
$$;

REVOKE ALL ON FUNCTION
    fanfare.envelope_fields,
    fanfare.max_payload_parts,
    fanfare.is_oversized,
    fanfare.too_deep,
    fanfare.payload_excess,
    fanfare.exceeds_bounds,
    fanfare.is_time,
    fanfare.is_channel,
    fanfare.read_channels,
    fanfare.read_targets,
    fanfare.read_options,
    fanfare.builtin_actions,
    fanfare.taxonomy_violation,
    fanfare.targets_violation,
    fanfare.envelope_violation
FROM PUBLIC;

---- create above / drop below ----

DROP FUNCTION fanfare.envelope_violation;
DROP FUNCTION fanfare.targets_violation;
DROP FUNCTION fanfare.taxonomy_violation;
DROP FUNCTION fanfare.builtin_actions;
DROP FUNCTION fanfare.read_options;
DROP TYPE fanfare.envelope_options;
DROP FUNCTION fanfare.read_targets;
DROP FUNCTION fanfare.read_channels;
DROP FUNCTION fanfare.is_channel;
DROP FUNCTION fanfare.is_time;
DROP FUNCTION fanfare.exceeds_bounds;
DROP FUNCTION fanfare.payload_excess;
DROP FUNCTION fanfare.too_deep;
DROP FUNCTION fanfare.is_oversized;
DROP FUNCTION fanfare.max_payload_parts;
DROP FUNCTION fanfare.envelope_fields;
