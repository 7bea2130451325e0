-- Removes a column that the version before has replaced and no longer uses. The versions before
-- that one use it, so their programs must have been replaced.
--
-- Programs before: from @next: they do not use the column.
-- Programs after: work without it.
ALTER TABLE fanfare.notifications DROP COLUMN note;

---- create above / drop below ----

ALTER TABLE fanfare.notifications ADD COLUMN note text;
