-- The names of Fanfare's roles. Roles belong to the cluster, so each database has a prefix of its
-- own: a member of a role of one database has no right in another. The prefix is recorded as a
-- function, which a dump contains.
--
-- <prefix>_writer is granted to the roles of services: its members may record activities, and have
-- no access to tables. <prefix>_retention owns the functions that change or remove recorded
-- activities, and <prefix>_directory those that read the directory; they cannot log in. The roles,
-- the owners of functions and the grants are in rights.go, which also mends them where a restored
-- dump lacks them.
--
-- The first statement gives the table of versions a key, as every table has one: without it, a
-- publication for all tables would not permit an update. Programs whose last migration is before
-- oldest_program do not work with the schema; migrations set it (see compatibility.go).
ALTER TABLE fanfare.schema_version
    ADD CONSTRAINT schema_version_pkey PRIMARY KEY (version),
    ADD COLUMN oldest_program int NOT NULL DEFAULT 0;

DO $$
BEGIN
    EXECUTE format(
        'CREATE FUNCTION fanfare.role_prefix() RETURNS text
            LANGUAGE sql IMMUTABLE PARALLEL SAFE
            RETURN %L::text',
        coalesce(nullif(current_setting('fanfare.role_prefix', true), ''), 'fanfare'));
END
$$;

CREATE FUNCTION fanfare.role_of_writers() RETURNS name
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (fanfare.role_prefix() || '_writer')::name;

CREATE FUNCTION fanfare.role_of_retention() RETURNS name
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (fanfare.role_prefix() || '_retention')::name;

CREATE FUNCTION fanfare.role_of_directory() RETURNS name
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (fanfare.role_prefix() || '_directory')::name;

---- create above / drop below ----

-- A role that another database of the cluster uses is not dropped.
DO $$
DECLARE
    unneeded name;
BEGIN
    FOREACH unneeded IN ARRAY ARRAY[
        fanfare.role_of_writers(), fanfare.role_of_retention(), fanfare.role_of_directory()
    ] LOOP
        BEGIN
            IF to_regrole(quote_ident(unneeded)) IS NOT NULL THEN
                EXECUTE format('REVOKE ALL ON SCHEMA fanfare FROM %I', unneeded);
                EXECUTE format('DROP ROLE %I', unneeded);
            END IF;
        EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege OR object_in_use THEN
            NULL;
        END;
    END LOOP;
END
$$;
ALTER TABLE fanfare.schema_version DROP CONSTRAINT schema_version_pkey, DROP COLUMN oldest_program;
DROP FUNCTION fanfare.role_of_directory;
DROP FUNCTION fanfare.role_of_retention;
DROP FUNCTION fanfare.role_of_writers;
DROP FUNCTION fanfare.role_prefix;
