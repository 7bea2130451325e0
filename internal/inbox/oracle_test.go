package inbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/watchers"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// entry is a notification of a random inbox, as the oracle knows it. Its times are minutes; now is
// minute 0.
type entry struct {
	ID          uuid.UUID
	Resource    uuid.UUID
	Correlation uuid.UUID
	Actor       uuid.UUID
	Action      string
	Message     string
	Severity    string
	Reasons     watchers.Reasons
	Recorded    int
	Seen        *int
	Read        *int
	Archived    *int
	Snoozed     *int
	Purged      bool
	visible     bool
}

// in reports whether an entry is in a state, as the documentation defines it.
func (e *entry) in(s State) bool {
	archived := e.Archived != nil
	snoozed := !archived && e.Snoozed != nil && *e.Snoozed > 0
	inbox := !archived && !snoozed
	switch s {
	case All:
		return true
	case Archived:
		return archived
	case Snoozed:
		return snoozed
	case Unread:
		return inbox && !e.stands(e.Read)
	case Unseen:
		return inbox && !e.stands(e.Seen)
	default:
		return inbox
	}
}

// stands reports whether a mark is given and no snooze has ended since.
func (e *entry) stands(mark *int) bool {
	return mark != nil && (e.Archived != nil || e.Snoozed == nil || *e.Snoozed > 0 || *mark >= *e.Snoozed)
}

func (e *entry) read() bool { return e.stands(e.Read) }

// passes reports whether an entry passes a selection.
func (e *entry) passes(s Selection) bool {
	f := s.Filter
	return e.in(s.State) && (s.Reasons == 0 || e.Reasons.Has(s.Reasons)) &&
		(f.Resource == uuid.Nil || f.Resource == e.Resource) && (f.Actor == uuid.Nil || f.Actor == e.Actor) &&
		(f.CorrelationID == uuid.Nil || f.CorrelationID == e.Correlation) &&
		(f.Action == "" || strings.HasPrefix(e.Action, strings.TrimSuffix(f.Action, "*"))) &&
		(f.Severity == "" || f.Severity == e.Severity) && (f.Q == "" || strings.Contains(e.Message, f.Q))
}

// key returns what the entries of a group have in common, for bursts without their times.
func (e *entry) key(by GroupBy) string {
	switch by {
	case ByCorrelation:
		return e.Correlation.String()
	case ByBurst:
		return e.Resource.String() + e.Actor.String()
	default:
		return e.Resource.String()
	}
}

// oracleGroup describes a group of entries, which are ordered newest first.
func oracleGroup(list []*entry) string {
	unread, actors := 0, []uuid.UUID{}
	for _, e := range list {
		if !e.read() {
			unread++
		}
		if !slices.Contains(actors, e.Actor) {
			actors = append(actors, e.Actor)
		}
	}
	items := []uuid.UUID{}
	for _, e := range list[:min(len(list), GroupItems)] {
		items = append(items, e.ID)
	}
	return fmt.Sprint(len(list), unread, len(actors), actors[:min(len(actors), GroupActors)], items)
}

// oracleGroups groups entries, which are ordered newest first, in the most naive way.
func oracleGroups(by GroupBy, list []*entry) []string {
	var groups [][]*entry
	for _, e := range list {
		joined := false
		for i, g := range groups {
			last := g[len(g)-1]
			if last.key(by) != e.key(by) {
				continue
			}
			if by == ByBurst && time.Duration(last.Recorded-e.Recorded)*time.Minute > BurstGap {
				continue
			}
			groups[i], joined = append(g, e), true
			break
		}
		if !joined {
			groups = append(groups, []*entry{e})
		}
	}
	texts := []string{}
	for _, g := range groups {
		texts = append(texts, oracleGroup(g))
	}
	return texts
}

func describe(g *Group) string {
	items := []uuid.UUID{}
	for _, n := range g.Items {
		items = append(items, n.ID)
	}
	return fmt.Sprint(g.Total, g.Unread, g.ActorCount, g.Actors, items)
}

