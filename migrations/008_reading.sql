-- What reading an inbox costs. The key also says what is unread, so that counting and listing it
-- touch no row that was read; an index of the unread ones alone would make writing a notification
-- half as dear again.
ALTER TABLE fanfare.notifications
    DROP CONSTRAINT notifications_pkey,
    ADD CONSTRAINT notifications_pkey PRIMARY KEY (tenant_id, principal_id, activity_id) INCLUDE (read_at);

-- A principal's list holds what counts; what was revoked is for the record.
DROP INDEX fanfare.subscriptions_principal;
CREATE INDEX subscriptions_principal ON fanfare.subscriptions (tenant_id, principal_id, id) WHERE revoked_at IS NULL;

-- One list that held a null would fail every batch in which its owner is a watcher.
UPDATE fanfare.preferences
SET custom_actions = ARRAY(SELECT pattern FROM unnest(custom_actions) AS u(pattern) WHERE pattern IS NOT NULL)
WHERE CASE WHEN array_ndims(custom_actions) > 1 THEN true ELSE array_position(custom_actions, NULL) IS NOT NULL END;
ALTER TABLE fanfare.preferences ADD CONSTRAINT preferences_custom_actions
    CHECK (coalesce(array_ndims(custom_actions), 1) = 1 AND array_position(custom_actions, NULL) IS NULL);

---- create above / drop below ----

ALTER TABLE fanfare.preferences DROP CONSTRAINT preferences_custom_actions;
DROP INDEX fanfare.subscriptions_principal;
CREATE INDEX subscriptions_principal ON fanfare.subscriptions (tenant_id, principal_id, id);
ALTER TABLE fanfare.notifications
    DROP CONSTRAINT notifications_pkey,
    ADD CONSTRAINT notifications_pkey PRIMARY KEY (tenant_id, principal_id, activity_id);
