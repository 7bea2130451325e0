-- filter_mode holds no CHECK: a mode that this version does not know counts as mutations.
CREATE TABLE fanfare.preferences (
    tenant_id      uuid        NOT NULL,
    principal_id   uuid        NOT NULL,
    filter_mode    text        NOT NULL DEFAULT 'mutations',
    custom_actions text[]      NOT NULL DEFAULT '{}',
    muted          boolean     NOT NULL DEFAULT false,
    updated_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, principal_id),
    CONSTRAINT preferences_custom_actions
        CHECK (coalesce(array_ndims(custom_actions), 1) = 1 AND array_position(custom_actions, NULL) IS NULL)
);

---- create above / drop below ----

DROP TABLE fanfare.preferences;
