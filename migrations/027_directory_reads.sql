-- Reading the directory. Its relations may be views of the application, and a view may call
-- functions, which have the rights of the role that reads. So nothing reads them but functions that
-- belong to <prefix>_directory, those of this file and of later ones that refer to it. The role may
-- read what these functions need, and nothing else.
--
-- A function of a view can change settings, for instance search_path, which the statements after it
-- would obey. So each of these functions but holders ends by undoing a subtransaction (SQLSTATE
-- FF004), which undoes everything but the rows that it returns.
--
-- A view may contain a row twice, a null, and a domain or an enumeration instead of uuid and text.
-- A cast to the type that a column has costs nothing. Every step from a row to the next is LATERAL
-- and has a LIMIT, which rules out plans that scan a table, whatever the statistics say.

-- What the directory says of a resource now; nulls if it does not contain it.
CREATE FUNCTION fanfare.resource_entry(
    of_tenant uuid, of_resource uuid, OUT known boolean, OUT owner_id uuid, OUT parent_id uuid, OUT resource_name text
)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    SELECT true, r.owner_principal_id, r.parent_id, left(r.name::text, 500)
    INTO known, owner_id, parent_id, resource_name
    FROM fanfare.resources AS r
    WHERE r.tenant_id = of_tenant AND r.id = of_resource LIMIT 1;
    RAISE SQLSTATE 'FF004';
EXCEPTION WHEN SQLSTATE 'FF004' THEN
    NULL;
END
$$;

-- The types of resources, without those that have none.
CREATE FUNCTION fanfare.resource_types(of_tenant uuid, of_resources uuid[])
    RETURNS TABLE (resource_id uuid, resource_type text)
    LANGUAGE plpgsql STABLE ROWS 100 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT u.id, r.resource_type
    FROM unnest(of_resources) AS u(id)
    CROSS JOIN LATERAL (
        SELECT left(r.type::text, 100) AS resource_type FROM fanfare.resources AS r
        WHERE r.tenant_id = of_tenant AND r.id = u.id AND r.type::text <> '' LIMIT 1
    ) AS r;
    RAISE SQLSTATE 'FF004';
EXCEPTION WHEN SQLSTATE 'FF004' THEN
    NULL;
END
$$;

-- The kinds and names of principals, without those that the directory does not contain.
CREATE FUNCTION fanfare.principal_entries(of_tenants uuid[], of_principals uuid[])
    RETURNS TABLE (tenant_id uuid, principal_id uuid, kind text, display_name text)
    LANGUAGE plpgsql STABLE ROWS 100 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT u.tenant_id, u.id, p.kind, p.display_name
    FROM unnest(of_tenants, of_principals) AS u(tenant_id, id)
    CROSS JOIN LATERAL (
        SELECT coalesce(left(p.kind::text, 100), '') AS kind,
               coalesce(left(p.display_name::text, 500), '') AS display_name
        FROM fanfare.principals AS p
        WHERE p.tenant_id = u.tenant_id AND p.id = u.id LIMIT 1
    ) AS p;
    RAISE SQLSTATE 'FF004';
EXCEPTION WHEN SQLSTATE 'FF004' THEN
    NULL;
END
$$;

