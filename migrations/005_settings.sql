CREATE TABLE fanfare.settings (
    only_row          boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    max_payload_bytes int     NOT NULL DEFAULT 65536 CHECK (max_payload_bytes BETWEEN 2 AND 1048576),
    enforcement       text    NOT NULL DEFAULT 'off' CHECK (enforcement IN ('off', 'warn', 'strict')), -- of the taxonomy
    secret_keys       text[]  NOT NULL DEFAULT '{}' -- names of payload keys, in lower case, whose values are not kept, beside those of names_secret
        CHECK (array_position(secret_keys, NULL) IS NULL AND secret_keys::text = lower(secret_keys::text COLLATE "C"))
);

-- What happens to an activity that breaks the taxonomy: nothing (off), a note on it (warn), or a
-- refusal (strict). A tenant without a row has the installation's mode,
-- fanfare.settings.enforcement.
CREATE TABLE fanfare.enforcement (
    tenant_id  uuid        PRIMARY KEY,
    mode       text        NOT NULL CHECK (mode IN ('off', 'warn', 'strict')),
    updated_at timestamptz NOT NULL DEFAULT now()
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

REVOKE ALL ON FUNCTION fanfare.publish_settings FROM PUBLIC;

INSERT INTO fanfare.settings DEFAULT VALUES;

REVOKE ALL ON FUNCTION
    fanfare.max_payload_bytes,
    fanfare.secret_keys,
    fanfare.enforcement_of
FROM PUBLIC;

---- create above / drop below ----

DROP TABLE fanfare.enforcement;
DROP TABLE fanfare.settings;
DROP FUNCTION fanfare.publish_settings;
DROP FUNCTION fanfare.enforcement_of;
DROP FUNCTION fanfare.secret_keys;
DROP FUNCTION fanfare.max_payload_bytes;
