-- A column of a table that is partitioned, and that every transaction of a service writes to.
--
-- Programs before: from @before: they write no note.
-- Programs after: work without it.
ALTER TABLE fanfare.activities ADD COLUMN note text;

---- create above / drop below ----

ALTER TABLE fanfare.activities DROP COLUMN note;