// drawEntries returns a random inbox, newest first, and stores it.
func drawEntries(rt *rapid.T, t *testing.T, b *box) []*entry {
	t.Helper()
	draw := func(name string, choices ...int) *int {
		n := rapid.SampledFrom(append([]int{0}, choices...)).Draw(rt, name)
		if n == 0 {
			return nil
		}
		return &n
	}
	pick := func(name string) uuid.UUID { return uuid.UUID{byte(rapid.IntRange(1, 3).Draw(rt, name)), 1} }
	list := []*entry{}
	at := 0
	for range rapid.IntRange(0, 40).Draw(rt, "notifications") {
		at -= rapid.SampledFrom([]int{1, 4, 10, 11, 25}).Draw(rt, "pause")
		e := &entry{
			ID: uuid.Must(uuid.NewV7()), Recorded: at, Actor: pick("actor"), Correlation: pick("correlation"),
			Action:   rapid.SampledFrom([]string{"doc.moved", "doc.read", "file.moved"}).Draw(rt, "action"),
			Message:  rapid.SampledFrom([]string{"", "late", "later"}).Draw(rt, "message"),
			Severity: rapid.SampledFrom([]string{"info", "error"}).Draw(rt, "severity"),
			Reasons:  watchers.Reasons(rapid.IntRange(1, 15).Draw(rt, "reasons")),
			Seen:     draw("seen", -1, -30), Read: draw("read", -1, -30), Archived: draw("archived", -5),
			Snoozed: draw("snoozed", -10, 10), Purged: rapid.IntRange(0, 9).Draw(rt, "purged") == 0,
		}
		e.Resource = rapid.SampledFrom([]uuid.UUID{b.visible, b.second, b.hidden}).Draw(rt, "resource")
		e.visible = !e.Purged && e.Resource != b.hidden
		list = append(list, e)
	}
	// The ids have the order of the times.
	ids := make([]uuid.UUID, len(list))
	for i, e := range list {
		ids[i] = e.ID
	}
	slices.SortFunc(ids, func(x, y uuid.UUID) int { return cmp.Compare(y.String(), x.String()) })
	for i, e := range list {
		e.ID = ids[i]
	}
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	b.exec(t, `
		WITH e AS (
			SELECT * FROM jsonb_to_recordset($3::text::jsonb) AS e(
				"ID" uuid, "Resource" uuid, "Correlation" uuid, "Actor" uuid, "Action" text,
				"Message" text, "Severity" text, "Reasons" smallint, "Recorded" int, "Seen" int,
				"Read" int, "Archived" int, "Snoozed" int, "Purged" boolean)
		), recorded AS (
			INSERT INTO fanfare.activities (id, tenant_id, actor_principal_id, resource_id, correlation_id,
				occurred_at, recorded_at, resource_type, action, visibility, status, severity, category, message,
				delivery_channels, payload)
			SELECT "ID", $1, "Actor", "Resource", "Correlation", now(), now() + "Recorded" * interval '1 minute', 'doc',
				"Action", 'resource', 'success', "Severity", 'doc', nullif("Message", ''), '{}', '{}'
			FROM e WHERE NOT "Purged"
		)
		INSERT INTO fanfare.notifications (tenant_id, principal_id, activity_id, reasons, resource_id, visibility,
			party, seen_at, read_at, archived_at, snoozed_until)
		SELECT $1, $2, "ID", "Reasons", CASE WHEN "Purged" THEN gen_random_uuid() ELSE "Resource" END, 'r',
			false, now() + "Seen" * interval '1 minute', now() + "Read" * interval '1 minute',
			now() + "Archived" * interval '1 minute', now() + "Snoozed" * interval '1 minute'
		FROM e`, b.principal.TenantID, b.principal.PrincipalID, string(text))
	return list
}

func drawSelection(rt *rapid.T, b *box) (s Selection) {
	s.State = rapid.SampledFrom([]State{"", InInbox, Unread, Unseen, Archived, Snoozed, All, All}).Draw(rt, "state")
	f := &s.Filter
	switch rapid.IntRange(0, 8).Draw(rt, "filter") {
	case 0:
		s.Reasons = watchers.Owner | watchers.Target
	case 1:
		f.Resource = rapid.SampledFrom([]uuid.UUID{b.visible, b.hidden}).Draw(rt, "resource")
	case 2:
		f.Actor = uuid.UUID{1, 1}
	case 3:
		f.CorrelationID = uuid.UUID{2, 1}
	case 4:
		f.Action = "doc.*"
	case 5:
		f.Severity = "error"
	case 6:
		f.Q, s.Reasons = "late", watchers.Subscribed
	}
	return s
}

