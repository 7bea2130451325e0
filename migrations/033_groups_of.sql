-- Returns the groups that a principal belongs to, directly or as a member of groups in them, each
-- once and without the principal itself. The function belongs to <prefix>_directory; 026 explains
-- it.
CREATE FUNCTION fanfare.groups_of(of_tenant uuid, of_principal uuid, max_nesting int) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE ROWS 10 SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
    RETURN QUERY
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
    SELECT DISTINCT h.id FROM holder AS h WHERE h.id <> of_principal;
    RAISE SQLSTATE 'FF004';
EXCEPTION WHEN SQLSTATE 'FF004' THEN
    NULL;
END
$$;

REVOKE ALL ON FUNCTION fanfare.groups_of FROM PUBLIC;

---- create above / drop below ----

DROP FUNCTION fanfare.groups_of;
