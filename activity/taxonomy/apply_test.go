package taxonomy_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/outbox"
)

func apply(t testing.TB, db *pgtest.DB, wanted *taxonomy.Taxonomy, o taxonomy.ApplyOptions) taxonomy.Changes {
	t.Helper()
	changes, err := taxonomy.Apply(t.Context(), db.Pool, wanted, o)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

func loaded(t testing.TB, db *pgtest.DB) *taxonomy.Taxonomy {
	t.Helper()
	applied, err := taxonomy.Load(t.Context(), db.Pool)
	if err != nil {
		t.Fatal(err)
	}
	return applied
}

func record(t testing.TB, db *pgtest.DB, e activity.Envelope) {
	t.Helper()
	e.ActorPrincipalID, e.ResourceID, e.ResourceType = uuid.New(), uuid.New(), "signal"
	if e.TenantID == uuid.Nil {
		e.TenantID = uuid.New()
	}
	err := pgx.BeginFunc(t.Context(), db.Pool, func(tx pgx.Tx) error {
		_, err := outbox.Record(t.Context(), tx, e)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestApply(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	if got := loaded(t, db).Actions(); len(got) != 0 {
		t.Errorf("before: got %d actions, want none", len(got))
	}
	first, second := parse(t, before).WithBuiltins(), parse(t, after).WithBuiltins()
	want := taxonomy.Diff(nil, first)
	if diff := cmp.Diff(want, apply(t, db, first, taxonomy.ApplyOptions{DryRun: true})); diff != "" {
		t.Errorf("dry run (-want +got):\n%s", diff)
	}
	if got := loaded(t, db).Actions(); len(got) != 0 {
		t.Errorf("after the dry run: got %d actions, want none", len(got))
	}

	var shown taxonomy.Changes
	apply(t, db, first, taxonomy.ApplyOptions{Show: func(c taxonomy.Changes) {
		shown = c
		if got := loaded(t, db).Actions(); len(got) != 0 {
			t.Errorf("when the changes are shown: got %d actions applied, want none", len(got))
		}
	}})
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(first.Actions(), loaded(t, db).Actions()); diff != "" {
		t.Errorf("loaded (-applied +got):\n%s", diff)
	}

	updated := func(action string) (at time.Time) {
		t.Helper()
		const query = `SELECT updated_at FROM fanfare.taxonomy WHERE action = $1`
		if err := db.Pool.QueryRow(t.Context(), query, action).Scan(&at); err != nil {
			t.Fatal(err)
		}
		return at
	}
	same, changed := updated("a.same"), updated("a.changed")
	if diff := cmp.Diff(taxonomy.Diff(first, second), apply(t, db, second, taxonomy.ApplyOptions{})); diff != "" {
		t.Errorf("the second (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(second.Actions(), loaded(t, db).Actions()); diff != "" {
		t.Errorf("loaded (-applied +got):\n%s", diff)
	}
	if got := updated("a.same"); !got.Equal(same) {
		t.Error("an action that stayed the same was written")
	}
	if got := updated("a.changed"); !got.After(changed) {
		t.Error("an action that changed has its old time")
	}
	if got := apply(t, db, second, taxonomy.ApplyOptions{}).Len(); got != 0 {
		t.Errorf("applied again: got %d changes, want none", got)
	}
}

func TestConcurrentApply(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	both := []*taxonomy.Taxonomy{parse(t, before).WithBuiltins(), parse(t, after).WithBuiltins()}
	group, ctx := errgroup.WithContext(t.Context())
	for i := range 8 {
		group.Go(func() error {
			_, err := taxonomy.Apply(ctx, db.Pool, both[i%2], taxonomy.ApplyOptions{})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	got := loaded(t, db)
	if taxonomy.Diff(got, both[0]).Len() > 0 && taxonomy.Diff(got, both[1]).Len() > 0 {
		t.Errorf("got %v, want one of the two taxonomies", got.Actions())
	}
}

func TestRemoveActionInUse(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	all := parse(t, "version: 1\nactions:\n  a.used: &x {description: D, category: C}\n  b.used: *x\n  c.idle: *x\n")
	apply(t, db, all, taxonomy.ApplyOptions{})
	for _, action := range []string{"a.used", "a.used", "b.used", "d.used"} {
		record(t, db, activity.Envelope{Action: action})
	}
	without := parse(t, none)
	for _, o := range []taxonomy.ApplyOptions{{}, {DryRun: true}} {
		_, err := taxonomy.Apply(t.Context(), db.Pool, without, o)
		var used *taxonomy.InUseError
		if !errors.As(err, &used) || cmp.Diff([]string{"a.used", "b.used"}, used.Actions) != "" {
			t.Errorf("%+v: got %v, want a.used and b.used in use", o, err)
		}
	}
	if diff := cmp.Diff(all.WithBuiltins().Actions(), loaded(t, db).Actions()); diff != "" {
		t.Errorf("after the error (-want +got):\n%s", diff)
	}
	fewer := parse(t, "version: 1\nactions:\n  a.used: &x {description: D, category: C}\n  b.used: *x\n")
	if got := apply(t, db, fewer, taxonomy.ApplyOptions{}); len(got.Removed) != 1 || got.Removed[0].Name != "c.idle" {
		t.Errorf("remove an unused action: got %v", got)
	}
	apply(t, db, without, taxonomy.ApplyOptions{Force: true})
	if diff := cmp.Diff(without.WithBuiltins().Actions(), loaded(t, db).Actions()); diff != "" {
		t.Errorf("with Force (-want +got):\n%s", diff)
	}
}

// TestSearchTimeout locks the partition that Apply searches.
func TestSearchTimeout(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	apply(t, db, parse(t, "version: 1\nactions:\n  a.idle: {description: D, category: C}\n"), taxonomy.ApplyOptions{})
	lock, err := db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := lock.Exec(t.Context(), `LOCK TABLE fanfare.activities_default IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	without := parse(t, none)
	_, err = taxonomy.Apply(t.Context(), db.Pool, without, taxonomy.ApplyOptions{SearchTimeout: 200 * time.Millisecond})
	var timeout *taxonomy.SearchTimeoutError
	if !errors.As(err, &timeout) || cmp.Diff([]string{"a.idle"}, timeout.Actions) != "" ||
		!strings.Contains(err.Error(), "--force") {
		t.Errorf("got %v, want a *SearchTimeoutError of a.idle", err)
	}
	apply(t, db, without, taxonomy.ApplyOptions{Force: true}) // without a search
	if diff := cmp.Diff(without.WithBuiltins().Actions(), loaded(t, db).Actions()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoadInvalid(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	_, err := db.Pool.Exec(t.Context(), `
		INSERT INTO fanfare.taxonomy (action, description, category, title, payload_schema) VALUES
		    ('a.b', 'D', 'C', '{who}', NULL),
		    ('a.c', 'D', 'C', '', '{"type": "object", "$ref": "https://example.com/schema"}'),
		    ('a.d', 'D', 'C', '', 'null')`)
	if err != nil {
		t.Fatal(err)
	}
	_, err = taxonomy.Load(t.Context(), db.Pool)
	var invalidErr *taxonomy.InvalidError
	if !errors.As(err, &invalidErr) || len(invalidErr.Diagnostics) != 3 || invalidErr.Diagnostics[1].Action != "a.c" ||
		!strings.Contains(err.Error(), "must be #/$defs/<name>") {
		t.Errorf("got %v, want three diagnostics", err)
	}
	if _, err := taxonomy.Apply(t.Context(), db.Pool, parse(t, after), taxonomy.ApplyOptions{}); !errors.As(
		err,
		&invalidErr,
	) {
		t.Errorf("apply: got %v, want an *InvalidError", err)
	}
}

func TestModes(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ctx, one, other := t.Context(), uuid.UUID{1}, uuid.UUID{2}
	check := func(want taxonomy.Mode, tenants ...taxonomy.TenantMode) {
		t.Helper()
		got, err := taxonomy.Modes(ctx, db.Pool)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got.Tenants {
			got.Tenants[i].UpdatedAt = time.Time{}
		}
		modes := taxonomy.Enforcement{Installation: want, Tenants: append([]taxonomy.TenantMode{}, tenants...)}
		if diff := cmp.Diff(modes, got); diff != "" {
			t.Errorf("modes (-want +got):\n%s", diff)
		}
		for _, m := range append(tenants, taxonomy.TenantMode{TenantID: uuid.New(), Mode: want}) {
			if mode, err := taxonomy.ModeOf(ctx, db.Pool, m.TenantID); err != nil || mode != m.Mode {
				t.Errorf("mode of %s: got %s and %v, want %s", m.TenantID, mode, err, m.Mode)
			}
		}
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(taxonomy.Off)
	do(taxonomy.SetMode(ctx, db.Pool, other, taxonomy.Strict))
	do(taxonomy.SetMode(ctx, db.Pool, one, taxonomy.Strict))
	do(taxonomy.SetMode(ctx, db.Pool, one, taxonomy.Off))
	do(taxonomy.SetMode(ctx, db.Pool, uuid.Nil, taxonomy.Warn))
	check(
		taxonomy.Warn,
		taxonomy.TenantMode{TenantID: one, Mode: taxonomy.Off},
		taxonomy.TenantMode{TenantID: other, Mode: taxonomy.Strict},
	)
	do(taxonomy.ClearMode(ctx, db.Pool, one))
	do(taxonomy.ClearMode(ctx, db.Pool, one))
	check(taxonomy.Warn, taxonomy.TenantMode{TenantID: other, Mode: taxonomy.Strict})
	do(taxonomy.ClearMode(ctx, db.Pool, uuid.Nil))
	check(taxonomy.Off, taxonomy.TenantMode{TenantID: other, Mode: taxonomy.Strict})

	var invalidErr *invalid.Error
	if err := taxonomy.SetMode(ctx, db.Pool, one, "loud"); !errors.As(err, &invalidErr) ||
		invalidErr.Fields[0].Value != "loud" {
		t.Errorf("loud: got %v, want an *invalid.Error", err)
	}
}

// TestSecretKeys applies secret keys and records a payload that contains them.
func TestSecretKeys(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	stored := func() (payload string) {
		t.Helper()
		err := db.Pool.QueryRow(t.Context(), `
			WITH recorded AS MATERIALIZED (
			    SELECT (r).id, (r).payload
			    FROM (SELECT fanfare.record_envelope(jsonb_build_object(
			        'tenant_id', gen_random_uuid(), 'actor_principal_id', gen_random_uuid(),
			        'resource_id', gen_random_uuid(), 'resource_type', 'r', 'action', 'a.b',
			        'payload', '{"IBAN": "DE02", "of": [{"ssn": 1}]}'::jsonb)) AS r) AS x)
			SELECT payload::text FROM recorded`).Scan(&payload)
		if err != nil {
			t.Fatal(err)
		}
		return payload
	}
	step := func(keys, wantDiff, wantStored string) {
		t.Helper()
		wanted := parse(t, "version: 1\nsecret_keys: "+keys+"\nactions:\n  a.b: {description: D, category: C}\n")
		changes := apply(t, db, wanted, taxonomy.ApplyOptions{})
		if got, _, _ := strings.Cut(changes.String(), "\n"); !strings.HasPrefix(wantDiff, "~") && changes.Len() != 0 ||
			strings.HasPrefix(wantDiff, "~") && got != wantDiff {
			t.Errorf("%s: got the changes %q, want %q", keys, changes, wantDiff)
		}
		if diff := cmp.Diff(wanted.SecretKeys(), loaded(t, db).SecretKeys(), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s loaded (-want +got):\n%s", keys, diff)
		}
		if got := stored(); got != wantStored {
			t.Errorf("%s: stored %s, want %s", keys, got, wantStored)
		}
	}
	const unredacted = `{"of": [{"ssn": 1}], "IBAN": "DE02"}`
	apply(t, db, parse(t, "version: 1\nactions:\n  a.b: {description: D, category: C}\n"), taxonomy.ApplyOptions{})
	step("[]", "", unredacted)
	step(
		"[SSN, iban]",
		`~ secret_keys: (none) → ["iban","ssn"]`,
		`{"of": [{"ssn": "[redacted]"}], "IBAN": "[redacted]"}`,
	)
	step("[iban, ssn]", "", `{"of": [{"ssn": "[redacted]"}], "IBAN": "[redacted]"}`)
	step("[iban]", `~ secret_keys: ["iban","ssn"] → ["iban"]`, `{"of": [{"ssn": 1}], "IBAN": "[redacted]"}`)
	step("[]", `~ secret_keys: ["iban"] → (none)`, unredacted)
}
