package explain_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/acceptance/oracle"
	"github.com/fanfarehq/fanfare/internal/acceptance/randomworld"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/centrifugotest"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/explain"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/preferences"
)

var (
	worldCount    = flag.Int("worlds", 4, "number of random worlds")
	activityCount = flag.Int("activities", 40, "number of activities of each random world")
	worldSeed     = flag.Uint64("world-seed", 1, "seed of the first random world")
)

// TestRandomWorlds delivers random activities in random worlds with a worker, and compares for each
// activity and each principal what the oracle says, what was delivered, and what is explained. With
// -world-seed and -worlds 1, it repeats one world.
func TestRandomWorlds(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	seed := *worldSeed
	defer func() {
		if t.Failed() {
			t.Logf("the world has the seed %d", seed)
		}
	}()
	n := counts{rules: map[string]int{}}
	for i := range *worldCount {
		seed = *worldSeed + uint64(i)
		w := randomworld.New(seed)
		s.check(t, w, &n)
		if i%10 == 9 {
			t.Logf("%d worlds, %d pairs", i+1, n.pairs)
		}
	}
	t.Logf("%d worlds, %d pairs of an activity and a principal, %d of them notified, %d pages of audiences: "+
		"0 differences; decided by %v", *worldCount, n.pairs, n.notified, n.audiences, n.rules)
	if n.notified == 0 || n.notified == n.pairs {
		t.Errorf("got %d of %d pairs notified, want some", n.notified, n.pairs)
	}
}

// stage is a database with a worker.
type stage struct {
	db        *pgtest.DB
	recorder  *centrifugotest.Recorder
	channels  *centrifugo.Channels
	explainer *explain.Explainer

	differences int
}

// fail reports a difference, and ends the test after some.
func (s *stage) fail(t *testing.T, format string, args ...any) {
	t.Helper()
	t.Errorf(format, args...)
	if s.differences++; s.differences >= 5 {
		t.FailNow()
	}
}

