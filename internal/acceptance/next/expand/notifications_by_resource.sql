-- An index of a large table, built while it is written to.
--
-- Programs before: from @before: nothing changes for them.
-- Programs after: work without it.
---- tern: disable-tx ----
DROP INDEX CONCURRENTLY IF EXISTS fanfare.notifications_by_resource;
CREATE INDEX CONCURRENTLY notifications_by_resource ON fanfare.notifications (tenant_id, resource_id);

---- create above / drop below ----

---- tern: disable-tx ----
DROP INDEX CONCURRENTLY IF EXISTS fanfare.notifications_by_resource;
