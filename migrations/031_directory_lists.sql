-- Lists of the directory, for people who look for a resource or a principal. The functions belong
-- to <prefix>_directory; 027 explains it. Each reads a bounded number of rows in the order of an
-- index. A view of the application has its own indexes or none: then a list takes as long as the
-- view does, within the limit of a request.

-- The indexes of the lists, where the directory has its tables.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_class WHERE oid = 'fanfare.resources'::regclass AND relkind IN ('r', 'p')) THEN
        DROP INDEX IF EXISTS fanfare.resources_parent;
        CREATE INDEX resources_parent ON fanfare.resources (tenant_id, parent_id, id);
        CREATE INDEX resources_owner ON fanfare.resources (tenant_id, owner_principal_id, id)
            WHERE owner_principal_id IS NOT NULL;
    END IF;
END
$$;

-- The resources directly below another, or those below none, in the order of their ids.
CREATE FUNCTION fanfare.resource_children(of_tenant uuid, of_parent uuid, after_id uuid, max_rows int)
    RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE ROWS 100 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET enable_sort = off SET jit = off AS $$
BEGIN
    RETURN QUERY
    (
        SELECT DISTINCT r.id::uuid FROM fanfare.resources AS r
        WHERE r.tenant_id = of_tenant AND r.parent_id = of_parent AND r.id > after_id ORDER BY 1 LIMIT max_rows
    )
    UNION ALL
    (
        -- The index has this order; in the order of the id alone, the whole tenant would be read.
        SELECT x.id
        FROM (
            SELECT DISTINCT r.parent_id::uuid, r.id::uuid AS id FROM fanfare.resources AS r
            WHERE of_parent IS NULL AND r.tenant_id = of_tenant AND r.parent_id IS NULL AND r.id > after_id
            ORDER BY 1, 2 LIMIT max_rows
        ) AS x
    );
    RAISE SQLSTATE 'FF004';
EXCEPTION WHEN SQLSTATE 'FF004' THEN
    NULL;
END
$$;

-- The resources that a principal owns, or on which it holds a role, directly or through groups, in
-- the order of their ids. The directory may lack some of the latter.
CREATE FUNCTION fanfare.resources_held(
    of_tenant uuid, of_principal uuid, after_id uuid, max_rows int, max_nesting int
) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE ROWS 100 SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
    RETURN QUERY
    SELECT x.id
    FROM (
        SELECT b.id
        FROM fanfare.holders(of_tenant, of_principal, max_nesting) AS h(id)
        CROSS JOIN LATERAL (
            SELECT DISTINCT b.scope_resource_id::uuid AS id FROM fanfare.role_bindings AS b
            WHERE b.tenant_id = of_tenant AND b.principal_id = h.id AND b.revoked_at IS NULL
              AND b.scope_resource_id > after_id
            ORDER BY 1 LIMIT max_rows
        ) AS b
        UNION
        (
            SELECT DISTINCT r.id::uuid AS id FROM fanfare.resources AS r
            WHERE r.tenant_id = of_tenant AND r.owner_principal_id = of_principal AND r.id > after_id
            ORDER BY 1 LIMIT max_rows
        )
    ) AS x
    ORDER BY x.id
    LIMIT max_rows;
    RAISE SQLSTATE 'FF004';
EXCEPTION WHEN SQLSTATE 'FF004' THEN
    NULL;
END
$$;

