package tenantdata

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// newPair returns a pair of databases of which the source has 3,000 notifications of a tenant, 100
// of each principal, in chunks of 20.
func newPair(t *testing.T, source, destination *pgtest.DB) *Pair {
	t.Helper()
	ctx := t.Context()
	connect := func(db *pgtest.DB) *pgx.Conn {
		conn, err := pgx.Connect(ctx, db.URL)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(ctx)) })
		if err := Prepare(ctx, conn); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	p := &Pair{Source: connect(source), Destination: connect(destination), Progress: func(string, int64) {}}
	p.Write = func(ctx context.Context, do func(tx pgx.Tx) error) error {
		return pgx.BeginFunc(ctx, p.Destination, do)
	}
	var err error
	if p.Scope, err = NewScope(ctx, p.Source, p.Destination, uuid.New()); err != nil {
		t.Fatal(err)
	}
	p.ChunkRows = 20 * chunkParts
	notify(t, p.Source, p.Tenant, 3000)
	return p
}

// notify adds notifications of a tenant.
func notify(t *testing.T, db *pgx.Conn, tenant uuid.UUID, count int) {
	t.Helper()
	change(t, db, `
		INSERT INTO fanfare.notifications (
		    tenant_id, principal_id, activity_id, resource_id, reasons, visibility, party)
		SELECT $1, fanfare.id_of('p', (n % 30)::text), gen_random_uuid(), gen_random_uuid(), 1, 'r', false
		FROM generate_series(1, $2::int) AS n`, [16]byte(tenant), count)
}

