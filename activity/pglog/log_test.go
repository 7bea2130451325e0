package pglog

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/uuidv7"
)

// idAt returns the nth UUIDv7 of a time.
func idAt(at time.Time, n uint16) uuid.UUID {
	var bits uuid.UUID
	binary.BigEndian.PutUint16(bits[14:], n)
	return uuidv7.At(at, bits)
}

// store inserts activities without the recording function.
func store(t testing.TB, pool *pgxpool.Pool, list ...activity.Activity) {
	t.Helper()
	batch := &pgx.Batch{}
	for _, a := range list {
		batch.Queue(`
			INSERT INTO fanfare.activities (id, tenant_id, actor_principal_id, resource_id, correlation_id,
				target_principal_ids, owner_id, occurred_at, recorded_at, resource_type, resource_name, action,
				visibility, status, severity, category, delivery_channels, message, request_id, payload)
			VALUES ($1, $2, $3, $4, $5, $6, nullif($7::uuid, $20::uuid), $8, $8, $9, $10,
				$11, $12, $13, $14, $15, '{}', $16, $17, coalesce($18::jsonb, $19))`,
			a.ID, a.TenantID, a.ActorPrincipalID, a.ResourceID, a.CorrelationID, a.TargetPrincipalIDs, a.OwnerID,
			a.RecordedAt, a.ResourceType, a.ResourceName, a.Action, a.Visibility, a.Status, a.Severity, a.Category,
			a.Message, a.RequestID, a.Payload, "{}", uuid.Nil)
	}
	if err := pool.SendBatch(t.Context(), batch).Close(); err != nil {
		t.Fatal(err)
	}
}

var few = func() (ids []uuid.UUID) {
	for n := range 3 {
		ids = append(ids, uuid.UUID{0: 7, 15: byte(n)})
	}
	return ids
}()

// drawActivity returns the nth activity after a time. It has few distinct values, so that filters
// match.
func drawActivity(rt *rapid.T, tenant uuid.UUID, start time.Time, n int) activity.Activity {
	at := start.Add(time.Duration(n) * 700 * time.Microsecond)
	one := func(of ...string) string { return rapid.SampledFrom(of).Draw(rt, "value") }
	id := func() uuid.UUID { return rapid.SampledFrom(few).Draw(rt, "id") }
	optional := func() uuid.UUID { return rapid.SampledFrom(append([]uuid.UUID{{}}, few...)).Draw(rt, "optional id") }
	salted := idAt(at, uint16(n))
	copy(salted[9:14], tenant[9:14]) // ids are global
	took := rapid.SampledFrom([]time.Duration{0, 40 * time.Microsecond, 2 * time.Millisecond, 30 * time.Second}).
		Draw(rt, "took")
	return activity.Activity{
		ID:                 salted,
		TenantID:           tenant,
		ActorPrincipalID:   id(),
		ResourceID:         id(),
		CorrelationID:      id(),
		TargetPrincipalIDs: rapid.SliceOfNDistinct(rapid.SampledFrom(few), 0, 2, rapid.ID).Draw(rt, "targets"),
		OwnerID:            optional(),
		RecordedAt:         at.Add(took),
		ResourceType:       one("doc", "team"),
		ResourceName:       one("", "50% off", "Plan B"),
		Action:             one("doc.created", "doc.moved", "team.created", "docx.created"),
		Visibility:         activity.ResourceWide,
		Status:             activity.Status(one("success", "failure")),
		Severity:           activity.Severity(one("info", "critical")),
		Category:           one("a", "b"),
		Message:            one("", "a_b", "Created PLAN", `back\slash`),
		RequestID:          one("", "r1"),
	}
}

