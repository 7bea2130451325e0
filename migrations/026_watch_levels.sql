-- The levels that principals set for resources. The one nearest to a resource decides: on it, or on
-- an ancestor with the scope descendants.
CREATE TABLE fanfare.watch_levels (
    tenant_id    uuid        NOT NULL,
    principal_id uuid        NOT NULL,
    resource_id  uuid        NOT NULL,
    level        text        NOT NULL CHECK (level IN ('all', 'custom', 'participating', 'ignore')),
    scope        text        NOT NULL DEFAULT 'resource' CHECK (scope IN ('resource', 'descendants')),
    patterns     text[]      NOT NULL DEFAULT '{}', -- of the level custom
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, principal_id, resource_id),
    CONSTRAINT watch_levels_patterns
        CHECK (coalesce(array_ndims(patterns), 1) = 1 AND array_position(patterns, NULL) IS NULL)
);

---- create above / drop below ----

DROP TABLE fanfare.watch_levels;