// change executes a statement.
func change(t *testing.T, db *pgx.Conn, sql string, arguments ...any) {
	t.Helper()
	if _, err := db.Exec(t.Context(), sql, arguments...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// oneOf selects a notification of the tenant $1, always the same.
const oneOf = `(SELECT ctid FROM fanfare.notifications WHERE tenant_id = $1 ORDER BY activity_id LIMIT 1)`

// TestSettleRows changes rows of the source after they were copied. What has changed is copied, and
// only the chunks are read that may have changed: on a server of its own, since transactions in
// other databases count.
func TestSettleRows(t *testing.T) {
	t.Parallel()
	_, source := pgtest.NewCluster(t)
	destination := pgtest.New(t)
	const (
		markRead   = `UPDATE fanfare.notifications SET read_at = now() WHERE ctid = ` + oneOf
		markUnread = `UPDATE fanfare.notifications SET read_at = NULL WHERE ctid = ` + oneOf
		remove     = `DELETE FROM fanfare.notifications WHERE ctid = ` + oneOf
		replace    = `WITH removed AS (` + remove + ` RETURNING notifications AS r)
			INSERT INTO fanfare.notifications SELECT (n.r).* FROM removed AS n`
		markAll   = `UPDATE fanfare.notifications SET seen_at = now() WHERE tenant_id = $1`
		removeAll = `DELETE FROM fanfare.notifications WHERE tenant_id = $1`
		add       = `
			INSERT INTO fanfare.notifications (
			    tenant_id, principal_id, activity_id, resource_id, reasons, visibility, party)
			SELECT $1, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1, 'r', false`
	)
	for title, test := range map[string]struct {
		changes []string
		chunks  int  // that are read
		copies  bool // rows to the destination
	}{
		"nothing":          {nil, 0, false},
		"a row is updated": {[]string{markRead}, 1, true},
		"and updated back": {[]string{markRead, markUnread}, 1, false},
		"a row is added":   {[]string{add}, 1, true},
		"a row is deleted": {[]string{remove}, 1, true},
		"and added again":  {[]string{replace}, 1, false},
		"all are updated":  {[]string{markAll}, 150, true},
		"all are deleted":  {[]string{removeAll}, 150, false},
	} {
		t.Run(title, func(t *testing.T) {
			p := newPair(t, source, destination)
			table := named("notifications")
			for range 2 { // the first copies all, the second finds no difference
				if _, err := p.CopyRows(t.Context(), table); err != nil {
					t.Fatal(err)
				}
			}
			for _, sql := range test.changes {
				change(t, p.Source, sql, [16]byte(p.Tenant))
			}
			found, err := p.compareAgain(t.Context(), table)
			if err != nil {
				t.Fatal(err)
			}
			if len(found.chosen) != test.chunks {
				t.Errorf("got %d chunks to read, want %d", len(found.chosen), test.chunks)
			}
			settle(t, p, table, test.copies)
		})
	}
}

// settle settles a table, and checks that it is equal in both databases.
func settle(t *testing.T, p *Pair, table Table, copies bool) {
	t.Helper()
	rows, copied, err := p.SettleRows(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	if (copied > 0) != copies {
		t.Errorf("got %d copied rows, want some: %v", copied, copies)
	}
	all, err := p.compare(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	if len(all.spans) != 0 || all.rows != rows {
		t.Errorf("got %d differences in %d rows, want none in %d", len(all.spans), all.rows, rows)
	}
}

// A row that was written before the copy, by a transaction that commits after it, is copied.
func TestSettleRowsOfAnOpenTransaction(t *testing.T) {
	t.Parallel()
	p := newPair(t, pgtest.New(t), pgtest.New(t))
	ctx, table := t.Context(), named("notifications")
	writer, err := pgx.ConnectConfig(ctx, p.Source.Config())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = writer.Close(context.WithoutCancel(ctx)) })
	change(t, writer, `BEGIN`)
	notify(t, writer, p.Tenant, 1)
	for range 2 {
		if _, err := p.CopyRows(ctx, table); err != nil {
			t.Fatal(err)
		}
	}
	change(t, writer, `COMMIT`)
	settle(t, p, table, true)
}

// What the latest copy has copied is read again: the source may have changed in between.
func TestSettleRowsAfterTheFirstCopy(t *testing.T) {
	t.Parallel()
	p := newPair(t, pgtest.New(t), pgtest.New(t))
	table := named("notifications")
	if _, err := p.CopyRows(t.Context(), table); err != nil {
		t.Fatal(err)
	}
	change(t, p.Destination, `DELETE FROM fanfare.notifications WHERE ctid = `+oneOf, [16]byte(p.Tenant))
	settle(t, p, table, true)
}

// TestSettleTables changes a row in tables whose chunks are read in each way: without a key, by
// ranges of an index, and at once.
func TestSettleTables(t *testing.T) {
	t.Parallel()
	for table, statements := range map[string]struct{ fill, change string }{
		"tenant_preferences": {
			`INSERT INTO fanfare.tenant_preferences (tenant_id, filter_mode) SELECT $1, 'all'`,
			`UPDATE fanfare.tenant_preferences SET filter_mode = 'none' WHERE tenant_id = $1`,
		},
		"preferences": {
			`INSERT INTO fanfare.preferences (tenant_id, principal_id, filter_mode)
			 SELECT $1, gen_random_uuid(), 'all' FROM generate_series(1, 200)`,
			`UPDATE fanfare.preferences SET filter_mode = 'none' WHERE principal_id = (
			     SELECT max(principal_id::text)::uuid FROM fanfare.preferences WHERE tenant_id = $1)`,
		},
		"role_bindings": {
			`INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name)
			 SELECT $1, gen_random_uuid(), gen_random_uuid(), 'viewer' FROM generate_series(1, 200)`,
			`UPDATE fanfare.role_bindings SET revoked_at = now() WHERE principal_id = (
			     SELECT min(principal_id::text)::uuid FROM fanfare.role_bindings WHERE tenant_id = $1)`,
		},
	} {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, pgtest.New(t), pgtest.New(t))
			change(t, p.Source, statements.fill, [16]byte(p.Tenant))
			for range 2 {
				if _, err := p.CopyRows(t.Context(), named(table)); err != nil {
					t.Fatal(err)
				}
			}
			change(t, p.Source, statements.change, [16]byte(p.Tenant))
			settle(t, p, named(table), true)
		})
	}
}
