-- A column of the table that workers claim from.
--
-- Programs before: from @before: they write no note.
-- Programs after: work without it.
ALTER TABLE fanfare.outbox ADD COLUMN note text;

---- create above / drop below ----

ALTER TABLE fanfare.outbox DROP COLUMN note;
