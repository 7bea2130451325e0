-- A table that programs before do not know.
--
-- Programs before: from @before: they make no reminders.
-- Programs after: work without it.
CREATE TABLE fanfare.reminders (
    tenant_id   uuid        NOT NULL,
    activity_id uuid        NOT NULL,
    due_at      timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, activity_id)
);
CREATE INDEX reminders_due ON fanfare.reminders (due_at);

---- create above / drop below ----

DROP TABLE fanfare.reminders;
