-- What a principal can see of the tree, for lists of the log. The function belongs to
-- <prefix>_directory; 027 explains it.

-- Returns the resources that decide what a principal may see, in one row. The roles of its groups
-- are its own:
--
--   managed   it owns them, or holds the role owner or delegator on them or on an ancestor;
--   held      it holds a role on them or on an ancestor;
--   dangling  those of held that the directory does not contain;
--   above     it holds a role on them or on a descendant;
--   in_scope  their parent is in above.
--
-- complete is false, and the sets are null, if the principal owns more than max_resources, if held
-- has more, where a resource counts once for each resource of its chain on which the principal
-- holds a role, or if the directory is a view, which may lack the index by which the tree is walked
-- downwards. in_scope alone is null if only that set has more. An inactive principal gets no row.
CREATE FUNCTION fanfare.reach(
    of_tenant uuid, of_principal uuid, max_resources int, max_depth int, max_nesting int
) RETURNS TABLE (
    complete boolean, managed uuid[], held uuid[], dangling uuid[], above uuid[], in_scope uuid[]
)
    LANGUAGE plpgsql STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_generic_plan SET jit = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH RECURSIVE bound AS MATERIALIZED (
        SELECT b.id, bool_or(b.delegator) AS delegator
        FROM fanfare.holders(of_tenant, of_principal, max_nesting) AS h(id)
        CROSS JOIN LATERAL (
            SELECT b.scope_resource_id::uuid AS id, b.role_name::text IN ('owner', 'delegator') AS delegator
            FROM fanfare.role_bindings AS b
            WHERE b.tenant_id = of_tenant AND b.principal_id = h.id AND b.revoked_at IS NULL OFFSET 0
        ) AS b
        WHERE b.id IS NOT NULL
        GROUP BY b.id
    ), below AS (
        SELECT b.id, b.delegator, 0 AS depth FROM bound AS b
        UNION
        SELECT r.id, b.delegator, b.depth + 1
        FROM below AS b
        CROSS JOIN LATERAL (
            SELECT r.id::uuid FROM fanfare.resources AS r
            WHERE r.tenant_id = of_tenant AND r.parent_id = b.id LIMIT max_resources + 1
        ) AS r
        WHERE b.depth < max_depth
    ), reached AS MATERIALIZED (
        SELECT b.id, b.delegator FROM below AS b LIMIT max_resources + 1
    ), owned AS MATERIALIZED (
        SELECT r.id::uuid AS id FROM fanfare.resources AS r
        WHERE r.tenant_id = of_tenant AND r.owner_principal_id = of_principal LIMIT max_resources + 1
    ), up AS (
        SELECT b.id FROM bound AS b
        UNION
        SELECT r.parent_id
        FROM up AS u
        CROSS JOIN LATERAL (
            SELECT r.parent_id::uuid FROM fanfare.resources AS r WHERE r.tenant_id = of_tenant AND r.id = u.id LIMIT 1
        ) AS r
        WHERE r.parent_id IS NOT NULL
    ), children AS MATERIALIZED (
        SELECT r.id
        FROM up AS u
        CROSS JOIN LATERAL (
            SELECT r.id::uuid FROM fanfare.resources AS r
            WHERE r.tenant_id = of_tenant AND r.parent_id = u.id LIMIT max_resources + 1
        ) AS r
        LIMIT max_resources + 1
    ), counted AS MATERIALIZED (
        SELECT (SELECT count(*) FROM reached) <= max_resources AND (SELECT count(*) FROM owned) <= max_resources
               AS complete
        FROM pg_class AS c
        WHERE c.oid = 'fanfare.resources'::regclass AND c.relkind IN ('r', 'p')
    )
    SELECT coalesce(c.complete, false), a.*
    FROM (
        SELECT WHERE NOT EXISTS (
            SELECT FROM fanfare.principals AS p WHERE p.tenant_id = of_tenant AND p.id = of_principal AND NOT p.active
        )
    ) AS active
    LEFT JOIN counted AS c ON true
    LEFT JOIN LATERAL (
        SELECT ARRAY(SELECT r.id FROM reached AS r WHERE r.delegator UNION ALL SELECT o.id FROM owned AS o),
               ARRAY(SELECT r.id FROM reached AS r),
               ARRAY(
                   SELECT b.id FROM bound AS b
                   LEFT JOIN LATERAL (
                       SELECT true AS found FROM fanfare.resources AS r
                       WHERE r.tenant_id = of_tenant AND r.id = b.id LIMIT 1
                   ) AS r ON true
                   WHERE r.found IS NULL
               ),
               ARRAY(SELECT u.id FROM up AS u),
               CASE
                   WHEN (SELECT count(*) FROM children) <= max_resources THEN ARRAY(SELECT ch.id FROM children AS ch)
               END
    ) AS a ON c.complete;
    RAISE SQLSTATE 'FF004';
EXCEPTION WHEN SQLSTATE 'FF004' THEN
    NULL;
END
$$;

REVOKE ALL ON FUNCTION fanfare.reach FROM PUBLIC;

---- create above / drop below ----

DROP FUNCTION fanfare.reach;