-- Resources as a principal sees them, in the given order, without those that the directory does not
-- contain. all_below says of each whether the principal may see everything below it; of the others,
-- only children that it owns or holds a role on count.
CREATE FUNCTION fanfare.resource_rows(
    of_tenant uuid, of_principal uuid, of_resources uuid[], all_below boolean[], max_nesting int
) RETURNS TABLE (
    resource_id uuid, parent_id uuid, resource_type text, resource_name text, is_owner boolean, roles text[],
    has_children boolean
)
    LANGUAGE plpgsql STABLE ROWS 100 SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH holders AS MATERIALIZED (
        SELECT h.id FROM fanfare.holders(of_tenant, of_principal, max_nesting) AS h(id)
    ), parents AS MATERIALIZED (
        SELECT r.parent_id
        FROM (
            SELECT b.id
            FROM holders AS h
            CROSS JOIN LATERAL (
                SELECT b.scope_resource_id::uuid AS id FROM fanfare.role_bindings AS b
                WHERE b.tenant_id = of_tenant AND b.principal_id = h.id AND b.revoked_at IS NULL LIMIT 10000
            ) AS b
            LIMIT 10000
        ) AS b
        CROSS JOIN LATERAL (
            SELECT r.parent_id::uuid FROM fanfare.resources AS r
            WHERE r.tenant_id = of_tenant AND r.id = b.id AND r.parent_id IS NOT NULL LIMIT 1
        ) AS r
        UNION
        (
            SELECT r.parent_id::uuid FROM fanfare.resources AS r
            WHERE r.tenant_id = of_tenant AND r.owner_principal_id = of_principal AND r.parent_id IS NOT NULL
            LIMIT 10000
        )
    )
    SELECT u.id, r.parent_id, r.type, r.name, coalesce(r.owner_id = of_principal, false),
           ARRAY(
               SELECT DISTINCT b.role_name
               FROM holders AS h
               CROSS JOIN LATERAL (
                   SELECT left(b.role_name::text, 100) AS role_name FROM fanfare.role_bindings AS b
                   WHERE b.tenant_id = of_tenant AND b.principal_id = h.id AND b.scope_resource_id = u.id
                     AND b.revoked_at IS NULL LIMIT 20
               ) AS b
               ORDER BY 1 LIMIT 20
           ),
           CASE WHEN u.whole THEN EXISTS (
               SELECT FROM fanfare.resources AS c WHERE c.tenant_id = of_tenant AND c.parent_id = u.id
           ) ELSE u.id IN (SELECT p.parent_id FROM parents AS p) END
    FROM unnest((SELECT of_resources), (SELECT all_below)) WITH ORDINALITY AS u(id, whole, n)
    CROSS JOIN LATERAL (
        SELECT r.parent_id::uuid, r.owner_principal_id::uuid AS owner_id,
               coalesce(left(r.type::text, 100), '') AS type, coalesce(left(r.name::text, 500), '') AS name
        FROM fanfare.resources AS r
        WHERE r.tenant_id = of_tenant AND r.id = u.id LIMIT 1
    ) AS r
    ORDER BY u.n;
    RAISE SQLSTATE 'FF004';
EXCEPTION WHEN SQLSTATE 'FF004' THEN
    NULL;
END
$$;

-- The resources of a tenant whose names match a pattern, in the order of their ids, at most
-- max_rows, among the next max_read resources. stopped_at is the last of these if there may be more
-- and the page is not full. There is one row at least.
CREATE FUNCTION fanfare.resources_named(
    of_tenant uuid, pattern text, after_id uuid, max_rows int, max_read int
) RETURNS TABLE (resource_id uuid, stopped_at uuid)
    LANGUAGE plpgsql STABLE ROWS 100 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET enable_sort = off SET jit = off AS $$
BEGIN
    RETURN QUERY
    WITH scanned AS MATERIALIZED (
        SELECT r.id::uuid AS id, r.name::text COLLATE "default" AS name FROM fanfare.resources AS r
        WHERE r.tenant_id = of_tenant AND r.id > after_id ORDER BY r.id LIMIT max_read
    ), page AS MATERIALIZED (
        SELECT s.id FROM scanned AS s WHERE s.name ILIKE pattern LIMIT max_rows
    )
    SELECT p.id, stop.id
    FROM (SELECT) AS always
    LEFT JOIN page AS p ON true
    LEFT JOIN (
        SELECT s.id FROM scanned AS s WHERE (SELECT count(*) FROM page) < max_rows OFFSET max_read - 1 LIMIT 1
    ) AS stop ON true;
    RAISE SQLSTATE 'FF004';
EXCEPTION WHEN SQLSTATE 'FF004' THEN
    NULL;
END
$$;

-- The resources whose names match a pattern: those below a resource, at any depth; or without one,
-- those that a principal owns, and those on or below which it holds a role. At most max_rows, in
-- the order of their ids. complete is false if only the nearest max_visited were compared, level by
-- level. There is one row at least.
CREATE FUNCTION fanfare.resources_below(
    of_tenant uuid, of_principal uuid, below uuid, pattern text, after_id uuid, max_rows int, max_visited int,
    max_nesting int
) RETURNS TABLE (resource_id uuid, complete boolean)
    LANGUAGE plpgsql STABLE ROWS 100 SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
    RETURN QUERY
    WITH RECURSIVE walk AS (
        SELECT s.id, coalesce(below IS NULL AND (
                   SELECT r.name::text COLLATE "default" ILIKE pattern FROM fanfare.resources AS r
                   WHERE r.tenant_id = of_tenant AND r.id = s.id LIMIT 1
               ), false) AS hit
        FROM (
            SELECT below AS id WHERE below IS NOT NULL
            UNION
            SELECT b.id
            FROM fanfare.holders(of_tenant, CASE WHEN below IS NULL THEN of_principal END, max_nesting) AS h(id)
            CROSS JOIN LATERAL (
                SELECT DISTINCT b.scope_resource_id::uuid AS id FROM fanfare.role_bindings AS b
                WHERE b.tenant_id = of_tenant AND b.principal_id = h.id AND b.revoked_at IS NULL
                ORDER BY 1 LIMIT max_visited
            ) AS b
        ) AS s
        UNION
        SELECT c.id, c.hit
        FROM walk AS w
        CROSS JOIN LATERAL (
            SELECT r.id::uuid AS id, coalesce(r.name::text COLLATE "default" ILIKE pattern, false) AS hit
            FROM fanfare.resources AS r
            WHERE r.tenant_id = of_tenant AND r.parent_id = w.id ORDER BY r.id LIMIT max_visited
        ) AS c
    ), visited AS MATERIALIZED (
        SELECT w.id, w.hit FROM walk AS w LIMIT max_visited + 1
    ), owned AS MATERIALIZED (
        SELECT r.id::uuid AS id, coalesce(r.name::text COLLATE "default" ILIKE pattern, false) AS hit
        FROM fanfare.resources AS r
        WHERE below IS NULL AND r.tenant_id = of_tenant AND r.owner_principal_id = of_principal
        LIMIT max_visited + 1
    )
    SELECT f.id, greatest((SELECT count(*) FROM visited), (SELECT count(*) FROM owned)) <= max_visited
    FROM (SELECT) AS always
    LEFT JOIN (
        SELECT x.id
        FROM (
            SELECT v.id FROM visited AS v WHERE v.hit AND v.id IS DISTINCT FROM below
            UNION
            SELECT o.id FROM owned AS o WHERE o.hit
        ) AS x
        WHERE x.id > after_id
        ORDER BY x.id
        LIMIT max_rows
    ) AS f ON true
    ORDER BY f.id;
    RAISE SQLSTATE 'FF004';