-- Whether no row of the directory marks a principal inactive.
CREATE FUNCTION fanfare.principal_is_active(of_tenant uuid, of_principal uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    active boolean;
BEGIN
    active := NOT EXISTS (
        SELECT FROM fanfare.principals AS p
        WHERE p.tenant_id = of_tenant AND p.id = of_principal AND NOT p.active);
    RAISE SQLSTATE 'FF004';
EXCEPTION WHEN SQLSTATE 'FF004' THEN
    RETURN active;
END
$$;

-- Those of a tenant's principals that are groups: that have members, or the kind group.
CREATE FUNCTION fanfare.known_groups(of_tenant uuid, of_principals uuid[]) RETURNS TABLE (group_id uuid)
    LANGUAGE plpgsql STABLE ROWS 100 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT u.id
    FROM unnest((SELECT of_principals)) AS u(id)
    WHERE EXISTS (
        SELECT FROM fanfare.memberships AS m WHERE m.tenant_id = of_tenant AND m.group_id = u.id
    ) OR EXISTS (
        SELECT FROM fanfare.principals AS p
        WHERE p.tenant_id = of_tenant AND p.id = u.id AND p.kind::text = 'group'
    );
    RAISE SQLSTATE 'FF004';
EXCEPTION WHEN SQLSTATE 'FF004' THEN
    NULL;
END
$$;

-- A principal and the groups that it belongs to, directly or as a member of groups in them, each
-- once: those whose roles are also its own. A group that nests deeper than max_nesting does not
-- count. PostgreSQL inlines the function into its callers, whose rights it has and whose
-- subtransaction undoes what a view does. A SET clause or SECURITY DEFINER would prevent that.
CREATE FUNCTION fanfare.holders(of_tenant uuid, of_principal uuid, max_nesting int)
    RETURNS SETOF uuid LANGUAGE sql STABLE ROWS 10 AS $$
    WITH RECURSIVE holder AS (
        SELECT of_principal AS id, 0 AS depth
        UNION
        SELECT m.group_id, h.depth + 1
        FROM holder AS h
        CROSS JOIN LATERAL (
            SELECT m.group_id::uuid FROM fanfare.memberships AS m
            WHERE m.tenant_id = of_tenant AND m.principal_id = h.id OFFSET 0
        ) AS m
        WHERE h.depth < max_nesting
    )
    SELECT DISTINCT h.id FROM holder AS h
$$;

-- The part of the tree above some resources, each resource once, with the roles that a principal
-- holds, directly or through groups. parents are used for resources that the directory does not
-- contain. Whether the principal holds a role below a resource is decided upwards from the
-- principal's roles, once, and only for the resources with scopes.
--
-- An inactive principal gets no row, any other principal at least one.
--
-- The arrays are parameters of a scalar subquery, so that their length does not raise the estimated
-- cost to the threshold of JIT compilation, which would take longer than the statement.
CREATE FUNCTION fanfare.tree_above(
    of_tenant uuid, of_principal uuid, of_resources uuid[], given_parents uuid[], scopes boolean[],
    max_depth int, max_nesting int
) RETURNS TABLE (
    resource_id uuid, found boolean, owner_id uuid, parent_id uuid, has_role boolean, is_delegator boolean,
    above_role boolean
)
    LANGUAGE plpgsql STABLE ROWS 100 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH RECURSIVE node AS (
        SELECT u.id, r.found IS NOT NULL AS found, r.owner_id, r.parent_id,
               CASE WHEN r.found THEN r.parent_id ELSE u.parent_id END AS up,
               0 AS level, u.scope AS scope, false AS scoped
        FROM unnest((SELECT of_resources), (SELECT given_parents), (SELECT scopes)) AS u(id, parent_id, scope)
        LEFT JOIN LATERAL (
            SELECT true AS found, r.owner_principal_id::uuid AS owner_id, r.parent_id::uuid FROM fanfare.resources AS r
            WHERE r.tenant_id = of_tenant AND r.id = u.id LIMIT 1
        ) AS r ON true
        UNION
        SELECT n.up, r.found IS NOT NULL, r.owner_id, r.parent_id, r.parent_id, n.level + 1, false, n.scope
        FROM node AS n
        LEFT JOIN LATERAL (
            SELECT true AS found, r.owner_principal_id::uuid AS owner_id, r.parent_id::uuid FROM fanfare.resources AS r
            WHERE r.tenant_id = of_tenant AND r.id = n.up LIMIT 1
        ) AS r ON true
        WHERE n.up IS NOT NULL AND n.level < max_depth
    ), held AS MATERIALIZED (
        SELECT b.id, bool_or(b.delegator) AS delegator
        FROM fanfare.holders(of_tenant, of_principal, max_nesting) AS h(id)
        CROSS JOIN LATERAL (
            SELECT b.scope_resource_id::uuid AS id, b.role_name::text IN ('owner', 'delegator') AS delegator
            FROM fanfare.role_bindings AS b
            WHERE b.tenant_id = of_tenant AND b.principal_id = h.id AND b.revoked_at IS NULL OFFSET 0
        ) AS b
        GROUP BY b.id
    ), above AS (
        SELECT h.id FROM held AS h
        UNION
        SELECT r.parent_id
        FROM above AS a
        CROSS JOIN LATERAL (
            SELECT r.parent_id::uuid FROM fanfare.resources AS r WHERE r.tenant_id = of_tenant AND r.id = a.id LIMIT 1
        ) AS r
        WHERE r.parent_id IS NOT NULL
    )
    SELECT n.id, coalesce(n.found, false), n.owner_id, n.parent_id, held.id IS NOT NULL,
           coalesce(held.delegator, false),
           CASE WHEN n.scoped THEN n.id IN (SELECT a.id FROM above AS a) ELSE false END
    FROM (
        SELECT WHERE NOT EXISTS (
            SELECT FROM fanfare.principals AS p WHERE p.tenant_id = of_tenant AND p.id = of_principal AND NOT p.active
        )
    ) AS active
    LEFT JOIN (
        SELECT id, found, owner_id, parent_id, bool_or(scoped) AS scoped FROM node
        GROUP BY id, found, owner_id, parent_id
    ) AS n ON true
    LEFT JOIN held ON held.id = n.id;
    RAISE SQLSTATE 'FF004';
EXCEPTION WHEN SQLSTATE 'FF004' THEN
    NULL;
END
$$;

REVOKE ALL ON FUNCTION
    fanfare.resource_entry,
    fanfare.resource_types,
    fanfare.principal_entries,
    fanfare.principal_is_active,
    fanfare.known_groups,
    fanfare.holders,
    fanfare.tree_above
FROM PUBLIC;

---- create above / drop below ----

DROP FUNCTION fanfare.tree_above;
DROP FUNCTION fanfare.holders;
DROP FUNCTION fanfare.known_groups;
DROP FUNCTION fanfare.principal_is_active;
DROP FUNCTION fanfare.principal_entries;
DROP FUNCTION fanfare.resource_types;
DROP FUNCTION fanfare.resource_entry;
