package inbox

import (
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// box is a principal's inbox, and two resources: they hold a role on one, and no longer on the
// other.
type box struct {
	db                *pgtest.DB
	tenant, principal uuid.UUID
	seen, lost        uuid.UUID
	visibility        string // of what is told; default "resource"
}

func newBox(t testing.TB, db *pgtest.DB) *box {
	t.Helper()
	b := &box{db: db, tenant: uuid.New(), principal: uuid.New(), seen: uuid.New(), lost: uuid.New()}
	b.exec(
		t,
		`INSERT INTO fanfare.resources (tenant_id, id, type) SELECT $1, unnest($2::uuid[]), 'doc'`,
		b.tenant,
		[]uuid.UUID{b.seen, b.lost},
	)
	b.grant(t, b.seen)
	// Not even who holds every role on nothing is shown what is not there.
	b.exec(
		t,
		`INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name) VALUES ($1, $2, $3, 'owner')`,
		b.tenant,
		b.principal,
		uuid.Nil,
	)
	return b
}

// id identifies the principal.
func (b *box) id() activity.Principal {
	return activity.Principal{TenantID: b.tenant, PrincipalID: b.principal}
}

func (b *box) grant(t testing.TB, resource uuid.UUID) {
	t.Helper()
	b.exec(
		t,
		`INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name) VALUES ($1, $2, $3, 'viewer')`,
		b.tenant,
		b.principal,
		resource,
	)
}

// tell puts n activities on a resource into the inbox and returns their ids, oldest first.
func (b *box) tell(t testing.TB, n int, resource uuid.UUID, read bool) []uuid.UUID {
	t.Helper()
	var ids []uuid.UUID
	err := b.db.Pool.QueryRow(t.Context(), `
		WITH made AS (
			INSERT INTO fanfare.activities (id, tenant_id, actor_principal_id, resource_id, correlation_id, occurred_at, recorded_at, resource_type,
				action, visibility, status, severity, category, delivery_channels, payload)
			SELECT fanfare.uuidv7(), $1, gen_random_uuid(), $3, gen_random_uuid(), now(), now(), 'doc', 'doc.moved', coalesce(nullif($6, ''), 'resource'), 'success', 'info', 'doc', '{}', '{}'
			FROM generate_series(1, $4)
			RETURNING id
		), told AS (
			INSERT INTO fanfare.notifications (tenant_id, principal_id, activity_id, reasons, read_at)
			SELECT $1, $2, id, 1, CASE WHEN $5 THEN now() END FROM made
		)
		SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM made`, b.tenant, b.principal, resource, n, read, b.visibility).Scan(&ids)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// forget leaves a notification whose activity the log does not hold any more.
func (b *box) forget(t testing.TB) uuid.UUID {
	t.Helper()
	var id uuid.UUID
	if err := b.db.Pool.QueryRow(t.Context(), `INSERT INTO fanfare.notifications (tenant_id, principal_id, activity_id, reasons)
		VALUES ($1, $2, fanfare.uuidv7(), 1) RETURNING activity_id`, b.tenant, b.principal).Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

func (b *box) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := b.db.Pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// all pages through the inbox.
func (b *box) all(t testing.TB, q Query, between func()) (ids []uuid.UUID, pages int) {
	t.Helper()
	for {
		page, err := List(t.Context(), b.db.Pool, b.id(), q)
		if err != nil {
			t.Fatal(err)
		}
		if q.Limit > 0 && len(page.Items) > q.Limit {
			t.Fatalf("got a page of %d, want at most %d", len(page.Items), q.Limit)
		}
		for _, n := range page.Items {
			ids = append(ids, n.ID)
		}
		if pages++; page.Next == uuid.Nil {
			return ids, pages
		}
		q.After = page.Next
		if between != nil {
			between()
		}
	}
}

func (b *box) unread(t testing.TB) int {
	t.Helper()
	n, err := UnreadCount(t.Context(), b.db.Pool, b.id())
	if err != nil {
		t.Fatal(err)
	}
	return n
}