func newStage(t *testing.T) *stage {
	t.Helper()
	server := centrifugotest.Start(t, devstack.CentrifugoOptions{})
	client := centrifugotest.Client(t, server)
	channels, err := centrifugo.ParseFormats(centrifugo.Formats{})
	if err != nil {
		t.Fatal(err)
	}
	filter := preferences.NewFilter(nil)
	filter.SetNotify(randomworld.Notify())
	s := &stage{
		db: pgtest.New(t), recorder: centrifugotest.NewRecorder(client), channels: channels,
	}
	s.explainer = &explain.Explainer{DB: s.db.Pool, Filter: filter, Channels: channels}
	handler := fanout.New(s.recorder, channels, filter, fanout.Options{Wide: 12, Step: 5})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- outbox.NewWorker(s.db.Pool, handler, outbox.Options{}).Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

// counts are what has been compared.
type counts struct {
	pairs, notified, audiences int
	rules                      map[string]int // pairs by the rule that decided
}

// check records the activities of a world, waits until they are delivered, and compares.
func (s *stage) check(t *testing.T, w *randomworld.World, n *counts) {
	t.Helper()
	if err := randomworld.Rows(w).Load(t.Context(), s.db.Pool); err != nil {
		t.Fatal(err)
	}
	var envelopes []activity.Envelope
	var activities []oracle.Activity
	for range *activityCount {
		e, a := w.Activity()
		envelopes, activities = append(envelopes, e), append(activities, a)
	}
	removed := w.RemoveResource()
	err := pgx.BeginFunc(t.Context(), s.db.Pool, func(tx pgx.Tx) error {
		recorded, err := outbox.RecordMany(t.Context(), tx, envelopes)
		if err != nil {
			return err
		}
		for i := range recorded {
			activities[i].ID = recorded[i].ID
		}
		const remove = `DELETE FROM fanfare.resources WHERE tenant_id = $1 AND id = $2`
		_, err = tx.Exec(t.Context(), remove, w.ID, removed)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	waittest.Query(t, s.db.Pool, fmt.Sprintf("world %d is delivered", w.Seed), `
		SELECT NOT EXISTS (SELECT FROM fanfare.outbox) AND NOT EXISTS (SELECT FROM fanfare.parked)
		    AND NOT EXISTS (SELECT FROM fanfare.fan_out_jobs)`)
	for i := range activities {
		s.compare(t, w, &activities[i], n)
	}
}

// compare compares one activity for all principals.
func (s *stage) compare(t *testing.T, w *randomworld.World, a *oracle.Activity, n *counts) {
	t.Helper()
	rows := s.delivered(t, w, a.ID)
	channels := s.recorder.Channels(a.ID)
	operator := explain.Asker{Principal: activity.Principal{TenantID: w.ID}, Operator: true}
	notified := map[uuid.UUID]bool{}
	concerned := 0
	everybody := w.Everybody()
	explained := s.explain(t, operator, a.ID, everybody)
	for i, principal := range everybody {
		n.pairs++
		want := w.Model.Decide(*a, principal)
		got := rows[principal]
		pushed := slices.Contains(channels, s.channels.User(activity.Principal{TenantID: w.ID, PrincipalID: principal}))
		if problem := differ(want, got, pushed); problem != "" {
			s.fail(t, "activity %+v, principal %s: %s; want %+v", *a, principal, problem, want)
		}
		if want.Inbox {
			n.notified++
			notified[principal] = true
		}
		e := explained[i]
		if problem := disagree(want, got, e); problem != "" {
			s.fail(t, "activity %+v, principal %s: the explanation %s; want %+v; got %+v, %+v",
				*a, principal, problem, want, e.Now, *e.Then)
		}
		n.rules[e.Now.DecidedBy]++
		if e.Now.DecidedBy != "concern" {
			concerned++
		}
	}
	if a.ID[15]%4 == 0 {
		s.compareAudience(t, operator, a.ID, notified, concerned, n)
	}
}

// explain explains an activity with regard to each principal.
func (s *stage) explain(t *testing.T, by explain.Asker, id uuid.UUID, principals []uuid.UUID) []explain.Explanation {
	t.Helper()
	explained := make([]explain.Explanation, len(principals))
	g, ctx := errgroup.WithContext(t.Context())
	g.SetLimit(4)
	for i, principal := range principals {
		g.Go(func() (err error) {
			explained[i], err = s.explainer.Principal(ctx, by, id, principal)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	return explained
}

// delivered is a notification.
type delivered struct {
	reasons int16
	group   *uuid.UUID
}

func (s *stage) delivered(t *testing.T, w *randomworld.World, id uuid.UUID) map[uuid.UUID]delivered {
	t.Helper()
	rows, err := s.db.Pool.Query(t.Context(), `
		SELECT principal_id, reasons, group_id FROM fanfare.notifications
		WHERE tenant_id = $1 AND activity_id = $2`, w.ID, id)
	if err != nil {
		t.Fatal(err)
	}
	found := map[uuid.UUID]delivered{}
	var principal uuid.UUID
	var d delivered
	_, err = pgx.ForEachRow(rows, []any{&principal, &d.reasons, &d.group}, func() error {
		found[principal] = d
		d = delivered{}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// differ returns how a delivery differs from what the oracle says; "" if it does not.
func differ(want oracle.Verdict, got delivered, pushed bool) string {
	switch {
	case want.Inbox != (got.reasons != 0):
		return fmt.Sprintf("notified %t", got.reasons != 0)
	case want.Push != pushed:
		return fmt.Sprintf("pushed %t", pushed)
	case want.Inbox && int16(want.Reasons) != got.reasons:
		return fmt.Sprintf("reasons %d", got.reasons)
	case want.Inbox && (got.group != nil) != (len(want.Through) > 0):
		return fmt.Sprintf("group %v", got.group)
	case got.group != nil && !want.Through[*got.group]:
		return fmt.Sprintf("another group: %s", got.group)
	}
	return ""
}

// disagree returns how an explanation disagrees with what the oracle says and with what was
// delivered; "" if it does not.
func disagree(want oracle.Verdict, got delivered, e explain.Explanation) string {
	rule := map[string]oracle.Rule{
		"concern": oracle.NotConcerned, "group": oracle.NotConcerned, "actor": oracle.IsActor,
		"inactive": oracle.IsInactive, "permission": oracle.MayNotSee, "mandatory": oracle.Mandatory,
		"target": oracle.IsTarget, "muted_actor": oracle.MutedActor,
		"muted_action": oracle.MutedAction, "level": oracle.ByLevel,
		"muted": oracle.ByPreference, "mode": oracle.ByPreference,
	}[e.Now.DecidedBy]
	if rule != want.Rule && !(want.Rule == oracle.NotConcerned && rule == oracle.IsActor) {
		return "names another rule"
	}
	if e.Now.Notified != want.Inbox || e.Now.Push != want.Push {
		return "has another outcome"
	}
	if (e.Then.State == explain.StateNotified) != (got.reasons != 0) || e.Then.State == explain.StatePending {
		return "tells another state of the delivery"
	}
	decided := 0
	for _, step := range e.Rules {
		if step.Rule != "delivery" && (step.Result == explain.Notified || step.Result == explain.NotNotified) {
			decided++
			if step.Rule != e.Now.DecidedBy || (step.Result == explain.Notified) != want.Inbox {
				return "has a step that does not decide so"
			}
		}
	}
	if decided != 1 {
		return fmt.Sprintf("has %d deciding steps", decided)
	}
	return groundless(want, e)
}

// groundless returns which reason has no ground.
func groundless(want oracle.Verdict, e explain.Explanation) string {
	through := map[uuid.UUID]bool{}
	kinds := map[string]bool{}
	for _, g := range e.Grounds {
		kinds[g.Kind] = true
		if g.GroupID != nil {
			through[*g.GroupID] = true
		}
		if g.Kind == "role" && g.Where != "beside" && (g.Role == "owner" || g.Role == "delegator") {
			kinds["delegator"] = true
		}
	}
	if want.Rule == oracle.NotConcerned {
		return ""
	}
	for reason, kind := range map[oracle.Reasons]string{
		oracle.Subscribed: "subscription", oracle.Owner: "owner", oracle.Delegate: "delegator", oracle.Target: "target",
	} {
		if want.Reasons&reason != 0 && !kinds[kind] {
			return "has no ground for " + kind
		}
	}
	if e.Now.GroupID != nil && !through[*e.Now.GroupID] {
		return "names a group that is in no ground"
	}
	return ""
}

// compareAudience compares the audience of an activity with who was notified.
func (s *stage) compareAudience(
	t *testing.T,
	by explain.Asker,
	id uuid.UUID,
	notified map[uuid.UUID]bool,
	concerned int,
	n *counts,
) {
	t.Helper()
	for _, selected := range []*bool{nil, new(true), new(false)} {
		got, all := map[uuid.UUID]bool{}, 0
		last := uuid.Nil
		for page := (explain.Page{Limit: 4, Notified: selected}); ; {
			audience, err := s.explainer.Audience(t.Context(), by, id, page)
			if err != nil {
				t.Fatal(err)
			}
			n.audiences++
			for _, m := range audience.Members {
				if bytes.Compare(m.PrincipalID[:], last[:]) <= 0 {
					t.Errorf("activity %s: %s after %s", id, m.PrincipalID, last)
				}
				last = m.PrincipalID
				all++
				if m.Now.Notified {
					got[m.PrincipalID] = true
				}
			}
			if page.After = audience.Next; page.After == uuid.Nil {
				break
			}
		}
		switch {
		case selected == nil && (all != concerned || !maps.Equal(got, notified)):
			s.fail(t, "activity %s: got an audience of %d with %v notified, want %d with %v",
				id, all, got, concerned, notified)
		case selected != nil && *selected && (all != len(notified) || !maps.Equal(got, notified)):
			s.fail(t, "activity %s: got %v notified, want %v", id, got, notified)
		case selected != nil && !*selected && (all != concerned-len(notified) || len(got) > 0):
			s.fail(t, "activity %s: got %d not notified and %v notified, want %d and none",
				id, all, got, concerned-len(notified))
		}
	}
}
