-- What the reasons of candidates, and their permission to see an activity, rest on. The function
-- belongs to <prefix>_directory; see 027.

-- Returns for each principal the subscriptions and roles that concern a resource, held by itself or
-- by a group that it belongs to: at most per_kind of each, the nearest first, a principal's own
-- before those of groups. above is the number of resources between: 0 on the resource itself, -1
-- for a role elsewhere below the resource's parent, of which there is at most one and only for
-- principals without any other role. parent is used if the directory does not contain the resource.
-- A chain ends after max_above ancestors.
CREATE FUNCTION fanfare.grounds(
    tenant uuid, principals uuid[], resource uuid, parent uuid, max_above int, per_kind int)
    RETURNS TABLE (
        principal_id uuid, holder_id uuid, subscription_id uuid, scope text, role_name text, resource_id uuid,
        above int)
    LANGUAGE plpgsql STABLE ROWS 10 SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    path uuid[] := ARRAY[resource];
    next uuid;
    direct uuid; -- the parent of the resource
BEGIN
    SELECT r.parent_id INTO next FROM fanfare.resources AS r WHERE r.tenant_id = tenant AND r.id = resource LIMIT 1;
    IF NOT FOUND THEN
        next := parent;
    END IF;
    direct := next;
    WHILE next IS NOT NULL AND next <> ALL (path) AND cardinality(path) <= max_above LOOP
        path := path || next;
        SELECT r.parent_id INTO next FROM fanfare.resources AS r WHERE r.tenant_id = tenant AND r.id = next LIMIT 1;
    END LOOP;
    RETURN QUERY
    WITH RECURSIVE nested AS (
        SELECT u.id AS principal, u.id AS holder, 0 AS nesting FROM unnest(principals) AS u(id)
        UNION
        SELECT n.principal, m.group_id, n.nesting + 1
        FROM nested AS n
        CROSS JOIN LATERAL (
            SELECT m.group_id::uuid FROM fanfare.memberships AS m
            WHERE m.tenant_id = tenant AND m.principal_id = n.holder LIMIT 1000
        ) AS m
        WHERE n.nesting < 8
    ), holder AS MATERIALIZED (
        SELECT n.principal, n.holder, min(n.nesting) AS nesting FROM nested AS n GROUP BY n.principal, n.holder
    ), subscription AS (
        SELECT h.principal, h.holder, h.nesting, s.id, s.scope, s.resource_id
        FROM holder AS h
        CROSS JOIN unnest(path) WITH ORDINALITY AS l(id, level)
        CROSS JOIN LATERAL (
            SELECT s.id, s.scope, s.resource_id FROM fanfare.subscriptions AS s
            WHERE s.tenant_id = tenant AND s.resource_id = l.id AND s.principal_id = h.holder
              AND s.revoked_at IS NULL AND (l.level = 1 OR s.scope = 'descendants')
        ) AS s
    ), held AS MATERIALIZED (
        SELECT h.principal, h.holder, h.nesting, b.role_name, b.resource_id
        FROM holder AS h
        CROSS JOIN LATERAL (
            SELECT b.role_name::text, b.scope_resource_id::uuid AS resource_id FROM fanfare.role_bindings AS b
            WHERE b.tenant_id = tenant AND b.principal_id = h.holder AND b.revoked_at IS NULL
              AND b.scope_resource_id = ANY (path)
        ) AS b
    ), climb AS (
        SELECT h.principal, h.holder, b.role_name, b.resource_id, b.resource_id AS at
        FROM holder AS h
        CROSS JOIN LATERAL (
            SELECT b.role_name::text, b.scope_resource_id::uuid AS resource_id FROM fanfare.role_bindings AS b
            WHERE b.tenant_id = tenant AND b.principal_id = h.holder AND b.revoked_at IS NULL LIMIT 100
        ) AS b
        WHERE direct IS NOT NULL AND NOT EXISTS (SELECT FROM held AS x WHERE x.principal = h.principal)
        UNION
        SELECT c.principal, c.holder, c.role_name, c.resource_id, r.parent_id
        FROM climb AS c
        CROSS JOIN LATERAL (
            SELECT r.parent_id::uuid FROM fanfare.resources AS r
            WHERE r.tenant_id = tenant AND r.id = c.at AND r.parent_id IS NOT NULL LIMIT 1
        ) AS r
        WHERE c.at <> direct
    ), found AS (
        SELECT s.principal, s.holder, s.nesting, s.id, s.scope, NULL AS role_name, s.resource_id,
               array_position(path, s.resource_id) - 1 AS above, 1 AS kind
        FROM subscription AS s
        UNION ALL
        SELECT h.principal, h.holder, h.nesting, NULL, NULL, h.role_name, h.resource_id,
               array_position(path, h.resource_id) - 1, 2
        FROM held AS h
        UNION ALL
        (
            SELECT DISTINCT ON (c.principal)
                   c.principal, c.holder, 0, NULL::uuid, NULL, c.role_name, c.resource_id, -1, 2
            FROM climb AS c WHERE c.at = direct
            ORDER BY c.principal, c.holder <> c.principal, c.resource_id, c.role_name
        )
    )
    SELECT f.principal, f.holder, f.id, f.scope::text, f.role_name, f.resource_id, f.above
    FROM (
        SELECT *, row_number() OVER (
            PARTITION BY x.principal, x.kind
            ORDER BY x.above, x.nesting, x.role_name, x.scope, x.holder
        ) AS n
        FROM (SELECT DISTINCT * FROM found) AS x
    ) AS f
    WHERE f.n <= per_kind
    ORDER BY f.principal, f.kind, f.n;
    RAISE SQLSTATE 'FF004';
EXCEPTION WHEN SQLSTATE 'FF004' THEN
    NULL;
END
$$;

---- create above / drop below ----

DROP FUNCTION fanfare.grounds;
