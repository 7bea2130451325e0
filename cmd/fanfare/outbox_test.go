package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
	"github.com/fanfarehq/fanfare/outbox"
)

func (w world) status(t testing.TB, args ...string) outbox.Status {
	t.Helper()
	var s outbox.Status
	w.read(t, &s, append([]string{"status"}, args...)...)
	s.OldestAt = nil
	return s
}

// read runs a command of fanfare outbox and decodes its JSON.
func (w world) read(t testing.TB, into any, args ...string) {
	t.Helper()
	out := must(t, w.environ(), append(append([]string{"outbox"}, args...), "--json")...)
	if err := json.Unmarshal([]byte(out), into); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func (w world) environ() map[string]string {
	return map[string]string{"FANFARE_DATABASE_URL": w.db.URL}
}

func TestEmptyOutbox(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	if diff := cmp.Diff(outbox.Status{}, w.status(t)); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	want := "pending        0\nparked         0\nfan-out jobs   0\ndead letters   0\n"
	if got := must(t, w.environ(), "outbox", "status"); got != want {
		t.Errorf("status: got\n%swant\n%s", got, want)
	}
	if got := must(t, w.environ(), "outbox", "dead"); got != "No dead letters.\n" {
		t.Errorf("dead: got %s", got)
	}
	if got := must(t, w.environ(), "outbox", "dead", "--json"); got != "[]\n" {
		t.Errorf("dead: got %s", got)
	}
	if got := must(t, w.environ(), "outbox", "replay", "--all"); got != "Replayed dead letters: 0\n" {
		t.Errorf("replay --all: got %s", got)
	}
	absent := uuid.NewString()
	for _, args := range [][]string{{"replay", absent}, {"park", absent, "--for", "1m"}} {
		r := fanfare(t, w.environ(), append([]string{"outbox"}, args...)...)
		if r.code != exitFailure || !strings.Contains(r.stderr, absent) || !strings.Contains(r.stderr, "not found") {
			t.Errorf("%v: got exit code %d and %q, want 1 and the id that is not found", args, r.code, r.stderr)
		}
	}
}

func TestOutboxPark(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	other := newWorld(t, w.db)
	first := w.record(t)
	w.record(t)
	other.record(t)
	if diff := cmp.Diff(outbox.Status{Pending: 3}, w.status(t)); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(outbox.Status{Pending: 2}, w.status(t, "--tenant", w.tenant.String())); diff != "" {
		t.Errorf("the tenant's status (-want +got):\n%s", diff)
	}
	if got := must(t, w.environ(), "outbox", "status"); !strings.Contains(got,
		"pending        3   the oldest was recorded ") {
		t.Errorf("status: got\n%s", got)
	}

	id := first.ID.String()
	r := fanfare(t, w.environ(), "outbox", "park", id, "--for", "10m", "--tenant", other.tenant.String())
	if r.code != exitFailure {
		t.Errorf("park another tenant's: got exit code %d, want 1", r.code)
	}
	var parked struct {
		ActivityID uuid.UUID `json:"activity_id"`
		Until      time.Time `json:"until"`
	}
	w.read(t, &parked, "park", id, "--for", "10m")
	if wait := time.Until(parked.Until); parked.ActivityID != first.ID || wait < 9*time.Minute ||
		wait > 10*time.Minute {
		t.Errorf("park: got %+v, want %s in 10 minutes", parked, id)
	}
	if got := w.status(t); got.Pending != 2 || got.Parked != 1 || got.Failing != 0 {
		t.Errorf("status after parking: got %+v, want 2 pending and 1 parked", got)
	}
	if got := must(t, w.environ(), "outbox", "park", id, "--for", "1h"); !strings.HasPrefix(got, "Parked until ") {
		t.Errorf("park again: got %s", got)
	}
}

func TestOutboxDeadLetters(t *testing.T) {
	t.Parallel()
	db, centrifugo := pgtest.New(t), startCentrifugo(t)
	w := newWorld(t, db)
	recorded := w.record(t, "nowhere:"+w.tenant.String()+".x") // a namespace that Centrifugo does not have
	d := startWorker(t, environment(db, centrifugo))
	waittest.Until(t, "a dead letter", func() bool { return w.status(t).DeadLetters == 1 }, d.log)
	if got := d.get(t, "/metrics").body; !strings.Contains(got, "fanfare_dead_letters_total 1\n") {
		t.Errorf("/metrics does not count the dead letter:\n%s", got)
	}
	d.finish(t)

	var letters []outbox.DeadLetter
	w.read(t, &letters, "dead")
	if len(letters) != 1 || letters[0].ActivityID != recorded.ID || !strings.Contains(letters[0].Error, "namespace") {
		t.Fatalf("dead: got %+v, want the activity %s", letters, recorded.ID)
	}
	table := strings.Split(must(t, w.environ(), "outbox", "dead"), "\n")
	if len(table) != 3 || !strings.HasPrefix(table[0], "ACTIVITY ") ||
		!strings.HasPrefix(table[1], recorded.ID.String()+"   "+w.tenant.String()+"   resource.updated   ") {
		t.Errorf("dead: got\n%s", strings.Join(table, "\n"))
	}
	hostile := "no namespace \x1b[2J\x07\u009b31m\u202e\nnext"
	if _, err := db.Pool.Exec(t.Context(), `UPDATE fanfare.dead_letters SET error = $1`, hostile); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"outbox", "dead"}, {"outbox", "dead", "--json"}} {
		if got := must(t, w.environ(), args...); strings.ContainsAny(got, "\x1b\x07\u009b\u202e") {
			t.Errorf("%v: got %q, want no character that a terminal interprets", args, got)
		}
	}
	w.read(t, &letters, "dead")
	if len(letters) != 1 || letters[0].Error != hostile {
		t.Errorf("dead: got %+v, want the error as it is", letters)
	}
	w.read(t, &letters, "dead", "--tenant", uuid.NewString())
	if len(letters) != 0 {
		t.Errorf("another tenant's dead letters: got %+v, want none", letters)
	}

	if r := fanfare(t, w.environ(), "outbox", "replay", recorded.ID.String(), "--tenant",
		uuid.NewString()); r.code != exitFailure {
		t.Errorf("replay another tenant's: got exit code %d, want 1", r.code)
	}
	if got := must(t, w.environ(), "outbox", "replay", recorded.ID.String()); got != "Replayed dead letters: 1\n" {
		t.Errorf("replay: got %s", got)
	}
	if diff := cmp.Diff(outbox.Status{Pending: 2}, w.status(t)); diff != "" { // with the record of the replay
		t.Errorf("status after the replay (-want +got):\n%s", diff)
	}
}
