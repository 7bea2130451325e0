-- Roles and their access to the schema.
--
-- fanfare_writer is granted to the roles of services: its members may record activities, and have
-- no access to tables. fanfare_retention owns the functions that change or remove recorded
-- activities; it cannot log in.
--
-- Roles belong to the cluster, so they exist already if another database of the cluster has
-- Fanfare's schema.
DO $$
DECLARE
    needed text;
BEGIN
    FOREACH needed IN ARRAY ARRAY['fanfare_writer', 'fanfare_retention'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = needed) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', needed);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- another session created it
            END;
        END IF;
        -- Since PostgreSQL 16, the creator of a role is a member of it without the SET option.
        IF NOT pg_has_role(
            current_user, needed,
            CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END
        ) THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', needed);
        END IF;
    END LOOP;
END
$$;

GRANT USAGE ON SCHEMA fanfare TO fanfare_writer, fanfare_retention;

---- create above / drop below ----

REVOKE ALL ON SCHEMA fanfare FROM fanfare_writer, fanfare_retention;
-- A role that another database of the cluster uses is not dropped.
DO $$
DECLARE
    unneeded text;
BEGIN
    FOREACH unneeded IN ARRAY ARRAY['fanfare_writer', 'fanfare_retention'] LOOP
        BEGIN
            EXECUTE format('DROP ROLE IF EXISTS %I', unneeded);
        EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege OR object_in_use THEN
            NULL;
        END;
    END LOOP;
END
$$;