// TestInboxesAgainstAnOracle compares lists, groups and counts of random inboxes with what an
// independent and naive implementation of the documentation makes of them.
func TestInboxesAgainstAnOracle(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	rapid.Check(t, func(rt *rapid.T) {
		b := newBox(t, db)
		list := drawEntries(rt, t, b)
		each := map[State]int{}
		for _, state := range []State{InInbox, Unread, Unseen, Archived, Snoozed, All} {
			want := 0
			for _, e := range list {
				if e.visible && e.in(state) {
					want++
				}
			}
			each[state] = want
			if got, err := Count(t.Context(), db.Pool, b.principal, state); err != nil || got != want {
				rt.Errorf("count of %s: got %d, %v, want %d", state, got, err, want)
			}
		}
		all := Counts{each[InInbox], each[Unread], each[Unseen], each[Archived], each[Snoozed]}
		if got, err := CountAll(t.Context(), db.Pool, b.principal); err != nil || got != all {
			rt.Errorf("counts: got %+v, %v, want %+v", got, err, all)
		}
		s := drawSelection(rt, b)
		limit := rapid.IntRange(1, 7).Draw(rt, "limit")
		var selected []*entry
		want := []uuid.UUID{}
		for _, e := range list {
			if e.visible && e.passes(s) {
				selected, want = append(selected, e), append(want, e.ID)
			}
		}
		got, _ := b.list(t, Query{Selection: s, Limit: limit}, func() { b.add(t, 1, b.hidden, false) })
		if len(got)+len(want) > 0 && !slices.Equal(got, want) {
			rt.Errorf("%+v: got %s\nwant %s", s, got, want)
		}
		checkOverview(t, rt, b, Query{Selection: s, Limit: limit}, each[Unread])
		for _, by := range []GroupBy{ByResource, ByCorrelation, ByBurst} {
			got, want := b.groups(t, GroupQuery{Selection: s, By: by, Limit: limit}), oracleGroups(by, selected)
			if !slices.Equal(got, want) {
				rt.Errorf("by %s, %+v: got %q\nwant %q", by, s, got, want)
			}
		}
	})
}

// checkOverview compares the overviews of all pages with what List, Count and the directory return.
func checkOverview(t *testing.T, rt *rapid.T, b *box, q Query, unread int) {
	t.Helper()
	b.exec(t, `INSERT INTO fanfare.principals (tenant_id, id, kind, display_name) VALUES ($1, $2, 'agent', 'Ada')
		ON CONFLICT DO NOTHING`, b.principal.TenantID, uuid.UUID{1, 1})
	b.checkOverviews(t, rt.Errorf, q, unread, func(got Page) {
		for i := range got.Items {
			actor := got.Items[i].Activity.Actor()
			var entry directory.Actor
			if actor.PrincipalID == (uuid.UUID{1, 1}) {
				entry = directory.Actor{Kind: "agent", DisplayName: "Ada"}
			}
			if named, found := got.Actors[actor]; !found || named != entry {
				rt.Errorf("%+v: got actor %+v, %t, want %+v", q, named, found, entry)
			}
		}
	})
}

// groups reads all pages, while notifications are added.
func (b *box) groups(t testing.TB, q GroupQuery) []string {
	t.Helper()
	var meanwhile []uuid.UUID
	texts := []string{}
	for {
		page, err := Groups(t.Context(), b.db.Pool, b.principal, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range page.Groups {
			for i := range g.Items {
				if n := &g.Items[i]; n.Activity.Category != "doc" || n.CreatedAt.IsZero() {
					t.Errorf("item: got %+v, want a notification with its activity", n)
				}
			}
			texts = append(texts, describe(g))
		}
		if q.After = page.Next; q.After == (Position{}) {
			b.exec(t, `DELETE FROM fanfare.notifications WHERE activity_id = ANY ($1)`, pg.UUIDs(meanwhile))
			return texts
		}
		meanwhile = append(meanwhile, b.add(t, 1, b.visible, false)...)
	}
}

// TestInvalidSelections checks that each part of a selection is validated.
func TestInvalidSelections(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	for _, s := range []Selection{
		{State: "new"}, {Filter: activity.Filter{Status: "?"}},
	} {
		_, listErr := List(t.Context(), b.db.Pool, b.principal, Query{Selection: s})
		_, groupErr := Groups(t.Context(), b.db.Pool, b.principal, GroupQuery{Selection: s, By: ByBurst})
		m := Marking{Selection: s, Changes: Changes{Read: new(true)}}
		_, markErr := Mark(t.Context(), b.db.Pool, b.principal, m)
		for _, err := range []error{listErr, groupErr, markErr} {
			wantInvalid(t, err, "filter")
		}
	}
	_, err := Groups(t.Context(), b.db.Pool, b.principal, GroupQuery{By: "actor"})
	wantInvalid(t, err, "filter")
}
