-- The inboxes: one row for each recipient of an activity. The id of the activity is the id of the
-- notification; as a UUIDv7, it also orders the inbox. reasons is a set of bits: 1 subscribed,
-- 2 owner, 4 delegator, 8 target. group_id is a group through which one of the reasons holds that
-- does not hold directly, or null.
CREATE TABLE fanfare.notifications (
    tenant_id    uuid        NOT NULL,
    principal_id uuid        NOT NULL,
    activity_id  uuid        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    read_at      timestamptz,
    reasons      smallint    NOT NULL,
    group_id     uuid,
    -- With read_at, so that counting and listing unread notifications visits no row of a read one.
    -- A partial index of the unread ones would make an insertion about 50 % more expensive.
    PRIMARY KEY (tenant_id, principal_id, activity_id) INCLUDE (read_at)
);

---- create above / drop below ----

DROP TABLE fanfare.notifications;
