-- Resolving the candidates of activities: who subscribes to a resource, owns it, or is a delegator,
-- directly or as a member of a group. These functions belong to <prefix>_directory; 027 explains
-- it.

-- The groups among the principals of one list, in the order of their ids: the subscribers of a
-- resource (kind subscriber, or heir for those with its descendants), the holders of a role on it
-- (the role's name), or the members of a group (member). The list and the tenant's groups are both
-- read in the order of an index, and each skips to where the other is. So the cost is that of the
-- shorter of the two.
CREATE FUNCTION fanfare.groups_in_list(of_tenant uuid, kind text, list_id uuid) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    next_group uuid;
    next_item  uuid;
BEGIN
    next_group := (
        SELECT m.group_id FROM fanfare.memberships AS m WHERE m.tenant_id = of_tenant ORDER BY m.group_id LIMIT 1);
    WHILE next_group IS NOT NULL LOOP
        CASE kind
        WHEN 'subscriber' THEN
            next_item := (
                SELECT u.principal_id FROM fanfare.subscriptions AS u
                WHERE u.tenant_id = of_tenant AND u.resource_id = list_id AND u.revoked_at IS NULL
                  AND u.principal_id >= next_group
                ORDER BY u.principal_id LIMIT 1);
        WHEN 'heir' THEN
            next_item := (
                SELECT u.principal_id FROM fanfare.subscriptions AS u
                WHERE u.tenant_id = of_tenant AND u.resource_id = list_id AND u.revoked_at IS NULL
                  AND u.scope = 'descendants' AND u.principal_id >= next_group
                ORDER BY u.principal_id LIMIT 1);
        WHEN 'member' THEN
            next_item := (
                SELECT m.principal_id FROM fanfare.memberships AS m
                WHERE m.tenant_id = of_tenant AND m.group_id = list_id AND m.principal_id >= next_group
                ORDER BY m.principal_id LIMIT 1);
        ELSE
            next_item := (
                SELECT b.principal_id FROM fanfare.role_bindings AS b
                WHERE b.tenant_id = of_tenant AND b.scope_resource_id = list_id AND b.role_name::text = kind
                  AND b.revoked_at IS NULL AND b.principal_id >= next_group
                ORDER BY b.principal_id LIMIT 1);
        END CASE;
        IF next_item IS NULL THEN
            RETURN;
        ELSIF next_item = next_group THEN
            RETURN NEXT next_item;
            next_group := (
                SELECT m.group_id FROM fanfare.memberships AS m
                WHERE m.tenant_id = of_tenant AND m.group_id > next_item ORDER BY m.group_id LIMIT 1);
        ELSE
            next_group := (
                SELECT m.group_id FROM fanfare.memberships AS m
                WHERE m.tenant_id = of_tenant AND m.group_id >= next_item ORDER BY m.group_id LIMIT 1);
        END IF;
    END LOOP;
END
$$;

-- The members of groups, and the groups in them, for many subjects: element i of the arrays is a
-- group (a top) that holds something for a reason, of which its members and those of the groups in
-- it hold as much. At most max_rows members are returned. If paged, there is one subject, whose
-- groups are looked for on the whole path, and all members are returned, at most page_size of each
-- group.
CREATE FUNCTION fanfare.members_of(
    subjects int[], of_tenants uuid[], tops uuid[], reasons int[], of_tenant uuid, path uuid[],
    after_principal uuid, page_size int, max_rows int, paged boolean, max_nesting int
) RETURNS TABLE (subject int, principal_id uuid, reason int, top uuid, is_group boolean)
    LANGUAGE plpgsql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF paged THEN
        SELECT array_agg(1), array_agg(of_tenant), array_agg(g.id), array_agg(k.reason)
        INTO subjects, of_tenants, tops, reasons
        FROM unnest(path) WITH ORDINALITY AS l(resource_id, distance)
        CROSS JOIN (VALUES ('subscriber', 1), ('heir', 17), ('owner', 4), ('delegator', 4)) AS k(kind, reason)
        CROSS JOIN LATERAL fanfare.groups_in_list(of_tenant, k.kind, l.resource_id) AS g(id)
        WHERE k.kind <> 'subscriber' OR l.distance = 1;
    END IF;
    IF tops IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH RECURSIVE walk AS (
        SELECT u.n, u.tenant_id, u.top, u.reason, u.top AS group_id, 1 AS depth
        FROM unnest(subjects, of_tenants, tops, reasons) AS u(n, tenant_id, top, reason)
        UNION
        SELECT w.n, w.tenant_id, w.top, w.reason, x.group_id, w.depth + 1
        FROM walk AS w
        CROSS JOIN LATERAL (
            SELECT m.principal_id AS group_id
            FROM (
                SELECT DISTINCT m.principal_id::uuid FROM fanfare.memberships AS m
                WHERE m.tenant_id = w.tenant_id AND m.group_id = w.group_id
                ORDER BY 1 LIMIT page_size
            ) AS m
            WHERE NOT paged AND (
                SELECT true FROM fanfare.memberships AS n
                WHERE n.tenant_id = w.tenant_id AND n.group_id = m.principal_id LIMIT 1
            )
            UNION ALL
            SELECT g.id FROM fanfare.groups_in_list(w.tenant_id, 'member', w.group_id) AS g(id) WHERE paged
        ) AS x
        WHERE w.depth <= max_nesting -- a group that nests too deep is found, but not its members
    )
    SELECT w.n, w.group_id, w.reason, w.top, true FROM walk AS w WHERE w.depth > 1 AND w.group_id > after_principal
    UNION ALL
    (
        SELECT w.n, m.principal_id, w.reason, w.top, false
        FROM walk AS w
        CROSS JOIN LATERAL (
            SELECT DISTINCT m.principal_id::uuid FROM fanfare.memberships AS m
            WHERE m.tenant_id = w.tenant_id AND m.group_id = w.group_id AND m.principal_id > after_principal
            ORDER BY 1 LIMIT page_size
        ) AS m
        WHERE w.depth <= max_nesting
        LIMIT CASE WHEN NOT paged THEN max_rows END
    );
END
$$;

-- Whether a group to which a principal belongs holds a role on one of the resources, or below
-- another.
CREATE FUNCTION fanfare.has_role_in_groups(
    of_tenant uuid, of_principal uuid, of_resources uuid[], below uuid, max_nesting int
) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    groups uuid[];
BEGIN
    groups := ARRAY(
        SELECT h.id FROM fanfare.holders(of_tenant, of_principal, max_nesting) AS h(id) WHERE h.id <> of_principal);
    IF groups = '{}' THEN
        RETURN false;
    END IF;
    RETURN EXISTS (
        SELECT FROM unnest(groups) AS h(id)
        CROSS JOIN LATERAL (
            SELECT FROM fanfare.role_bindings AS b
            WHERE b.tenant_id = of_tenant AND b.principal_id = h.id
              AND b.scope_resource_id = ANY (of_resources) AND b.revoked_at IS NULL LIMIT 1
        ) AS b
    ) OR below IS NOT NULL AND EXISTS (
        WITH RECURSIVE up AS (
            SELECT b.id
            FROM unnest(groups) AS h(id)
            CROSS JOIN LATERAL (
                SELECT b.scope_resource_id::uuid AS id FROM fanfare.role_bindings AS b
                WHERE b.tenant_id = of_tenant AND b.principal_id = h.id AND b.revoked_at IS NULL OFFSET 0
            ) AS b
            UNION
            SELECT r.parent_id::uuid FROM up CROSS JOIN LATERAL (
                SELECT r.parent_id FROM fanfare.resources AS r
                WHERE r.tenant_id = of_tenant AND r.id = up.id AND r.parent_id IS NOT NULL LIMIT 1
            ) AS r
        )
        SELECT FROM up WHERE up.id = below);
END
$$;

-- The candidates of many subjects: resources of tenants. The owners and parents that are given hold
-- for resources that the directory does not contain. wanted_access is a set of bits: 1 reads
-- on_chain, 2 reads in_scope, of subscribers. Element i of last_targets is the index of the last of
-- the targets of subject i.
--
-- Each list that can be long is read in the order of its index, above a principal and with a limit,
-- so that a resource with a million watchers costs as much as one with page_size. If not paged,
-- then all candidates are wanted, and a subject with page_size or more need not be complete, nor
-- one that is cut, because its groups have too many members. If paged, then there is one subject,
-- and each page is complete: groups are looked for in the whole lists, not only above the
-- principal.
--
-- reasons has the bits of a notification, and 16 if a subscription has the scope descendants. The
-- columns through name a group through which the reason holds that does not hold directly. A
-- subject with more than max_depth ancestors gets at least one row, which may lack a principal.
CREATE FUNCTION fanfare.candidates(
    of_tenants uuid[], of_resources uuid[], given_owners uuid[], given_parents uuid[], wanted_access smallint[],
    last_targets int[], targets uuid[], after_principal uuid, page_size int, max_rows int, paged boolean,
    max_depth int, max_nesting int
) RETURNS TABLE (
    subject int, too_deep boolean, cut boolean, principal_id uuid, reasons smallint,
    subscribed_through uuid, delegator_through uuid, is_group boolean, inactive boolean,
    on_chain boolean, in_scope boolean,
    level text, level_resource_id uuid, level_patterns text[],
    filter_mode text, custom_actions text[], muted boolean, muted_actions text[], muted_actors uuid[]
)
    LANGUAGE plpgsql STABLE ROWS 500 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET plan_cache_mode = force_generic_plan SET jit = off AS $$
#variable_conflict use_column
DECLARE
    grouped boolean; -- a tenant has groups
    leveled boolean; -- a tenant's principal has set a level
BEGIN
    SELECT bool_or(m.found) IS TRUE, bool_or(v.found) IS TRUE INTO grouped, leveled
    FROM (SELECT DISTINCT t.id FROM unnest(of_tenants) AS t(id)) AS t
    LEFT JOIN LATERAL (
        SELECT true AS found FROM fanfare.memberships AS m WHERE m.tenant_id = t.id LIMIT 1
    ) AS m ON true
    LEFT JOIN LATERAL (
        SELECT true AS found FROM fanfare.watch_levels AS v WHERE v.tenant_id = t.id LIMIT 1
    ) AS v ON true;
    RETURN QUERY
    WITH RECURSIVE start AS (
        SELECT u.n::int, u.tenant_id, u.resource_id, u.access,
               CASE WHEN r.found THEN r.owner_principal_id ELSE u.owner_id END::uuid AS owner_id,
               CASE WHEN r.found THEN r.parent_id ELSE u.parent_id END::uuid AS parent_id
        FROM unnest(of_tenants, of_resources, given_owners, given_parents, wanted_access) WITH ORDINALITY
             AS u(tenant_id, resource_id, owner_id, parent_id, access, n)
        LEFT JOIN LATERAL (
            SELECT true AS found, r.owner_principal_id, r.parent_id FROM fanfare.resources AS r
            WHERE r.tenant_id = u.tenant_id AND r.id = u.resource_id LIMIT 1
        ) AS r ON true
    ), chain AS (
        SELECT n, tenant_id, access, owner_id, parent_id, parent_id AS next_id, ARRAY[resource_id] AS path FROM start
        UNION ALL
        SELECT c.n, c.tenant_id, c.access, c.owner_id, c.parent_id, (
                   SELECT r.parent_id FROM fanfare.resources AS r
                   WHERE r.tenant_id = c.tenant_id AND r.id = c.next_id LIMIT 1
               ), c.path || c.next_id
        FROM chain AS c
        WHERE c.next_id IS NOT NULL AND c.next_id <> ALL (c.path) AND cardinality(c.path) <= max_depth
    ), longest AS MATERIALIZED (
        SELECT DISTINCT ON (n) n, tenant_id, access, owner_id, parent_id, path,
               next_id IS NOT NULL AND next_id <> ALL (path) AND cardinality(path) > max_depth AS too_deep
        FROM chain ORDER BY n, cardinality(path) DESC
    ), direct AS MATERIALIZED (
        SELECT s.n, s.tenant_id, c.principal_id, c.reason,
               CASE WHEN grouped THEN (
                   SELECT true FROM fanfare.memberships AS m
                   WHERE m.tenant_id = s.tenant_id AND m.group_id = c.principal_id LIMIT 1
               ) IS NOT NULL ELSE false END AS is_group
        FROM longest AS s
        CROSS JOIN LATERAL (
            SELECT x.principal_id, CASE x.scope WHEN 'descendants' THEN 17 ELSE 1 END AS reason
            FROM unnest(s.path) WITH ORDINALITY AS l(resource_id, distance)
            CROSS JOIN LATERAL (
                -- A principal may have a subscription of each scope.
                SELECT u.principal_id, u.scope FROM fanfare.subscriptions AS u
                WHERE u.tenant_id = s.tenant_id AND u.resource_id = l.resource_id AND u.revoked_at IS NULL
                  AND (l.distance = 1 OR u.scope = 'descendants') AND u.principal_id > after_principal
                ORDER BY u.principal_id LIMIT 2 * page_size
            ) AS x
            UNION ALL
            SELECT s.owner_id, 2 WHERE s.owner_id > after_principal
            UNION ALL
            SELECT x.principal_id, 4
            FROM unnest(s.path) AS l(resource_id)
            CROSS JOIN (VALUES ('owner'), ('delegator')) AS k(role_name)
            CROSS JOIN LATERAL (
                SELECT DISTINCT b.principal_id::uuid FROM fanfare.role_bindings AS b
                WHERE b.tenant_id = s.tenant_id AND b.scope_resource_id = l.resource_id
                  AND b.role_name::text = k.role_name
                  AND b.revoked_at IS NULL AND b.principal_id > after_principal
                ORDER BY 1 LIMIT page_size
            ) AS x
            UNION ALL
            SELECT t.id, 8
            FROM unnest(targets[coalesce(last_targets[s.n - 1], 0) + 1 : last_targets[s.n]]) AS t(id)
            WHERE t.id > after_principal
        ) AS c
    ), member AS MATERIALIZED (
        SELECT m.subject AS n, m.principal_id, m.reason, m.top, m.is_group
        FROM (
            SELECT array_agg(d.n) AS subjects, array_agg(d.tenant_id) AS tenants,
                   array_agg(d.principal_id) AS tops, array_agg(d.reason) AS reasons
            FROM direct AS d WHERE d.is_group AND d.reason & 5 <> 0
        ) AS t
        CROSS JOIN LATERAL fanfare.members_of(
            t.subjects, t.tenants, t.tops, t.reasons, of_tenants[1],
            CASE WHEN paged THEN (SELECT s.path FROM longest AS s LIMIT 1) END,
            after_principal, page_size, 2 * max_rows, paged, max_nesting
        ) AS m
        WHERE grouped
    ), watcher AS (
        -- found is a set of bits: the reasons that hold directly, those that hold through groups,
        -- times 256, and 65536 for a group.
        SELECT c.n, c.principal_id, bit_or(c.found) AS found,
               min(c.top::text COLLATE "C") FILTER (WHERE c.found & 256 = 256) AS subscribed_through,
               min(c.top::text COLLATE "C") FILTER (WHERE c.found & 1024 = 1024) AS delegator_through,
               row_number() OVER (PARTITION BY c.n ORDER BY c.principal_id) AS place
        FROM (
            SELECT d.n, d.principal_id, d.reason | CASE WHEN d.is_group THEN 65536 ELSE 0 END AS found,
                   NULL::uuid AS top
            FROM direct AS d
            UNION ALL
            SELECT m.n, m.principal_id, m.reason * 256 | CASE WHEN m.is_group THEN 65536 ELSE 0 END, m.top
            FROM member AS m
        ) AS c
        GROUP BY c.n, c.principal_id
    )
    SELECT s.n - 1, s.too_deep,
           CASE WHEN grouped AND NOT paged THEN
               (SELECT count(*) FROM member) >= 2 * max_rows AND s.n IN (SELECT d.n FROM direct AS d WHERE d.is_group)
           ELSE false END,
           w.principal_id, w.reasons,
           CASE WHEN w.found & 1 = 0 THEN w.subscribed_through::uuid END,
           CASE WHEN w.found & 4 = 0 THEN w.delegator_through::uuid END,
           coalesce(w.found >= 65536 OR d.is_group, false), coalesce(d.inactive, false),
           held.on_chain,
           held.on_chain OR CASE WHEN w.reasons & 1 = 1 AND s.access & 2 = 2 AND s.parent_id IS NOT NULL THEN EXISTS (
               WITH RECURSIVE up AS (
                   SELECT b.scope_resource_id::uuid AS id FROM fanfare.role_bindings AS b
                   WHERE b.tenant_id = s.tenant_id AND b.principal_id = w.principal_id AND b.revoked_at IS NULL
                   UNION
                   SELECT r.parent_id::uuid FROM up CROSS JOIN LATERAL (
                       SELECT r.parent_id FROM fanfare.resources AS r
                       WHERE r.tenant_id = s.tenant_id AND r.id = up.id AND r.parent_id IS NOT NULL LIMIT 1
                   ) AS r
               )
               SELECT FROM up WHERE up.id = s.parent_id
           ) OR CASE WHEN grouped THEN
               fanfare.has_role_in_groups(s.tenant_id, w.principal_id, '{}', s.parent_id, max_nesting)
           ELSE false END ELSE false END,
           (held.level).level::text, (held.level).resource_id, (held.level).patterns,
           p.filter_mode::text, p.custom_actions, p.muted, p.muted_actions, nullif(p.muted_actors, '{}')
    FROM longest AS s
    LEFT JOIN (
        SELECT w.n, w.principal_id, w.found, ((w.found | w.found / 256) & 31)::smallint AS reasons,
               w.subscribed_through, w.delegator_through
        FROM watcher AS w WHERE w.place <= page_size
    ) AS w ON w.n = s.n
    CROSS JOIN LATERAL (
        SELECT CASE WHEN w.reasons & 1 = 1 AND s.access <> 0 THEN (
            SELECT true FROM fanfare.role_bindings AS b
            WHERE b.tenant_id = s.tenant_id AND b.principal_id = w.principal_id
              AND b.scope_resource_id = ANY (s.path) AND b.revoked_at IS NULL LIMIT 1
        ) IS NOT NULL OR CASE WHEN grouped THEN
            fanfare.has_role_in_groups(s.tenant_id, w.principal_id, s.path, NULL, max_nesting)
        ELSE false END ELSE false END AS on_chain,
        CASE WHEN leveled THEN (
            SELECT v FROM fanfare.watch_levels AS v
            WHERE v.tenant_id = s.tenant_id AND v.principal_id = w.principal_id
              AND v.resource_id = ANY (s.path) AND (v.resource_id = s.path[1] OR v.scope = 'descendants')
            ORDER BY array_position(s.path, v.resource_id) LIMIT 1
        ) END AS level
        OFFSET 0
    ) AS held
    LEFT JOIN LATERAL (
        -- A principal is inactive if any of its rows says so.
        SELECT coalesce(NOT d.active, false) AS inactive, coalesce(d.kind::text = 'group', false) AS is_group
        FROM fanfare.principals AS d
        WHERE d.tenant_id = s.tenant_id AND d.id = w.principal_id AND (NOT d.active OR d.kind::text = 'group')
        LIMIT 1
    ) AS d ON true
    LEFT JOIN LATERAL (
        SELECT p.filter_mode, p.custom_actions, p.muted, p.muted_actions, p.muted_actors
        FROM fanfare.preferences AS p
        WHERE p.tenant_id = s.tenant_id AND p.principal_id = w.principal_id LIMIT 1
    ) AS p ON true
    WHERE w.principal_id IS NOT NULL OR s.too_deep
    LIMIT max_rows;
    RAISE SQLSTATE 'FF004';
EXCEPTION WHEN SQLSTATE 'FF004' THEN
    NULL;
END
$$;

REVOKE ALL ON FUNCTION
    fanfare.groups_in_list,
    fanfare.members_of,
    fanfare.has_role_in_groups,
    fanfare.candidates
FROM PUBLIC;

---- create above / drop below ----

DROP FUNCTION fanfare.candidates;
DROP FUNCTION fanfare.has_role_in_groups;
DROP FUNCTION fanfare.members_of;
DROP FUNCTION fanfare.groups_in_list;
