-- The inbox: one row for each watcher of an activity. The activity's id is the notification's id;
-- being a UUIDv7, it also orders the inbox. reasons is a set of bits: 1 subscribed, 2 owner, 4
-- delegator, 8 target.
CREATE TABLE fanfare.notifications (
    tenant_id    uuid        NOT NULL,
    principal_id uuid        NOT NULL,
    activity_id  uuid        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    read_at      timestamptz,
    reasons      smallint    NOT NULL,
    PRIMARY KEY (tenant_id, principal_id, activity_id) INCLUDE (read_at)
);

---- create above / drop below ----

DROP TABLE fanfare.notifications;
