package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance/churn"
	"github.com/fanfarehq/fanfare/internal/acceptance/clients"
	"github.com/fanfarehq/fanfare/internal/acceptance/oracle"
)

// churnResult counts pairs of an activity and a person of its tenant.
type churnResult struct {
	Machine    machine        `json:"machine"`
	Clients    int            `json:"clients"`
	Rate       int            `json:"rate"`
	Activities int            `json:"activities"`
	Changes    map[string]int `json:"changes"`
	States     float64        `json:"states_per_activity"` // that it may have been sent in
	Otherwise  int            `json:"decided_otherwise_than_at_first"`

	Must    int `json:"must"`
	Either  int `json:"either"`
	MustNot int `json:"must_not"`

	Received        int `json:"must_received"`
	MissedStayed    int `json:"must_missed_by_those_who_stayed"`
	MissedReturned  int `json:"must_missed_by_those_who_came_back"`
	MissedGap       int `json:"must_missed_beyond_the_history"` // by those to whom Centrifugo said so
	EitherReceived  int `json:"either_received"`
	MustNotReceived int `json:"must_not_received"`
	Repeats         int `json:"repeats"`
	Phantoms        int `json:"received_of_unknown_activities"`
	Foreign         int `json:"received_of_other_tenants"`

	Stayed int `json:"clients_who_stayed"`
	Cuts   int `json:"connections_lost"`
	Gaps   int `json:"absences_longer_than_the_history"`

	InboxMissing int `json:"inbox_rows_missing"`
	InboxUnasked int `json:"inbox_rows_unasked"`
	Dead         int `json:"dead_letters"`

	Returned percentiles `json:"since_commit_returned"`
	Sent     percentiles `json:"since_commit_sent"`

	verdicts map[uuid.UUID]oracle.Verdict
}

func newChurnResult(o *churnOptions, audience *clients.Set) *churnResult {
	return &churnResult{
		Machine: thisMachine(), Clients: len(audience.People), Rate: o.rate,
		Foreign: int(audience.Foreign()),
	}
}

func (r *churnResult) table(w io.Writer) {
	total := 0
	for _, n := range r.Changes {
		total += n
	}
	row(
		w,
		fmt.Sprintf("%d clients, %d activities at %d/s", r.Clients, r.Activities, r.Rate),
		"pairs",
		"received",
		"missed",
	)
	row(
		w,
		"must hear",
		r.Must,
		r.Received,
		fmt.Sprintf("%d stayed, %d came back, %d came back too late", r.MissedStayed, r.MissedReturned, r.MissedGap),
	)
	row(
		w,
		"may or may not: it changed meanwhile",
		r.Either,
		r.EitherReceived,
		fmt.Sprintf("(%.2f%% of must and may)", 100*r.eitherShare()),
	)
	row(w, "must not hear", r.MustNot, r.MustNotReceived)
	row(w, "received again", "", r.Repeats)
	row(w, "of another tenant", "", r.Foreign)
	row(w, "of nothing that was committed", "", r.Phantoms)
	row(w, "inbox rows missing, unasked", "", fmt.Sprintf("%d, %d", r.InboxMissing, r.InboxUnasked))
	row(w, "dead letters", r.Dead)
	row(w)
	row(w, "changes", total)
	for _, kind := range churn.Kinds() {
		row(w, "of "+kind, r.Changes[kind])
	}
	row(w, "pairs decided otherwise than at first", r.Otherwise)
	row(w, "states that an activity may have been sent in", fmt.Sprintf("%.2f", r.States))
	row(w, "clients who stayed", r.Stayed)
	row(w, "connections lost", r.Cuts, "", fmt.Sprintf("%d for longer than the history", r.Gaps))
	row(w)
	row(w, "latency", "p50", "p99", "max")
	row(w, "from COMMIT's return to the socket", r.Returned.P50, r.Returned.P99, r.Returned.Max)
	row(w, "from COMMIT's sending to the socket", r.Sent.P50, r.Sent.P99, r.Sent.Max)
}

// maxEither is how much may stay undecided for the rest to be worth something.
const maxEither = 0.02

func (r *churnResult) eitherShare() float64 {
	return float64(r.Either) / float64(max(1, r.Must+r.Either))
}

// verdict is an error if anything went wrong that never may.
func (r *churnResult) verdict() error {
	var errs []error
	for _, wrong := range []struct {
		n    int
		what string
	}{
		{r.MustNotReceived, "deliveries to somebody who must not hear"},
		{r.MissedStayed, "deliveries missed by clients who stayed"},
		{r.MissedReturned, "deliveries missed by clients who came back"},
		{r.Foreign, "deliveries across tenants"},
		{r.Phantoms, "deliveries of what was never committed"},
		{r.InboxMissing, "inbox rows are missing"},
		{r.InboxUnasked, "inbox rows of somebody who must not hear"},
		{r.Dead, "dead letters"},
	} {
		if wrong.n > 0 {
			errs = append(errs, fmt.Errorf("%d %s", wrong.n, wrong.what))
		}
	}
	if r.eitherShare() > maxEither {
		errs = append(
			errs,
			fmt.Errorf("%.1f%% could not be decided: activities are pending for too long", 100*r.eitherShare()),
		)
	}
	return errors.Join(errs...)
}

