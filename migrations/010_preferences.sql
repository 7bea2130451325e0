-- The notification preferences of principals. An application may also insert rows itself.
CREATE TABLE fanfare.preferences (
    tenant_id      uuid        NOT NULL,
    principal_id   uuid        NOT NULL,
    -- Null is a field that the principal never set: the tenant's preference decides, else the
    -- installation's. Without a CHECK constraint: a mode that this version does not know has the
    -- effect of mutations.
    filter_mode    text,
    custom_actions text[],
    muted          boolean,
    -- Patterns of the actions of which the principal is not notified.
    muted_actions  text[],
    -- The actors of whose activities the principal is not notified.
    muted_actors   uuid[]      NOT NULL DEFAULT '{}',
    updated_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, principal_id),
    -- One null in a list would fail each batch in which the principal is a candidate.
    CONSTRAINT preferences_custom_actions
        CHECK (coalesce(array_ndims(custom_actions), 1) = 1 AND array_position(custom_actions, NULL) IS NULL),
    CONSTRAINT preferences_muted_actions
        CHECK (coalesce(array_ndims(muted_actions), 1) = 1 AND array_position(muted_actions, NULL) IS NULL),
    CONSTRAINT preferences_muted_actors
        CHECK (
            coalesce(array_ndims(muted_actors), 1) = 1 AND array_position(muted_actors, NULL) IS NULL
            AND cardinality(muted_actors) <= 1000
        )
);

---- create above / drop below ----

DROP TABLE fanfare.preferences;
