-- The directory: the principals, resources, role bindings and memberships of the host application,
-- which the worker reads. An application that has such tables replaces these relations by views
-- with the same names and columns, so no foreign key may refer to them.

CREATE TABLE fanfare.principals (
    id           uuid    NOT NULL,
    tenant_id    uuid    NOT NULL,
    kind         text    NOT NULL DEFAULT 'user',
    display_name text    NOT NULL DEFAULT '',
    active       boolean NOT NULL DEFAULT true,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE fanfare.resources (
    id                 uuid NOT NULL,
    tenant_id          uuid NOT NULL,
    parent_id          uuid,
    owner_principal_id uuid,
    type               text NOT NULL,
    name               text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX resources_parent ON fanfare.resources (tenant_id, parent_id);

CREATE TABLE fanfare.role_bindings (
    tenant_id         uuid NOT NULL,
    principal_id      uuid NOT NULL,
    scope_resource_id uuid NOT NULL,
    role_name         text NOT NULL,
    revoked_at        timestamptz,
    binding_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY -- for logical replication; not read
);
CREATE INDEX role_bindings_scope
    ON fanfare.role_bindings (tenant_id, scope_resource_id, role_name, principal_id)
    WHERE revoked_at IS NULL;
CREATE INDEX role_bindings_principal
    ON fanfare.role_bindings (tenant_id, principal_id, scope_resource_id)
    WHERE revoked_at IS NULL;
-- The planner must expect few role bindings of a resource, also if one resource has most of them.
ALTER TABLE fanfare.role_bindings ALTER COLUMN scope_resource_id SET (n_distinct = -1);

-- The members of groups: principals, and other groups. What a group holds, its members hold.
CREATE TABLE fanfare.memberships (
    tenant_id    uuid NOT NULL,
    group_id     uuid NOT NULL,
    principal_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, group_id, principal_id)
);
CREATE INDEX memberships_principal ON fanfare.memberships (tenant_id, principal_id, group_id);
-- The planner must expect few members of a group and few groups of a principal, also if one has
-- most of them.
ALTER TABLE fanfare.memberships ALTER COLUMN group_id SET (n_distinct = -1);
ALTER TABLE fanfare.memberships ALTER COLUMN principal_id SET (n_distinct = -1);

---- create above / drop below ----

-- Each of the four may be a view of the application by now. The application's tables are left
-- alone.
DO $$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        SELECT format(
            'DROP %s fanfare.%I',
            CASE relkind
                WHEN 'v' THEN 'VIEW'
                WHEN 'm' THEN 'MATERIALIZED VIEW'
                WHEN 'f' THEN 'FOREIGN TABLE'
                ELSE 'TABLE'
            END,
            relname
        )
        FROM pg_class
        WHERE relnamespace = 'fanfare'::regnamespace
          AND relname IN ('memberships', 'role_bindings', 'resources', 'principals')
    LOOP
        EXECUTE statement;
    END LOOP;
END
$$;