// judge compares what the oracle says with what the clients got.
func (r *churnResult) judge(says *judgement, j *journal, audience *clients.Set) {
	r.verdicts, r.Changes, r.Activities = says.verdicts, j.kinds, len(j.sendings)
	known := make(map[uuid.UUID]*sending, len(j.sendings))
	wanted := map[listener]map[uuid.UUID]bool{}
	for _, s := range j.sendings {
		known[s.ID] = s
		r.count(s, says, j.world.Tenants[s.tenant], wanted)
	}
	var sinceReturned, sinceSent []time.Duration
	for _, p := range audience.People {
		who := listener{p.Tenant, p.Principal}
		for _, s := range r.hear(p, known, wanted[who]) {
			sinceReturned, sinceSent = append(sinceReturned, s.at.Sub(s.returned)), append(sinceSent, s.at.Sub(s.sent))
		}
		missed := len(wanted[who])
		r.Cuts, r.Gaps = r.Cuts+int(p.Left()), r.Gaps+int(p.Gaps())
		switch {
		case p.Left() == 0:
			r.Stayed++
			r.MissedStayed += missed
		case p.Gaps() == 0:
			r.MissedReturned += missed
		default:
			r.MissedGap += missed
		}
	}
	r.Returned, r.Sent = newPercentiles(sinceReturned), newPercentiles(sinceSent)
}

type listener struct{ tenant, principal uuid.UUID }

// count adds what the oracle says of one activity, and notes who must hear of it.
func (r *churnResult) count(s *sending, says *judgement, t *churn.Tenant, wanted map[listener]map[uuid.UUID]bool) {
	verdict := says.verdicts[s.ID]
	r.States += float64(verdict.States) / float64(r.Activities)
	r.Otherwise += otherwise(verdict, says.atFirst[s.ID])
	for principal, class := range verdict.Push {
		if class == oracle.Either {
			r.Either++
			continue
		}
		r.Must++
		who := listener{t.ID, principal}
		if wanted[who] == nil {
			wanted[who] = map[uuid.UUID]bool{}
		}
		wanted[who][s.ID] = true
	}
	r.MustNot += len(t.People) - len(verdict.Push)
}

type arrival struct {
	*sending
	at time.Time
}

// hear counts what one client got, and takes it off what it must get. It returns what says
// something about latency.
func (r *churnResult) hear(p *clients.Client, known map[uuid.UUID]*sending, wanted map[uuid.UUID]bool) (timed []arrival) {
	seen := map[uuid.UUID]bool{}
	for _, got := range p.Receptions() {
		s := known[got.Activity]
		switch {
		case s == nil:
			r.Phantoms++
			continue
		case seen[got.Activity]:
			r.Repeats++
			continue
		}
		seen[got.Activity] = true
		class := oracle.MustNot
		if s.tenantID == p.Tenant {
			class = r.verdicts[s.ID].Push[p.Principal]
		}
		switch class {
		case oracle.MustNot:
			r.MustNotReceived++
		case oracle.Either:
			r.EitherReceived++
		case oracle.Must:
			r.Received++
			delete(wanted, s.ID)
			if p.Left() == 0 {
				timed = append(timed, arrival{s, got.At})
			}
		}
	}
	return timed
}

// otherwise counts who must hear and at first would not have, and the other way round.
func otherwise(v oracle.Verdict, atFirst map[uuid.UUID]oracle.Told) (n int) {
	for principal, class := range v.Push {
		if class == oracle.Must && !atFirst[principal].Push {
			n++
		}
	}
	for principal, told := range atFirst {
		if told.Push && v.Push[principal] == oracle.MustNot {
			n++
		}
	}
	return n
}

// judgeInbox compares what the oracle says with the inboxes.
func (r *churnResult) judgeInbox(ctx context.Context, db *stack.Database) error {
	type entry struct{ activity, principal uuid.UUID }
	rows, err := db.Pool.Query(ctx, "SELECT activity_id, principal_id FROM fanfare.notifications")
	if err != nil {
		return err
	}
	found := map[entry]bool{}
	var e entry
	if _, err := pgx.ForEachRow(rows, []any{&e.activity, &e.principal}, func() error { found[e] = true; return nil }); err != nil {
		return err
	}
	for e := range found {
		if r.verdicts[e.activity].Inbox[e.principal] == oracle.MustNot {
			r.InboxUnasked++
		}
	}
	for id, v := range r.verdicts {
		for principal, class := range v.Inbox {
			if class == oracle.Must && !found[entry{id, principal}] {
				r.InboxMissing++
			}
		}
	}
	return db.Pool.QueryRow(ctx, "SELECT count(*) FROM fanfare.dead_letters").Scan(&r.Dead)
}
