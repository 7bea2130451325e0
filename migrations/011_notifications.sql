-- The inboxes: one row for each recipient of an activity. The id of the activity is the id of the
-- notification; as a UUIDv7, it also orders the inbox. reasons is a set of bits: 1 subscribed,
-- 2 owner, 4 delegator, 8 target. group_id is a group through which one of the reasons holds that
-- does not hold directly, or null.
--
-- A notification is in one of three places: archived if archived_at is not null, otherwise snoozed
-- while snoozed_until is in the future, otherwise in the inbox. A notification that was read before
-- its snooze ended is unread again from then on; the worker makes its row say so.
--
-- resource_id and visibility are those of the activity, which never change, and party is whether
-- the recipient is its actor or one of its targets. With them, deciding whether the recipient may
-- still see the activity takes no reading of the log. visibility is the first letter.
CREATE TABLE fanfare.notifications (
    tenant_id     uuid        NOT NULL,
    principal_id  uuid        NOT NULL,
    activity_id   uuid        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    seen_at       timestamptz,
    read_at       timestamptz,
    archived_at   timestamptz,
    snoozed_until timestamptz,
    resource_id   uuid        NOT NULL,
    group_id      uuid,
    reasons       smallint    NOT NULL,
    visibility    "char"      NOT NULL,
    party         boolean     NOT NULL,
    -- With all columns, so that counting and listing the notifications in a state visits no row of
    -- the table, and none in another state. No update is HOT, which would need all states outside
    -- the index: a fillfactor below 100 would be of no use.
    PRIMARY KEY (tenant_id, principal_id, activity_id) INCLUDE (
        seen_at, read_at, archived_at, snoozed_until, created_at, resource_id, group_id, reasons, visibility, party
    )
);
-- Finds the snoozes that have ended. A new row has no entry.
CREATE INDEX notifications_snoozed ON fanfare.notifications (snoozed_until) WHERE snoozed_until IS NOT NULL;

---- create above / drop below ----

DROP TABLE fanfare.notifications;
