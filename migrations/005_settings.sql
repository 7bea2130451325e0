-- The settings of recording, for the installation and for tenants.

CREATE TABLE fanfare.settings (
    only_row          boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    max_payload_bytes int     NOT NULL DEFAULT 65536 CHECK (max_payload_bytes BETWEEN 2 AND 1048576),
    -- What happens to an activity that violates the taxonomy: nothing (off), it is recorded with a
    -- warning (warn), or it is refused (strict).
    enforcement       text    NOT NULL DEFAULT 'off' CHECK (enforcement IN ('off', 'warn', 'strict')),
    -- Keys of payloads whose values are redacted, in lower case, in addition to those that
    -- fanfare.names_secret finds.
    secret_keys       text[]  NOT NULL DEFAULT '{}'
        CHECK (array_position(secret_keys, NULL) IS NULL AND secret_keys::text = lower(secret_keys::text COLLATE "C"))
);

-- The enforcement of the taxonomy for tenants that differ from the installation.
CREATE TABLE fanfare.enforcement (
    tenant_id  uuid        PRIMARY KEY,
    mode       text        NOT NULL CHECK (mode IN ('off', 'warn', 'strict')),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Publishes the settings as the functions max_payload_bytes, secret_keys and enforcement_of. Plans
-- of recording contain them as constants, and enforcement_of reads the table of tenants only while
-- it has rows; then it is PL/pgSQL, which keeps the plan of its query. The functions change in the
-- transaction that changes the settings, which invalidates plans that have inlined them. They are
-- STABLE, since a call of an IMMUTABLE function is evaluated instead of inlined, and a plan with
-- its result is not invalidated.
CREATE FUNCTION fanfare.publish_settings() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    s fanfare.settings;
BEGIN
    -- An update rather than a lock: a transaction that does not see the latest change, as under
    -- REPEATABLE READ, fails.
    UPDATE fanfare.settings SET only_row = only_row RETURNING * INTO s;
    EXECUTE format(
        'CREATE OR REPLACE FUNCTION fanfare.max_payload_bytes() RETURNS int
            LANGUAGE sql STABLE PARALLEL SAFE
            RETURN %s',
        s.max_payload_bytes);
    EXECUTE format(
        'CREATE OR REPLACE FUNCTION fanfare.secret_keys() RETURNS text[]
            LANGUAGE sql STABLE PARALLEL SAFE
            RETURN %L::text[]',
        s.secret_keys);
    EXECUTE format(
        CASE WHEN EXISTS (SELECT FROM fanfare.enforcement) THEN
            'CREATE OR REPLACE FUNCTION fanfare.enforcement_of(tenant uuid) RETURNS text
                LANGUAGE plpgsql STABLE PARALLEL SAFE AS $f$
                BEGIN
                    RETURN coalesce((SELECT f.mode FROM fanfare.enforcement AS f WHERE f.tenant_id = tenant), %L);
                END
                $f$'
        ELSE
            'CREATE OR REPLACE FUNCTION fanfare.enforcement_of(tenant uuid) RETURNS text
                LANGUAGE sql STABLE PARALLEL SAFE
                RETURN %L::text'
        END,
        s.enforcement);
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION fanfare.publish_settings FROM PUBLIC;

CREATE TRIGGER published
    AFTER INSERT OR UPDATE OF max_payload_bytes, enforcement, secret_keys ON fanfare.settings
    FOR EACH STATEMENT EXECUTE FUNCTION fanfare.publish_settings();
CREATE TRIGGER published
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON fanfare.enforcement
    FOR EACH STATEMENT EXECUTE FUNCTION fanfare.publish_settings();

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
