-- Redaction of secrets, and the other rules by which an activity's contents are stored.

-- Reports whether the value of a name must not be stored. more_keys are further names of secrets,
-- in lower case.
CREATE FUNCTION fanfare.is_secret(name text, value jsonb, more_keys text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN fanfare.names_secret(name)
        OR lower(name COLLATE "C") = ANY (more_keys)
        OR fanfare.names_secret_text(name)
            AND CASE jsonb_typeof(value)
                WHEN 'string' THEN NOT fanfare.is_uuid(value #>> '{}')
                ELSE jsonb_typeof(value) IN ('object', 'array')
            END;

-- Returns a JSON value with its secrets replaced by "[redacted]", at any depth: the value of a key
-- that names a secret, a string that contains one, and a key that contains one together with its
-- value. A name beside its value counts as a key: in an object with members such as "name" and
-- "value"; and in a list of two, if it is an element of a list, such as a list of headers, or
-- unless its second element is a word as well, as in a list of changed fields. more_keys are
-- further keys that name a secret, in lower case.
CREATE FUNCTION fanfare.redact_json(value jsonb, more_keys text[], in_list boolean DEFAULT false) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    names text[]; -- those in the object whose value may be beside them
BEGIN
    CASE jsonb_typeof(value)
    WHEN 'object' THEN
        names := ARRAY(
            SELECT v #>> '{}'
            FROM jsonb_each(value) AS e(k, v)
            WHERE jsonb_typeof(v) = 'string'
                AND fanfare.is_pair_name(k)
                AND (more_keys <> '{}' OR fanfare.may_contain_secret(v #>> '{}'))
                AND NOT fanfare.is_secret(k, v, more_keys));
        RETURN coalesce((
            SELECT jsonb_object_agg(
                CASE WHEN m.contains THEN '[redacted]' ELSE m.k END,
                CASE
                    WHEN m.contains OR m.secret THEN '"[redacted]"'
                    WHEN jsonb_typeof(m.v) IN ('object', 'array', 'string') THEN fanfare.redact_json(m.v, more_keys)
                    ELSE m.v
                END
                ORDER BY m.contains) -- of equal keys, the last is stored
            FROM (
                SELECT
                    e.k,
                    e.v,
                    h.hint AND fanfare.contains_secret(e.k) AS contains,
                    (h.hint OR more_keys <> '{}') AND fanfare.is_secret(e.k, e.v, more_keys)
                        OR names <> '{}'
                            AND fanfare.is_pair_value(e.k)
                            AND (SELECT bool_or(fanfare.is_secret(n, e.v, more_keys)) FROM unnest(names) AS n) AS secret
                FROM jsonb_each(value) AS e(k, v)
                CROSS JOIN LATERAL (SELECT fanfare.may_contain_secret(e.k) AS hint OFFSET 0) AS h
                OFFSET 0
            ) AS m), '{}');
    WHEN 'array' THEN
        IF jsonb_array_length(value) = 2
            AND jsonb_typeof(value -> 0) = 'string'
            AND fanfare.is_secret(value ->> 0, value -> 1, more_keys)
            AND (in_list OR jsonb_typeof(value -> 1) <> 'string' OR NOT fanfare.is_word(value ->> 1))
        THEN
            RETURN jsonb_build_array(fanfare.redact_json(value -> 0, more_keys, true), '[redacted]');
        END IF;
        RETURN coalesce((
            SELECT jsonb_agg(
                CASE
                    WHEN jsonb_typeof(v) IN ('object', 'array', 'string') THEN fanfare.redact_json(v, more_keys, true)
                    ELSE v
                END
                ORDER BY n)
            FROM jsonb_array_elements(value) WITH ORDINALITY AS e(v, n)), '[]');
    WHEN 'string' THEN
        IF fanfare.may_contain_secret(value #>> '{}') AND fanfare.contains_secret(value #>> '{}') THEN
            RETURN '"[redacted]"';
        END IF;
        RETURN value;
    ELSE
        RETURN value;
    END CASE;
END
$$;

-- Returns a text as it may be stored, or be repeated in an error: the first max_length characters,
-- or [redacted] if they contain a secret, which may end up to 1,000 characters behind them. The
-- rest is not read.
CREATE FUNCTION fanfare.redact_text(value text, max_length int) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN fanfare.may_contain_secret(left(value, max_length + 1000))
            AND fanfare.contains_secret(left(value, max_length + 1000)) THEN '[redacted]'
        ELSE left(value, max_length)
    END;

-- Returns a payload as it is stored: redacted, and without the keys of its first level that the
-- taxonomy does not allow; allowed_keys is null if it allows all. Returns null if the action or the
-- type of the resource contains a secret: they cannot be redacted, and refuse the activity.
CREATE FUNCTION fanfare.redact_payload(action text, resource_type text, payload jsonb, allowed_keys text[])
    RETURNS jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
    -- Planning redact_json again for each value would take longer than executing it.
    SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF fanfare.contains_secret(action) OR fanfare.contains_secret(resource_type) THEN
        RETURN NULL;
    END IF;
    IF jsonb_typeof(payload) <> 'object' THEN
        RETURN payload;
    END IF;
    IF fanfare.may_contain_secret(payload::text) OR fanfare.secret_keys() <> '{}' THEN
        payload := fanfare.redact_json(payload, fanfare.secret_keys());
    END IF;
    IF allowed_keys IS NOT NULL AND payload - allowed_keys <> '{}' THEN
        payload := (
            SELECT coalesce(jsonb_object_agg(k, v), '{}')
            FROM jsonb_each(payload) AS p(k, v)
            WHERE k = ANY (allowed_keys)
        );
    END IF;
    RETURN payload;
END
$$;

REVOKE ALL ON FUNCTION
    fanfare.is_secret,
    fanfare.redact_json,
    fanfare.redact_text,
    fanfare.redact_payload
FROM PUBLIC;

---- create above / drop below ----

DROP FUNCTION fanfare.redact_payload;
DROP FUNCTION fanfare.redact_text;
DROP FUNCTION fanfare.redact_json;
DROP FUNCTION fanfare.is_secret;
