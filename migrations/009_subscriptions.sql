-- Subscriptions of principals to resources. An application may also insert rows itself.
CREATE TABLE fanfare.subscriptions (
    id           uuid        PRIMARY KEY DEFAULT fanfare.uuidv7(),
    tenant_id    uuid        NOT NULL,
    principal_id uuid        NOT NULL,
    resource_id  uuid        NOT NULL,
    scope        text        NOT NULL DEFAULT 'resource' CHECK (scope IN ('resource', 'descendants')),
    created_at   timestamptz NOT NULL DEFAULT now(),
    revoked_at   timestamptz -- a revoked subscription has no effect
);
CREATE UNIQUE INDEX subscriptions_active
    ON fanfare.subscriptions (tenant_id, resource_id, principal_id, scope)
    WHERE revoked_at IS NULL;
CREATE INDEX subscriptions_principal
    ON fanfare.subscriptions (tenant_id, principal_id, id)
    WHERE revoked_at IS NULL;
-- The planner must expect few subscriptions of a resource, also if one resource has most of a
-- tenant's: it would read the subscriptions by principal otherwise.
ALTER TABLE fanfare.subscriptions ALTER COLUMN resource_id SET (n_distinct = -1);

---- create above / drop below ----

DROP TABLE fanfare.subscriptions;
