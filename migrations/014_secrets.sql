-- The same JSON with what names or looks like a secret replaced, at any depth; more are further
-- keys, in lower case.
CREATE FUNCTION fanfare.redact_json(value jsonb, more text[]) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    CASE jsonb_typeof(value)
    WHEN 'object' THEN
        RETURN coalesce((
            SELECT jsonb_object_agg(
                CASE WHEN fanfare.contains_secret(k) THEN '[redacted]' ELSE k END,
                CASE WHEN fanfare.names_secret(k) OR fanfare.contains_secret(k) OR lower(k COLLATE "C") = ANY (more) THEN '"[redacted]"' ELSE fanfare.redact_json(v, more) END
                ORDER BY fanfare.contains_secret(k)) -- of keys that are the same now, the last counts
            FROM jsonb_each(value) AS e(k, v)), '{}');
    WHEN 'array' THEN
        RETURN coalesce((
            SELECT jsonb_agg(fanfare.redact_json(v, more) ORDER BY n)
            FROM jsonb_array_elements(value) WITH ORDINALITY AS e(v, n)), '[]');
    WHEN 'string' THEN
        RETURN CASE WHEN fanfare.contains_secret(value #>> '{}') THEN '"[redacted]"' ELSE value END;
    ELSE
        RETURN value;
    END CASE;
END
$$;

-- A text as it may be kept, or repeated in an error: cut, and not if it holds a secret.
CREATE FUNCTION fanfare.kept_text(value text, most int) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN fanfare.may_contain_secret(value) AND fanfare.contains_secret(value) THEN '[redacted]' ELSE left(value, most) END;

-- A payload as it may be kept: without its secrets, and of its first level what the taxonomy
-- allows, if it says so. Null if the action or the resource's type holds a secret, which is
-- refused: neither can be what it is and be redacted.
CREATE FUNCTION fanfare.kept_payload(action text, kind text, payload jsonb, allowed text[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF fanfare.contains_secret(action) OR fanfare.contains_secret(kind) THEN
        RETURN NULL;
    END IF;
    IF jsonb_typeof(payload) <> 'object' THEN
        RETURN payload;
    END IF;
    IF fanfare.may_contain_secret(payload::text) OR fanfare.secret_keys() <> '{}' THEN
        payload := fanfare.redact_json(payload, fanfare.secret_keys());
    END IF;
    IF allowed IS NOT NULL AND payload - allowed <> '{}' THEN
        payload := (SELECT coalesce(jsonb_object_agg(k, v), '{}') FROM jsonb_each(payload) AS p(k, v) WHERE k = ANY (allowed));
    END IF;
    RETURN payload;
END
$$;

REVOKE ALL ON FUNCTION
    fanfare.redact_json,
    fanfare.kept_text,
    fanfare.kept_payload
FROM PUBLIC;

---- create above / drop below ----

DROP FUNCTION fanfare.kept_payload;
DROP FUNCTION fanfare.kept_text;
DROP FUNCTION fanfare.redact_json;
