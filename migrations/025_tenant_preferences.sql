-- The notification preferences that a tenant gives its principals: each field holds for a principal
-- that has not set its own. Null is the installation's.
CREATE TABLE fanfare.tenant_preferences (
    tenant_id      uuid        PRIMARY KEY,
    filter_mode    text, -- as in fanfare.preferences
    custom_actions text[],
    muted          boolean,
    muted_actions  text[],
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tenant_preferences_custom_actions
        CHECK (coalesce(array_ndims(custom_actions), 1) = 1 AND array_position(custom_actions, NULL) IS NULL),
    CONSTRAINT tenant_preferences_muted_actions
        CHECK (coalesce(array_ndims(muted_actions), 1) = 1 AND array_position(muted_actions, NULL) IS NULL)
);

---- create above / drop below ----

DROP TABLE fanfare.tenant_preferences;
