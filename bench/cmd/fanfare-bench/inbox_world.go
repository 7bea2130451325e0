package main

import (
	"context"
	"crypto/md5"
	"fmt"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/bench/internal/stack"
)

// inboxID returns the id of number n of a kind, as bench_id does in SQL.
func inboxID(kind string, n int) uuid.UUID { return uuid.UUID(md5.Sum(fmt.Append(nil, kind, n))) }

// inboxPerson is the person whose inbox is measured.
func inboxPerson() activity.Principal {
	return activity.Principal{TenantID: inboxID("tenant", 1), PrincipalID: inboxID("person", 0)}
}

// loadInbox fills the inbox of one person with a number of notifications of 80 days, and those of
// 200 others with as many in all. A tenth of the 40 folders, with a tenth of the 2,000 documents,
// is not visible to the person. A few documents and actors account for most activities, and four
// activities in a row have the same correlation id. The states are mixed: most notifications are
// read, a third is archived, one in thirty is snoozed, and one in a hundred has been.
func loadInbox(ctx context.Context, db *stack.Database, notifications int) error {
	for _, sql := range []string{
		`CREATE FUNCTION bench_id(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
		 RETURN md5(kind || n)::uuid`,
		// A number from 0 to 1 that looks random.
		`CREATE FUNCTION bench_random(kind text, n bigint) RETURNS float8 LANGUAGE sql IMMUTABLE
		 RETURN (hashtextextended(kind || n, 0) & 1048575) / 1048576.0`,
		`SELECT fanfare.ensure_partition(now() - make_interval(months => n)) FROM generate_series(1, 3) AS n`,
		`INSERT INTO fanfare.resources (tenant_id, id, parent_id, type, name)
		 SELECT bench_id('tenant', 1), bench_id('folder', n), NULL, 'folder', 'Folder ' || n
		 FROM generate_series(0, 39) AS n
		 UNION ALL
		 SELECT bench_id('tenant', 1), bench_id('doc', n), bench_id('folder', n % 40), 'doc', 'Document ' || n
		 FROM generate_series(0, 1999) AS n`,
		`INSERT INTO fanfare.principals (tenant_id, id, display_name)
		 SELECT bench_id('tenant', 1), bench_id('person', n), 'Person ' || n FROM generate_series(0, 300) AS n`,
		`INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name)
		 SELECT bench_id('tenant', 1), bench_id('person', 0), bench_id('folder', n), 'viewer'
		 FROM generate_series(0, 35) AS n`,
		fmt.Sprintf(`
		 INSERT INTO fanfare.activities (id, tenant_id, actor_principal_id, resource_id, correlation_id, owner_id,
		     parent_id, target_principal_ids, occurred_at, recorded_at, resource_type, resource_name, action,
		     visibility, status, severity, category, delivery_channels, message, request_id, payload)
		 SELECT overlay(fanfare.uuidv7_floor(at)::text PLACING lpad(to_hex(n), 12, '0') FROM 25)::uuid,
		     bench_id('tenant', 1), bench_id('person', 1 + (300 * bench_random('actor', n) ^ 2)::int %% 300),
		     bench_id('doc', doc), bench_id('correlation', n / 4), bench_id('person', doc %% 300 + 1),
		     bench_id('folder', doc %% 40),
		     CASE WHEN bench_random('target', n) < 0.01 THEN ARRAY[bench_id('person', 0)] END, at, at,
		     CASE WHEN doc %% 5 = 0 THEN 'file' ELSE 'doc' END, 'Document ' || doc,
		     (ARRAY['doc.updated', 'doc.updated', 'doc.commented', 'file.uploaded'])[1 + n %% 4], 'resource',
		     CASE WHEN bench_random('status', n) < 0.02 THEN 'failure' ELSE 'success' END,
		     CASE WHEN bench_random('severity', n) < 0.001 THEN 'critical' ELSE 'info' END,
		     CASE WHEN bench_random('category', n) < 0.05 THEN 'billing' ELSE 'documents' END, '{user,resource}',
		     CASE WHEN bench_random('q', n) < 0.0001 THEN 'A needle in the inbox' ELSE 'A change of a document' END,
		     'request-' || n / 100, '{"size": 12, "title": "A title", "tags": ["one", "two"]}'
		 FROM (
		     SELECT n, now() - n * interval '80 days' / %[1]d AS at,
		            (2000 * bench_random('doc', n) ^ 3)::int %% 2000 AS doc
		     FROM generate_series(1, %[1]d) AS n
		 ) AS x`, notifications),
		`INSERT INTO fanfare.notifications (tenant_id, principal_id, activity_id, reasons, resource_id, visibility,
		     party, created_at, seen_at, read_at, archived_at, snoozed_until)
		 SELECT tenant_id, bench_id('person', 0), id,
		     CASE WHEN target_principal_ids IS NOT NULL THEN 8 WHEN bench_random('reason', n) < 0.03 THEN 2 ELSE 1 END,
		     resource_id, 'r', target_principal_ids IS NOT NULL, recorded_at,
		     CASE WHEN bench_random('read', n) < 0.8 THEN recorded_at + interval '1 hour' END,
		     CASE WHEN bench_random('read', n) < 0.65 THEN recorded_at + interval '1 hour' END,
		     CASE WHEN bench_random('archived', n) < 0.33 THEN recorded_at + interval '2 hours' END,
		     CASE WHEN bench_random('snoozed', n) < 0.033 THEN now() + interval '5 days'
		          WHEN bench_random('snoozed', n) < 0.043 THEN now() - interval '1 minute' END
		 FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM fanfare.activities) AS a`,
		`INSERT INTO fanfare.notifications (tenant_id, principal_id, activity_id, reasons, resource_id, visibility,
		     party)
		 SELECT tenant_id, bench_id('person', 1 + n % 200), id, 1, resource_id, 'r', false
		 FROM (SELECT tenant_id, id, resource_id, row_number() OVER (ORDER BY id) AS n FROM fanfare.activities) AS a`,
		`VACUUM (ANALYZE)`,
		`CHECKPOINT`,
	} {
		if err := db.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// The naive conditions of states, for a notification n.
var inboxStates = []struct{ state, condition string }{
	{
		"inbox",
		"n.archived_at IS NULL AND (n.snoozed_until IS NULL OR n.snoozed_until <= now())",
	},
	{
		"unread",
		"n.archived_at IS NULL AND (n.snoozed_until IS NULL OR n.snoozed_until <= now())" +
			" AND (n.read_at IS NULL OR (n.snoozed_until IS NOT NULL AND n.read_at < n.snoozed_until))",
	},
	{
		"unseen",
		"n.archived_at IS NULL AND (n.snoozed_until IS NULL OR n.snoozed_until <= now())" +
			" AND (n.seen_at IS NULL OR (n.snoozed_until IS NOT NULL AND n.seen_at < n.snoozed_until))",
	},
	{"archived", "n.archived_at IS NOT NULL"},
	{"snoozed", "n.archived_at IS NULL AND n.snoozed_until > now()"},
	{"all", "true"},
}

// inboxFilter is a filter as the API takes it, and as a naive condition.
type inboxFilter struct{ name, query, condition string }

func inboxFilters() []inboxFilter {
	id := func(kind string, n int) string { return inboxID(kind, n).String() }
	by := func(name, column, kind string, n int) inboxFilter {
		return inboxFilter{name, name + "=" + id(kind, n), fmt.Sprintf("a.%s = '%s'", column, id(kind, n))}
	}
	return []inboxFilter{
		{"", "", "true"},
		{"action", "action=file.*", "a.action LIKE 'file.%'"},
		by("actor", "actor_principal_id", "person", 17),
		by("resource", "resource_id", "doc", 1), // a busy one
		{"resource, quiet", "resource=" + id("doc", 1900), fmt.Sprintf("a.resource_id = '%s'", id("doc", 1900))},
		{"resource_type", "resource_type=file", "a.resource_type = 'file'"},
		{
			"target", "target=" + id("person", 0),
			fmt.Sprintf("'%s' = ANY (a.target_principal_ids)", id("person", 0)),
		},
		by("owner", "owner_id", "person", 8),
		by("correlation_id", "correlation_id", "correlation", 30_001),
		{"request_id", "request_id=request-1200", "a.request_id = 'request-1200'"},
		{"status", "status=failure", "a.status = 'failure'"},
		{"severity", "severity=critical", "a.severity = 'critical'"},
		{"category", "category=billing", "a.category = 'billing'"},
		{"q", "q=needle", "a.message ILIKE '%needle%'"},
		{"reason", "reason=target", "n.reasons & 8 <> 0"},
	}
}

// inboxVisible is the naive condition that the person may see an activity.
const inboxVisible = `(a.target_principal_ids IS NOT NULL OR a.parent_id <> ALL (ARRAY(
	SELECT bench_id('folder', n) FROM generate_series(36, 39) AS n)))`
