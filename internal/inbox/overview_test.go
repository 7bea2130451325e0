package inbox

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// addOfAllKinds adds notifications, some of them read, archived or snoozed, of activities that
// differ in all that decides who may see them: the resource, which the directory may lack, the
// owner and the parent that the activity names, the visibility, and whether the principal is a
// party.
func (b *box) addOfAllKinds(t *testing.T) {
	t.Helper()
	child := uuid.New()
	b.exec(t, `INSERT INTO fanfare.resources (tenant_id, id, parent_id, type) VALUES ($1, $2, $3, 'doc')`,
		b.principal.TenantID, child, b.second)
	b.exec(t, `
		WITH kinds AS (
			SELECT fanfare.uuidv7() AS id, *
			FROM unnest($3::uuid[]) AS resource_id
			CROSS JOIN unnest($4::uuid[]) AS owner_id
			CROSS JOIN unnest($5::uuid[]) AS parent_id
			CROSS JOIN unnest($6::text[]) AS visibility
			CROSS JOIN unnest(ARRAY['actor', 'target', 'other']) AS party
			ORDER BY random()
		), recorded AS (
			INSERT INTO fanfare.activities (id, tenant_id, actor_principal_id, resource_id, owner_id, parent_id,
				correlation_id, occurred_at, recorded_at, resource_type, action, visibility, status, severity, category,
				target_principal_ids, delivery_channels, payload)
			SELECT id, $1, CASE party WHEN 'actor' THEN $2 ELSE gen_random_uuid() END, resource_id, owner_id, parent_id,
				gen_random_uuid(), now(), now(), 'doc', 'doc.moved', visibility, 'success', 'info', 'doc',
				CASE party WHEN 'target' THEN ARRAY[$2::uuid, resource_id] END, '{}', '{}'
			FROM kinds
		)
		INSERT INTO fanfare.notifications (tenant_id, principal_id, activity_id, reasons, resource_id, visibility,
			party, read_at, archived_at, snoozed_until)
		SELECT $1, $2, id, 1, resource_id, visibility::"char", party <> 'other',
			CASE WHEN random() < 0.3 THEN now() - interval '1 hour' END,
			CASE WHEN random() < 0.2 THEN now() END,
			CASE WHEN random() < 0.2 THEN now() + (ARRAY[-1, 1000])[ceil(2 * random())] * interval '1 minute' END
		FROM kinds`,
		b.principal.TenantID, b.principal.PrincipalID,
		[]uuid.UUID{b.visible, child, b.hidden, uuid.New()},
		[]*uuid.UUID{nil, &b.principal.PrincipalID}, []*uuid.UUID{nil, &b.visible, &b.hidden}, activity.Visibilities())
	b.addPurged(t)
}

// TestOverviewDecidesAsList compares overviews with List and Count.
func TestOverviewDecidesAsList(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for name, change := range map[string]string{
		"roles": `SELECT $1::uuid, $2::uuid, $3::uuid`,
		"owner": `UPDATE fanfare.resources SET owner_principal_id = $2 WHERE tenant_id = $1 AND id = $3`,
		"inactive": `INSERT INTO fanfare.principals (tenant_id, id, kind, display_name, active)
			SELECT $1, $2, 'user', 'Ada', false WHERE $3::uuid IS NOT NULL`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, db)
			b.exec(t, change, b.principal.TenantID, b.principal.PrincipalID, b.hidden)
			b.addOfAllKinds(t)
			for _, state := range []State{InInbox, Unread, Unseen, Snoozed, All} {
				for _, limit := range []int{7, MaxPage} {
					b.checkPages(t, Query{Selection: Selection{State: state}, Limit: limit})
				}
				b.checkByActivities(t, state)
			}
		})
	}
}

// checkByActivities compares the list and the count of a state, which notifications decide, with
// the list of a filter that all activities pass, which the activities decide.
func (b *box) checkByActivities(t *testing.T, state State) {
	t.Helper()
	got, _ := b.list(t, Query{Selection: Selection{State: state}}, nil)
	selection := Selection{State: state, Filter: activity.Filter{Status: string(activity.Success)}}
	want, _ := b.list(t, Query{Selection: selection}, nil)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("%s: -by activities +by notifications\n%s", state, diff)
	}
	if state == All {
		return // nothing counts it
	}
	if n, err := Count(t.Context(), b.db.Pool, b.principal, state); err != nil || n != len(want) {
		t.Errorf("%s: got a count of %d, %v, want %d", state, n, err, len(want))
	}
}

// checkPages compares the overviews of all pages with List and Count.
func (b *box) checkPages(t *testing.T, q Query) {
	t.Helper()
	b.checkOverviews(t, t.Errorf, q, b.unread(t), func(Page) {})
}

// checkOverviews compares the overviews of all pages with List and a number of unread
// notifications, and reports differences by fail. check is called with each page.
func (b *box) checkOverviews(
	t *testing.T, fail func(format string, args ...any), q Query, unread int, check func(Page),
) {
	t.Helper()
	for more := true; more; more = q.After != uuid.Nil {
		want, err := List(t.Context(), b.db.Pool, b.principal, q)
		if err != nil {
			t.Fatal(err)
		}
		got, n, err := Overview(t.Context(), b.db.Pool, b.principal, q)
		if err != nil || n != unread {
			fail("%+v: got %d unread, %v, want %d", q, n, err, unread)
		}
		check(got)
		got.Actors = nil
		if diff := gocmp.Diff(want, got); diff != "" {
			fail("%+v: -List +Overview\n%s", q, diff)
		}
		q.After = want.Next
	}
}

// TestOverviewBeyondItsBudget checks a page behind more notifications that the principal may not
// see than one page reads.
func TestOverviewBeyondItsBudget(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	b.add(t, 3, b.visible, false)
	b.add(t, ReadBudget-1, b.hidden, false)
	b.add(t, 1, b.visible, true)
	b.checkPages(t, Query{})
	b.checkPages(t, Query{Limit: 1})
}
