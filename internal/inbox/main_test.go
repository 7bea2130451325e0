package inbox

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var unread = Selection{State: Unread}

// box is the inbox of a principal with three resources. The principal holds a role on visible and
// second, and none on hidden.
type box struct {
	db              *pgtest.DB
	principal       activity.Principal
	visible, second uuid.UUID
	hidden          uuid.UUID
	visibility      activity.Visibility // of new activities
}

func newBox(t testing.TB, db *pgtest.DB) *box {
	t.Helper()
	b := &box{
		db:         db,
		principal:  activity.Principal{TenantID: uuid.New(), PrincipalID: uuid.New()},
		visible:    uuid.New(),
		second:     uuid.New(),
		hidden:     uuid.New(),
		visibility: activity.ResourceWide,
	}
	b.exec(t, `INSERT INTO fanfare.resources (tenant_id, id, type) SELECT $1, unnest($2::uuid[]), 'doc'`,
		b.principal.TenantID, []uuid.UUID{b.visible, b.second, b.hidden})
	b.addRole(t, b.visible, "viewer")
	b.addRole(t, b.second, "viewer")
	// A role on uuid.Nil must not make purged activities visible, whose resource is uuid.Nil.
	b.addRole(t, uuid.Nil, "owner")
	return b
}

func (b *box) addRole(t testing.TB, resource uuid.UUID, role string) {
	t.Helper()
	b.exec(t, `INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name)
		VALUES ($1, $2, $3, $4)`, b.principal.TenantID, b.principal.PrincipalID, resource, role)
}

// add adds notifications of n new activities on a resource and returns their ids, oldest first.
func (b *box) add(t testing.TB, n int, resource uuid.UUID, read bool) []uuid.UUID {
	t.Helper()
	var ids []uuid.UUID
	err := b.db.Pool.QueryRow(t.Context(), `
		WITH recorded AS (
			INSERT INTO fanfare.activities (id, tenant_id, actor_principal_id, resource_id, correlation_id,
				occurred_at, recorded_at, resource_type, action, visibility, status, severity, category,
				delivery_channels, payload)
			SELECT fanfare.uuidv7(), $1, gen_random_uuid(), $3, gen_random_uuid(), now(), now(), 'doc', 'doc.moved',
				$6, 'success', 'info', 'doc', '{}', '{}'
			FROM generate_series(1, $4)
			RETURNING id
		), notified AS (
			INSERT INTO fanfare.notifications (tenant_id, principal_id, activity_id, reasons, read_at, resource_id,
				visibility, party)
			SELECT $1, $2, id, 1, CASE WHEN $5 THEN now() END, $3, $6::text::"char", false FROM recorded
		)
		SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM recorded`,
		b.principal.TenantID, b.principal.PrincipalID, resource, n, read, b.visibility).Scan(&ids)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// addPurged adds a notification whose activity is not in the log.
func (b *box) addPurged(t testing.TB) uuid.UUID {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	b.addNotification(t, id)
	return id
}

func (b *box) addNotification(t testing.TB, activityID uuid.UUID) {
	t.Helper()
	b.exec(t, `INSERT INTO fanfare.notifications (tenant_id, principal_id, activity_id, reasons, resource_id,
			visibility, party)
		SELECT $1, $2, $3, 1, gen_random_uuid(), 'r', false`,
		b.principal.TenantID, b.principal.PrincipalID, activityID)
}

func (b *box) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := b.db.Pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// list reads all pages and calls between, if not nil, after each.
func (b *box) list(t testing.TB, q Query, between func()) (ids []uuid.UUID, pages int) {
	t.Helper()
	for {
		page, err := List(t.Context(), b.db.Pool, b.principal, q)
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
	n, err := Count(t.Context(), b.db.Pool, b.principal, Unread)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// wantInvalid fails the test unless an error is an *invalid.Error about a subject.
func wantInvalid(t testing.TB, err error, subject string) {
	t.Helper()
	if refused, ok := errors.AsType[*invalid.Error](err); !ok || refused.Subject != subject {
		t.Errorf("got %v, want an *invalid.Error about the %s", err, subject)
	}
}
