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

REVOKE ALL ON FUNCTION fanfare.known_groups FROM PUBLIC;

---- create above / drop below ----

DROP FUNCTION fanfare.known_groups;
