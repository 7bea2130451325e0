-- Returns the groups that a principal belongs to, directly or as a member of groups in them, each
-- once and without the principal itself. The function belongs to <prefix>_directory; 027 explains
-- it.
CREATE FUNCTION fanfare.groups_of(of_tenant uuid, of_principal uuid, max_nesting int) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE ROWS 10 SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
    RETURN QUERY
    SELECT h.id FROM fanfare.holders(of_tenant, of_principal, max_nesting) AS h(id) WHERE h.id <> of_principal;
    RAISE SQLSTATE 'FF004';
EXCEPTION WHEN SQLSTATE 'FF004' THEN
    NULL;
END
$$;

REVOKE ALL ON FUNCTION fanfare.groups_of FROM PUBLIC;

---- create above / drop below ----

DROP FUNCTION fanfare.groups_of;
