-- Returns how many subscriptions of principals, and members of subscribed groups, an activity of a
-- resource reaches, and how many of them have an id up to a principal's: an estimate of the
-- progress of a fan-out job. Groups in groups are not counted, nor are owners and delegators; a
-- principal with several subscriptions is counted for each. total is null above max_count. The
-- function belongs to <prefix>_directory; 027 explains it.
CREATE FUNCTION fanfare.audience_size(
    of_tenant uuid, of_resource uuid, given_parent uuid, up_to_principal uuid, max_count int, max_depth int,
    OUT total bigint, OUT passed bigint
)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
    WITH RECURSIVE chain AS (
        SELECT of_resource AS id, 1 AS distance, CASE WHEN r.found THEN r.parent_id ELSE given_parent END AS up
        FROM (SELECT) AS one
        LEFT JOIN LATERAL (
            SELECT true AS found, r.parent_id::uuid FROM fanfare.resources AS r
            WHERE r.tenant_id = of_tenant AND r.id = of_resource LIMIT 1
        ) AS r ON true
        UNION ALL
        SELECT c.up, c.distance + 1, (
                   SELECT r.parent_id::uuid FROM fanfare.resources AS r
                   WHERE r.tenant_id = of_tenant AND r.id = c.up LIMIT 1
               )
        FROM chain AS c
        WHERE c.up IS NOT NULL AND c.distance <= max_depth
    ), node AS (
        SELECT c.id, min(c.distance) AS distance FROM chain AS c GROUP BY c.id -- a cycle repeats them
    )
    SELECT nullif(count(*), max_count + 1), count(*) FILTER (WHERE m.principal_id <= up_to_principal)
    INTO total, passed
    FROM (
        SELECT x.principal_id
        FROM node AS c
        CROSS JOIN LATERAL (
            SELECT u.principal_id FROM fanfare.subscriptions AS u
            WHERE u.tenant_id = of_tenant AND u.resource_id = c.id AND u.revoked_at IS NULL
              AND (c.distance = 1 OR u.scope = 'descendants')
            LIMIT max_count + 1
        ) AS x
        UNION ALL
        SELECT x.principal_id
        FROM node AS c
        CROSS JOIN LATERAL fanfare.groups_in_list(
            of_tenant, CASE c.distance WHEN 1 THEN 'subscriber' ELSE 'heir' END, c.id) AS g(id)
        CROSS JOIN LATERAL (
            SELECT m.principal_id::uuid FROM fanfare.memberships AS m
            WHERE m.tenant_id = of_tenant AND m.group_id = g.id
            LIMIT max_count + 1
        ) AS x
        LIMIT max_count + 1
    ) AS m;
    RAISE SQLSTATE 'FF004';
EXCEPTION WHEN SQLSTATE 'FF004' THEN
    NULL;
END
$$;

REVOKE ALL ON FUNCTION fanfare.audience_size FROM PUBLIC;

---- create above / drop below ----

DROP FUNCTION fanfare.audience_size;
