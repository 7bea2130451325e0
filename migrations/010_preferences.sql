-- The notification preferences of principals. An application may also insert rows itself.
CREATE TABLE fanfare.preferences (
    tenant_id      uuid        NOT NULL,
    principal_id   uuid        NOT NULL,
    -- Without a CHECK constraint: a mode that this version does not know has the effect of
    -- mutations.
    filter_mode    text        NOT NULL DEFAULT 'mutations',
    custom_actions text[]      NOT NULL DEFAULT '{}',
    muted          boolean     NOT NULL DEFAULT false,
    updated_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, principal_id),
    -- One null in a list would fail each batch in which the principal is a candidate.
    CONSTRAINT preferences_custom_actions
        CHECK (coalesce(array_ndims(custom_actions), 1) = 1 AND array_position(custom_actions, NULL) IS NULL)
);

---- create above / drop below ----

DROP TABLE fanfare.preferences;
