-- Columns of the table that workers write to and clients read.
--
-- Programs before: from @before: they write no note, and pin nothing.
-- Programs after: work without it.
ALTER TABLE fanfare.notifications ADD COLUMN note text, ADD COLUMN pinned boolean NOT NULL DEFAULT false;

---- create above / drop below ----

ALTER TABLE fanfare.notifications DROP COLUMN note, DROP COLUMN pinned;
