-- The log: what happened, in the order of its UUIDv7 ids, one partition a month.

-- Roles belong to the cluster, not to the database, so another database of it may have made them
-- already. fanfare_writer:    grant it to a service's role; it may record activities and touch
-- nothing else. fanfare_retention: nobody logs in as it; only functions it owns may change or
-- remove a recorded activity.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['fanfare_writer', 'fanfare_retention'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;
            END;
        END IF;
        -- Since version 16 whoever makes a role is its member without the right to act as it.
        IF NOT pg_has_role(current_user, wanted, CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END) THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
        END IF;
    END LOOP;
END
$$;

GRANT USAGE ON SCHEMA fanfare TO fanfare_writer, fanfare_retention;

---- create above / drop below ----

REVOKE ALL ON SCHEMA fanfare FROM fanfare_writer, fanfare_retention;
-- The roles stay while another database of the cluster uses them.
DO $$
DECLARE
    unwanted text;
BEGIN
    FOREACH unwanted IN ARRAY ARRAY['fanfare_writer', 'fanfare_retention'] LOOP
        BEGIN
            EXECUTE format('DROP ROLE IF EXISTS %I', unwanted);
        EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege OR object_in_use THEN
            NULL;
        END;
    END LOOP;
END
$$;
