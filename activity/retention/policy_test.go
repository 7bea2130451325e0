package retention_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/activity/retention"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

func number(n int64) *int64 { return &n }

func TestDefaults(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	tenant := uuid.New()
	got, err := retention.Get(t.Context(), db.Pool, tenant)
	if err != nil {
		t.Fatal(err)
	}
	from := retention.FromInstallation
	want := retention.Policy{
		TenantID:        tenant,
		MaxDays:         retention.Limit{From: from},
		MaxEntries:      retention.Limit{From: from},
		MinDays:         retention.Limit{Value: 7, From: from},
		InboxDays:       retention.Limit{Value: 90, From: from},
		IdempotencyDays: retention.Limit{Value: 30, From: from},
		DeadLetterDays: retention.Limit{
			Value: 90,
			From:  from,
		},
		ParkedDays: retention.Limit{Value: 30, From: from},
		TokenDays:  retention.Limit{Value: 90, From: from},

		MinDaysFloor: 7,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSet(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	tenant, actor := uuid.New(), uuid.New()
	got, err := retention.Set(
		t.Context(),
		db.Pool,
		tenant,
		actor,
		retention.Change{retention.MaxDays: number(365), retention.InboxDays: number(0)},
	)
	if err != nil {
		t.Fatal(err)
	}
	if (got.MaxDays != retention.Limit{
		Value: 365,
		From:  retention.FromTenant,
	} || got.InboxDays != retention.Limit{From: retention.FromTenant} ||
		got.MinDays != retention.Limit{
			Value: 7,
			From:  retention.FromInstallation,
		} || got.UpdatedBy == nil || *got.UpdatedBy != actor || got.UpdatedAt == nil) {
		t.Errorf("got %+v", got)
	}
	var payload string
	var by uuid.UUID
	if err := db.Pool.QueryRow(t.Context(), `
		SELECT payload, actor_principal_id
		FROM fanfare.activities
		WHERE tenant_id = $1 AND action = 'retention.changed'`, tenant).Scan(&payload, &by); err != nil {
		t.Fatal(err)
	}
	var recorded, want any
	_ = json.Unmarshal([]byte(payload), &recorded)
	_ = json.Unmarshal([]byte(`{"changed": ["max_days", "inbox_days"],
		"from": {"max_days": {"value": 0, "from": "installation"}, "inbox_days": {"value": 90, "from": "installation"}},
		"to": {"max_days": {"value": 365, "from": "tenant"}, "inbox_days": {"value": 0, "from": "tenant"}}}`), &want)
	if diff := cmp.Diff(want, recorded); diff != "" || by != actor {
		t.Errorf("recorded by %s, want %s (-want +got):\n%s", by, actor, diff)
	}

	got, err = retention.Set(t.Context(), db.Pool, tenant, actor, retention.Change{retention.InboxDays: nil})
	if err != nil {
		t.Fatal(err)
	}
	if (got.MaxDays != retention.Limit{
		Value: 365,
		From:  retention.FromTenant,
	} || got.InboxDays != retention.Limit{Value: 90, From: retention.FromInstallation}) {
		t.Errorf("limit removed: got %+v", got)
	}

	if _, err = retention.Set(t.Context(), db.Pool, retention.Installation, actor, retention.Change{
		retention.InboxDays: number(10),
	}); err != nil {
		t.Fatal(err)
	}
	if got, err = retention.Get(t.Context(), db.Pool, tenant); err != nil ||
		(got.InboxDays != retention.Limit{Value: 10, From: retention.FromInstallation}) {
		t.Errorf("after a change of the installation: got %+v, %v", got.InboxDays, err)
	}
}

// TestSetRefuses violates each rule. A refused change has no effect and is not recorded.
func TestSetRefuses(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	tenant, other, actor := uuid.New(), uuid.New(), uuid.New()
	if _, err := retention.Set(t.Context(), db.Pool, other, actor, retention.Change{
		retention.MaxDays: number(30),
	}); err != nil {
		t.Fatal(err)
	}
	before, err := retention.Get(t.Context(), db.Pool, tenant)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		tenant uuid.UUID
		change retention.Change
		want   string
	}{
		"nothing": {tenant, retention.Change{}, "retention must change at least one limit"},
		"below zero": {
			tenant,
			retention.Change{retention.InboxDays: number(-1)},
			`inbox_days "-1" must be from 0 to 18250`,
		},
		"too many days": {
			tenant,
			retention.Change{retention.MaxDays: number(18251)},
			`max_days "18251" must be from 0 to 18250`,
		},
		"too many entries": {
			tenant,
			retention.Change{retention.MaxEntries: number(1_000_000_001)},
			`max_entries "1000000001" must be from 0 to 1000000000`,
		},
		"no such limit": {
			tenant,
			retention.Change{"max_weeks": number(1)},
			"max_weeks is not a limit of retention",
		},
		"two at once": {
			tenant,
			retention.Change{retention.MinDays: number(-1), retention.MaxDays: number(-2)},
			`max_days "-2" must be from 0 to 18250; min_days "-1"`,
		},
		"less than the minimum": {
			tenant,
			retention.Change{retention.MaxDays: number(6)},
			`max_days "6" must be at least min_days (7), or 0`,
		},
		"below the installation's minimum": {
			tenant,
			retention.Change{retention.MinDays: number(0), retention.MaxEntries: number(1)},
			`min_days "0" must be at least that of the installation (7)`,
		},
		"more than the maximum": {
			other,
			retention.Change{retention.MinDays: number(31)},
			`min_days "31" must be at most max_days (30)`,
		},
		"no limit to fall back on": {
			retention.Installation,
			retention.Change{retention.MinDays: nil},
			"min_days must be a number",
		},
		"another's maximum": {
			retention.Installation,
			retention.Change{retention.MinDays: number(31)},
			`min_days "31" must be at most max_days (30), also for tenant ` + other.String(),
		},
		"the installation's own": {
			retention.Installation,
			retention.Change{retention.MinDays: number(31), retention.MaxDays: number(20)},
			`max_days "20" must be at least min_days (31), or 0`,
		},
		"contradicting each other": {
			tenant,
			retention.Change{retention.MinDays: number(31), retention.MaxDays: number(20)},
			`max_days "20" must be at least min_days (31), or 0`,
		},
	} {
		_, err := retention.Set(t.Context(), db.Pool, c.tenant, actor, c.change)
		refused := (*invalid.Error)(nil)
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want a refusal with %q", name, err, c.want)
		}
	}
	after, err := retention.Get(t.Context(), db.Pool, tenant)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the policy changed (-before +after):\n%s", diff)
	}
	var recorded int
	if err := db.Pool.QueryRow(t.Context(), `SELECT count(*) FROM fanfare.activities`).Scan(&recorded); err != nil ||
		recorded != 1 {
		t.Errorf("recorded: got %d (%v), want the 1 accepted change", recorded, err)
	}
}