func drawFilter(rt *rapid.T, start time.Time) activity.Filter {
	maybe := func(label string, of ...string) string {
		if rapid.IntRange(0, 3).Draw(rt, label+"?") > 0 {
			return ""
		}
		return rapid.SampledFrom(of).Draw(rt, label)
	}
	id := func(label string) uuid.UUID {
		return rapid.SampledFrom(append(make([]uuid.UUID, 6), few...)).Draw(rt, label)
	}
	at := func(label string) time.Time {
		if rapid.IntRange(0, 3).Draw(rt, label+"?") > 0 {
			return time.Time{}
		}
		return start.Add(time.Duration(rapid.IntRange(-10, 100).Draw(rt, label)) * 350 * time.Microsecond)
	}
	f := activity.Filter{
		Action:        maybe("action", "doc.*", "*.created", "doc.created", "d[o-p]c?.c*", "[!t]*", "nothing", "*"),
		Actor:         id("actor"),
		Resource:      id("resource"),
		Target:        id("target"),
		Owner:         id("owner"),
		CorrelationID: id("correlation"),
		ResourceType:  maybe("type", "doc"),
		RequestID:     maybe("request", "r1"),
		Status:        maybe("status", "failure"),
		Severity:      maybe("severity", "critical"),
		Category:      maybe("category", "a"),
		Since:         at("since"),
		Until:         at("until"),
		Q:             maybe("q", "plan", "%", "_", "a_b", `\`, "CREATED", "50% OFF"),
	}
	if !f.Since.IsZero() && !f.Since.Before(f.Until) {
		f.Until = time.Time{}
	}
	return f
}

// TestListReturnsWhatMatches pages through random logs with random filters and small budgets while
// other activities are recorded: the pages hold the activities that pass the filter, once each, in
// the order of their ids.
func TestListReturnsWhatMatches(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	rapid.Check(t, func(rt *rapid.T) {
		tenant, other := uuid.New(), uuid.New()
		start := time.Now().Truncate(time.Second)
		var stored []activity.Activity
		for n := range rapid.IntRange(0, 40).Draw(rt, "activities") {
			stored = append(
				stored,
				drawActivity(
					rt,
					rapid.SampledFrom([]uuid.UUID{tenant, tenant, tenant, other}).Draw(rt, "tenant"),
					start,
					n,
				),
			)
		}
		store(t, pool, stored...)
		f := drawFilter(rt, start)
		log := New(pool)
		log.scanBudget = rapid.IntRange(1, 20).Draw(rt, "budget")
		limit := rapid.IntRange(1, 10).Draw(rt, "limit")

		var want []uuid.UUID
		matches := f.Matcher()
		for _, a := range slices.Backward(stored) {
			if a.TenantID == tenant && matches(&a) {
				want = append(want, a.ID)
			}
		}
		var got []uuid.UUID
		for pages, page := 1, (activity.Page{Limit: limit}); ; pages++ {
			list, next, err := log.List(t.Context(), tenant, f, page)
			if err != nil {
				rt.Fatal(err)
			}
			if len(list) > limit {
				rt.Fatalf("got a page of %d, want at most %d", len(list), limit)
			}
			for _, a := range list {
				got = append(got, a.ID)
			}
			if next == uuid.Nil {
				break
			}
			if page.Before != uuid.Nil && bytes.Compare(next[:], page.Before[:]) >= 0 {
				rt.Fatalf("got next %s after %s, want it older", next, page.Before)
			}
			page.Before = next
			newer := drawActivity(rt, tenant, start.Add(time.Minute), len(stored)+pages)
			store(t, pool, newer)
		}
		if !slices.Equal(got, want) {
			rt.Errorf("got %d: %s\nwant %d: %s", len(got), got, len(want), want)
		}
	})
}

func TestListOfOneTenant(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	now := time.Now()
	mine := activity.Activity{
		ID:               idAt(now, 1),
		TenantID:         few[0],
		ActorPrincipalID: few[1],
		ResourceID:       few[1],
		CorrelationID:    few[1],
		OwnerID:          few[1],
		RecordedAt:       now,
		ResourceType:     "doc",
		Action:           "doc.created",
	}
	theirs := mine
	theirs.ID, theirs.TenantID = idAt(now, 2), few[2]
	store(t, pool, mine, theirs)
	log := New(pool)
	for _, f := range []activity.Filter{
		{},
		{Actor: few[1]},
		{Resource: few[1]},
		{Owner: few[1]},
		{CorrelationID: few[1]},
		{Action: "doc.*"},
		{Since: now.Add(-time.Hour)},
	} {
		list, next, err := log.List(t.Context(), few[0], f, activity.Page{})
		if err != nil || len(list) != 1 || list[0].ID != mine.ID || next != uuid.Nil {
			t.Errorf("%+v: got %v, %v, %v, want only the tenant's own", f, list, next, err)
		}
		if n, exact, err := log.Count(t.Context(), few[0], f, 10); n != 1 || !exact || err != nil {
			t.Errorf("%+v: counted %d, %v, %v, want exactly 1", f, n, exact, err)
		}
		list, next, err = log.List(t.Context(), few[1], f, activity.Page{})
		if err != nil || len(list) != 0 || next != uuid.Nil {
			t.Errorf("%+v, a tenant without activities: got %v, %v, %v, want nothing", f, list, next, err)
		}
	}
	if a, err := log.Get(t.Context(), few[0], mine.ID); err != nil || a.ID != mine.ID || a.Action != mine.Action {
		t.Errorf("Get: got %+v, %v, want the activity", a, err)
	}
	for name, key := range map[string][2]uuid.UUID{
		"another tenant's": {few[0], theirs.ID},
		"unknown":          {few[0], uuid.New()},
		"no tenant":        {uuid.Nil, mine.ID},
	} {
		if a, err := log.Get(t.Context(), key[0], key[1]); !errors.Is(err, activity.ErrNotFound) {
			t.Errorf("Get of one that is %s: got %+v, %v, want activity.ErrNotFound", name, a, err)
		}
	}
}

func TestListRefusesInvalidFilter(t *testing.T) {
	t.Parallel()
	log := New(nil)
	var invalidErr *invalid.Error
	if _, _, err := log.List(t.Context(), few[0], activity.Filter{
		Status: "?",
	}, activity.Page{}); !errors.As(err, &invalidErr) {
		t.Errorf("List: got %v, want an *invalid.Error", err)
	}
	if _, _, err := log.Count(t.Context(), few[0], activity.Filter{Status: "?"}, 1); !errors.As(err, &invalidErr) {
		t.Errorf("Count: got %v, want an *invalid.Error", err)
	}
}

func TestCountStops(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	now := time.Now()
	for n := range 10 {
		store(
			t,
			pool,
			activity.Activity{
				ID:           idAt(now, uint16(n)),
				TenantID:     few[0],
				RecordedAt:   now,
				ResourceType: "doc",
				Action:       [2]string{"doc.made", "doc.moved"}[n%2],
			},
		)
	}
	for _, tt := range []struct {
		action        string
		limit, budget int
		n             int
		exact         bool
	}{
		{"", 20, 20, 10, true},
		{"", 10, 20, 10, true},
		{"", 9, 20, 9, false},
		{"", 0, 20, 0, false},
		{"", 20, 10, 10, true},
		{"", 20, 9, 9, false},
		{"doc.made", 20, 20, 5, true},
		{"doc.made", 5, 20, 5, true},
		{"doc.made", 4, 20, 4, false},
		{"doc.made", 20, 4, 2, false},
		{"doc.none", 0, 20, 0, true},
	} {
		log := New(pool)
		log.countBudget = tt.budget
		n, exact, err := log.Count(t.Context(), few[0], activity.Filter{Action: tt.action}, tt.limit)
		if n != tt.n || exact != tt.exact || err != nil {
			t.Errorf("%+v: got %d, %v, %v", tt, n, exact, err)
		}
	}
}

// loadLog stores 100,000 activities of three tenants over the existing partitions. Tenant 1 has the
// most activities, recent ones; tenant 2 has older ones, tenant 3 few.
func loadLog(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	for _, sql := range []string{
		`CREATE FUNCTION town(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
		AS $$ SELECT md5(kind || n)::uuid $$`,
		`INSERT INTO fanfare.activities (id, tenant_id, actor_principal_id, resource_id, correlation_id, owner_id,
			occurred_at, recorded_at, resource_type, action, visibility, status, severity, category,
			delivery_channels, message, payload)
		SELECT overlay(fanfare.uuidv7_floor(at)::text PLACING lpad(to_hex(n), 12, '0') FROM 25)::uuid,
			town('t', tenant), town('p', n % 1000), town('r', n % 5000), gen_random_uuid(), town('p', n % 1000),
			at, at, 'doc', 'doc.moved', 'resource', 'success', 'info', 'doc', '{}', 'message ' || n, '{}'
		FROM (
			SELECT n, tenant,
				CASE tenant
				WHEN 2 THEN now() - interval '30 days' - n * interval '1 second'
				ELSE now() + interval '90 days' - n * interval '100 seconds'
				END AS at
			FROM (
				SELECT n, CASE WHEN n % 3 = 0 THEN 2 WHEN n % 1000 = 1 THEN 3 ELSE 1 END AS tenant
				FROM generate_series(1, 100000) AS n
			) AS x
		) AS y`,
	} {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
}

func townID(kind string, n int) uuid.UUID { return uuid.UUID(md5.Sum(fmt.Append(nil, kind, n))) }

// TestPlansUseTheIndex checks the plan for each filter, before and after ANALYZE.
func TestPlansUseTheIndex(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	loadLog(t, pool)
	now := time.Now()
	for _, statistics := range []string{"SELECT", "ANALYZE"} {
		if _, err := pool.Exec(t.Context(), statistics); err != nil {
			t.Fatal(err)
		}
		for index, f := range map[string]activity.Filter{
			"pkey": {},
			"tenant_id_correlation_id_id_idx": {
				CorrelationID: uuid.New(),
				Resource:      townID("r", 1),
				Actor:         townID("p", 1),
			},
			"tenant_id_resource_id_id_idx": {Resource: townID("r", 1), Actor: townID("p", 1), Action: "doc.*"},
			"tenant_id_actor_principal_id_id_idx": {
				Actor:  townID("p", 1),
				Owner:  townID("p", 1),
				Target: townID("p", 1),
			},
			"tenant_id_owner_id_id_idx": {Owner: townID("p", 1), Since: now},
			"pkey ":                     {Since: now.Add(time.Hour), Until: now.Add(2 * time.Hour)},
			"pkey  ": {
				Q:            "message",
				Action:       "*.moved",
				ResourceType: "doc",
				Status:       "success",
				Severity:     "info",
				Category:     "doc",
				RequestID:    "r",
			},
		} {
			index = strings.TrimSpace(index)
			for tenant := 1; tenant <= 2; tenant++ {
				wantIndex(t, pool, index, listQuery(newQuery(townID("t", tenant), f, idRange{})))
				wantIndex(t, pool, index, func(limit, budget int) (string, []any) {
					return newQuery(townID("t", tenant), f, idRange{}).facets(AllFacets(), limit, budget)
				})
			}
			wantIndex(t, pool, index, listQuery(newQuery(townID("t", 3), f, idRange{below: uuidv7.Floor(now)})))
			wantIndex(t, pool, index, newQuery(townID("t", 4), f, idRange{}).count)
		}
	}
}

// listQuery returns the function that builds the statement of List.
func listQuery(q *query) func(limit, budget int) (string, []any) {
	return func(limit, budget int) (string, []any) { return q.page(Columns, limit, budget) }
}

func wantIndex(t *testing.T, pool *pgxpool.Pool, index string, write func(limit, budget int) (string, []any)) {
	t.Helper()
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := tx.Exec(t.Context(), PinOrder); err != nil {
		t.Fatal(err)
	}
	statement, args := write(51, 5000)
	custom, generic := pgtest.Plans(t, tx, statement, args...)
	for _, plan := range []string{custom, generic} {
		for line := range strings.Lines(plan) {
			if strings.Contains(line, " on activities") && !strings.Contains(line, index+" on activities") {
				t.Fatalf("got %swant only %s:\n%s\n%s", line, index, statement, plan)
			}
		}
	}
}

func BenchmarkList(b *testing.B) {
	pool := pgtest.New(b).Pool
	loadLog(b, pool)
	if _, err := pool.Exec(b.Context(), `VACUUM ANALYZE`); err != nil {
		b.Fatal(err)
	}
	log := New(pool)
	for name, f := range map[string]activity.Filter{
		"all":           {},
		"resource":      {Resource: townID("r", 1)},
		"nothing-found": {Q: "no such text"},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := log.List(b.Context(), townID("t", 1), f, activity.Page{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