EXCEPTION WHEN SQLSTATE 'FF004' THEN
    NULL;
END
$$;

-- The principals of some ids, without those that the directory does not contain. A principal is
-- inactive if any of its rows says so.
CREATE FUNCTION fanfare.principals_of(of_tenant uuid, of_principals uuid[])
    RETURNS TABLE (principal_id uuid, kind text, display_name text, active boolean)
    LANGUAGE plpgsql STABLE ROWS 100 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT u.id, p.kind, p.display_name, NOT EXISTS (
               SELECT FROM fanfare.principals AS p WHERE p.tenant_id = of_tenant AND p.id = u.id AND NOT p.active
           )
    FROM unnest((SELECT of_principals)) WITH ORDINALITY AS u(id, n)
    CROSS JOIN LATERAL (
        SELECT coalesce(left(p.kind::text, 100), '') AS kind,
               coalesce(left(p.display_name::text, 500), '') AS display_name
        FROM fanfare.principals AS p
        WHERE p.tenant_id = of_tenant AND p.id = u.id LIMIT 1
    ) AS p
    ORDER BY u.n;
    RAISE SQLSTATE 'FF004';
EXCEPTION WHEN SQLSTATE 'FF004' THEN
    NULL;
END
$$;

-- The principals of a tenant whose names match a pattern, as fanfare.resources_named.
CREATE FUNCTION fanfare.principals_named(
    of_tenant uuid, pattern text, after_id uuid, max_rows int, max_read int
) RETURNS TABLE (principal_id uuid, stopped_at uuid)
    LANGUAGE plpgsql STABLE ROWS 100 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET enable_sort = off SET jit = off AS $$
BEGIN
    RETURN QUERY
    WITH scanned AS MATERIALIZED (
        SELECT p.id::uuid AS id, coalesce(p.display_name::text, '') COLLATE "default" AS name
        FROM fanfare.principals AS p
        WHERE p.tenant_id = of_tenant AND p.id > after_id ORDER BY p.id LIMIT max_read
    ), page AS MATERIALIZED (
        SELECT s.id FROM scanned AS s WHERE s.name ILIKE pattern LIMIT max_rows
    )
    SELECT p.id, stop.id
    FROM (SELECT) AS always
    LEFT JOIN page AS p ON true
    LEFT JOIN (
        SELECT s.id FROM scanned AS s WHERE (SELECT count(*) FROM page) < max_rows OFFSET max_read - 1 LIMIT 1
    ) AS stop ON true;
    RAISE SQLSTATE 'FF004';
EXCEPTION WHEN SQLSTATE 'FF004' THEN
    NULL;
END
$$;

REVOKE ALL ON FUNCTION
    fanfare.resource_children,
    fanfare.resources_held,
    fanfare.resource_rows,
    fanfare.resources_named,
    fanfare.resources_below,
    fanfare.principals_of,
    fanfare.principals_named
FROM PUBLIC;

---- create above / drop below ----

DROP FUNCTION fanfare.principals_named;
DROP FUNCTION fanfare.principals_of;
DROP FUNCTION fanfare.resources_below;
DROP FUNCTION fanfare.resources_named;
DROP FUNCTION fanfare.resource_rows;
DROP FUNCTION fanfare.resources_held;
DROP FUNCTION fanfare.resource_children;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_class WHERE oid = 'fanfare.resources'::regclass AND relkind IN ('r', 'p')) THEN
        DROP INDEX IF EXISTS fanfare.resources_owner;
        DROP INDEX IF EXISTS fanfare.resources_parent;
        CREATE INDEX resources_parent ON fanfare.resources (tenant_id, parent_id);
    END IF;
END
$$;