func TestHolds(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	tenant, other, actor, resource := uuid.New(), uuid.New(), uuid.New(), uuid.New()
	for name, h := range map[string]retention.Hold{
		"reason is required":              {TenantID: tenant, CreatedBy: actor},
		"tenant_id is required":           {CreatedBy: actor, Reason: "a case"},
		"created_by is required":          {TenantID: tenant, Reason: "a case"},
		"must be at most 500 characters":  {TenantID: tenant, CreatedBy: actor, Reason: strings.Repeat("ä", 501)},
		"must be valid UTF-8 without NUL": {TenantID: tenant, CreatedBy: actor, Reason: "a\x00b"},
		"must not be given together with r": {
			TenantID:         tenant,
			CreatedBy:        actor,
			Reason:           "a case",
			ResourceID:       &resource,
			ActorPrincipalID: &actor,
		},
	} {
		refused := (*invalid.Error)(nil)
		if _, err := retention.Place(t.Context(), db.Pool, h); !errors.As(err, &refused) ||
			!strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want a refusal with %q", err, name)
		}
	}
	first, err := retention.Place(
		t.Context(),
		db.Pool,
		retention.Hold{TenantID: tenant, CreatedBy: actor, Reason: "a case", ResourceID: &resource},
	)
	if err != nil {
		t.Fatal(err)
	}
	second, err := retention.Place(
		t.Context(),
		db.Pool,
		retention.Hold{TenantID: tenant, CreatedBy: actor, Reason: "another", ActorPrincipalID: &actor},
	)
	if err != nil {
		t.Fatal(err)
	}
	list := func(whose, after uuid.UUID, released bool) []retention.Hold {
		t.Helper()
		holds, err := retention.Holds(t.Context(), db.Pool, retention.HoldQuery{
			TenantID: whose, After: after, Released: released, Limit: 10,
		})
		if err != nil {
			t.Fatal(err)
		}
		return holds
	}
	if diff := cmp.Diff([]retention.Hold{first, second}, list(tenant, uuid.Nil, false)); diff != "" {
		t.Errorf("holds (-want +got):\n%s", diff)
	}
	if got := list(uuid.Nil, first.ID, false); len(got) != 1 || got[0].ID != second.ID {
		t.Errorf("of every tenant, after the first: got %+v", got)
	}
	if got := list(other, uuid.Nil, true); len(got) != 0 {
		t.Errorf("another tenant's: got %+v, want none", got)
	}
	if _, err := retention.Release(t.Context(), db.Pool, other, first.ID, actor); !errors.Is(
		err,
		activity.ErrNotFound,
	) {
		t.Errorf("release another tenant's: got %v, want ErrNotFound", err)
	}
	released, err := retention.Release(t.Context(), db.Pool, tenant, first.ID, actor)
	if err != nil || released.ReleasedAt == nil || released.ReleasedBy == nil || *released.ReleasedBy != actor {
		t.Errorf("release: got %+v, %v", released, err)
	}
	if _, err := retention.Release(t.Context(), db.Pool, tenant, first.ID, actor); !errors.Is(
		err,
		activity.ErrNotFound,
	) {
		t.Errorf("release again: got %v, want ErrNotFound", err)
	}
	if got := list(tenant, uuid.Nil, false); len(got) != 1 {
		t.Errorf("after the release: got %+v, want one", got)
	}
	if diff := cmp.Diff([]retention.Hold{released, second}, list(tenant, uuid.Nil, true)); diff != "" {
		t.Errorf("including released ones (-want +got):\n%s", diff)
	}
	var actions []string
	if err := db.Pool.QueryRow(t.Context(), `
		SELECT array_agg(action ORDER BY id)
		FROM fanfare.activities
		WHERE tenant_id = $1`, tenant).Scan(&actions); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{
		"retention.hold_placed",
		"retention.hold_placed",
		"retention.hold_released",
	}, actions); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
}
