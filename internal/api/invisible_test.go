package api_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

// codename is a text of an activity that the spy may not see.
const codename = "codename nightingale"

// spy is a principal without a role in a tenant with thousands of private activities, two of which
// have the codename as their message. It knows the server's secret, so that it can open cursors.
type spy struct {
	w      *world
	client client
	as     activity.Principal
	secret activity.Activity // one of the two
}

func newSpy(t testing.TB, w *world) *spy {
	t.Helper()
	at := w.here
	s := &spy{w: w, client: at.as(at.outsider), as: principalOf(at.id, at.outsider)}
	at.record(activity.Envelope{
		Action: "signal.noticed", Visibility: activity.TenantVisible,
		ResourceID: at.folder, ActorPrincipalID: at.delegator,
	})
	s.secret = activity.Activity{
		ActorPrincipalID: uuid.New(), ResourceID: uuid.New(), OwnerID: uuid.New(),
		TargetPrincipalIDs: []uuid.UUID{uuid.New()},
		CorrelationID:      uuid.New(), Action: "plan.hidden", ResourceType: "plan", RequestID: "r-hidden",
		Status: activity.Failure, Severity: activity.Critical, Category: "plans", Message: codename,
	}
	at.fill(6_000)
	for _, age := range []string{"1 second", "4 seconds"} {
		w.exec(`
			INSERT INTO fanfare.activities (id, tenant_id, actor_principal_id, resource_id, correlation_id,
				target_principal_ids, owner_id, occurred_at, recorded_at, resource_type, action, visibility, status,
				severity, category, delivery_channels, payload, message, request_id)
			SELECT fanfare.uuidv7(x.at), $1, $2, $3, $4, $5, $6, x.at, x.at, 'plan', 'plan.hidden', 'private',
				'failure', 'critical', 'plans', '{}', '{}', $7, 'r-hidden'
			FROM (SELECT now() - $8::text::interval AS at) AS x`,
			at.id, s.secret.ActorPrincipalID, s.secret.ResourceID, s.secret.CorrelationID,
			s.secret.TargetPrincipalIDs, s.secret.OwnerID, codename, age)
	}
	return s
}

// guess returns everything that a guess at a message tells the spy: of each page the status, the
// ids of the items and, what only this spy can read, the id in the cursor.
func (s *spy) guess(t testing.TB, text string) (all []string) {
	t.Helper()
	bound, err := json.Marshal(activity.Filter{Q: text})
	if err != nil {
		t.Fatal(err)
	}
	query := url.Values{"limit": {"1"}, "q": {text}}
	for {
		got := s.client.do("GET", "/v1/activities?"+query.Encode(), "").want(http.StatusOK)
		p := as[page](got)
		seen := fmt.Sprint(got.status)
		for _, item := range p.Items {
			seen += " " + item.EventID.String()
		}
		if p.NextCursor == nil {
			return append(all, seen+", the last")
		}
		next := s.w.server.OpenCursor(s.as, string(bound), *p.NextCursor)
		all = append(all, fmt.Sprint(seen, ", next ", len(*p.NextCursor), " ", next))
		query.Set("cursor", *p.NextCursor)
	}
}

// TestInvisibleTextIsNotRecovered is an attack that was reported: a caller without a role guesses a
// text letter by letter and watches how the responses to a right and a wrong guess differ.
func TestInvisibleTextIsNotRecovered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := newSpy(t, w)
	wrong := s.guess(t, "codename zzz")
	if len(wrong) < 2 {
		t.Fatalf("got %q, want more than one page", wrong)
	}
	for n := 2; n <= len(codename); n++ { // one letter is in visible texts, too
		if got := s.guess(t, codename[:n]); !slices.Equal(got, wrong) {
			t.Errorf("%q: got %q\nwant as of a wrong guess %q", codename[:n], got, wrong)
		}
	}
	recovered := "codename n"
	for _, letter := range "abcdefghijklmnopqrstuvwxyz " {
		if !slices.Equal(s.guess(t, recovered+string(letter)), wrong) {
			t.Errorf("recovered %q", recovered+string(letter))
		}
	}
	// The attack itself is right: it recovers the text of activities that the caller may see.
	s.client, s.as = w.here.as(w.here.delegator), principalOf(w.here.id, w.here.delegator)
	shown := w.here.record(activity.Envelope{Action: "signal.updated", Message: "the weather is fine"})
	if got := s.guess(t, "the weather i"); !strings.Contains(got[0], shown.String()) {
		t.Errorf("visible text: got %q, want %s", got, shown)
	}
}

// TestInvisibleFieldsAreNotRecovered compares, for each filter, a value that an activity has which
// the caller may not see with one that none has.
func TestInvisibleFieldsAreNotRecovered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	s := newSpy(t, w)
	other := uuid.NewString()
	for _, each := range []struct{ field, right, wrong string }{
		{"q", codename, "codename zzz"},
		{"q", "PLAN", "PLAZ"},
		{"action", "plan.h*", "plan.z*"},
		{"actor", s.secret.ActorPrincipalID.String(), other},
		{"resource", s.secret.ResourceID.String(), other},
		{"resource_type", "plan", "plaz"},
		{"target", s.secret.TargetPrincipalIDs[0].String(), other},
		{"owner", s.secret.OwnerID.String(), other},
		{"correlation_id", s.secret.CorrelationID.String(), other},
		{"request_id", "r-hidden", "r-absent"},
		{"severity", "critical", "error"},
		{"category", "plans", "plazs"},
		{"resource", w.here.signal.String(), other}, // which has 6,000 private activities
		{"actor", w.here.owner.String(), other},
	} {
		right, wrong := s.pages(t, each.field, each.right), s.pages(t, each.field, each.wrong)
		if !slices.Equal(right, wrong) {
			t.Errorf("%s: got %v for an activity that the caller may not see, want %v as for none",
				each.field, right, wrong)
		}
	}
}

// pages returns the number of items of each page of a filter.
func (s *spy) pages(t testing.TB, field, value string) (items []int) {
	t.Helper()
	query := url.Values{field: {value}, "limit": {"200"}}
	for cursor := ""; ; {
		query.Set("cursor", cursor)
		p := as[page](s.client.do("GET", "/v1/activities?"+query.Encode(), "").want(http.StatusOK))
		items = append(items, len(p.Items))
		if p.NextCursor == nil {
			return items
		}
		cursor = *p.NextCursor
	}
}

// TestCursorsDiscloseNothing checks that cursors of the same place differ.
func TestCursorsDiscloseNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.here.as(w.here.delegator)
	seen := map[string]bool{}
	for range 8 {
		got := as[page](c.do("GET", "/v1/activities?limit=1", "").want(http.StatusOK))
		if got.NextCursor == nil || seen[*got.NextCursor] || len(*got.NextCursor) > 200 {
			t.Fatalf("got %v, want a cursor that no page has had", got.NextCursor)
		}
		seen[*got.NextCursor] = true
	}
}

// BenchmarkInvisibleMatch measures whether the duration of a request discloses something of
// activities that the caller may not see. Run it with -benchtime 2000x: right-guesses is the share
// of pairs in which the request about such an activity took longer than the other, which is 0.5 if
// the duration discloses nothing; sigmas is its distance from that in standard deviations.
//
// The last part measures what is disclosed: on a resource on which the caller holds a role, the
// time that the private activities take.
func BenchmarkInvisibleMatch(b *testing.B) {
	for _, c := range []struct {
		name         string
		right, wrong func(s *spy) url.Values
	}{
		{
			"text", // of a caller without a role
			func(*spy) url.Values { return url.Values{"q": {"codename n"}} },
			func(*spy) url.Values { return url.Values{"q": {"codename z"}} },
		},
		{
			"text on a resource", // of a member: both read the same private activities
			func(s *spy) url.Values {
				s.becomeMember()
				return url.Values{"q": {"measured"}, "resource": {s.w.here.signal.String()}}
			},
			func(s *spy) url.Values {
				return url.Values{"q": {"measurez"}, "resource": {s.w.here.signal.String()}}
			},
		},
		{
			"existence", // of a resource on which the caller holds no role
			func(s *spy) url.Values { return url.Values{"resource": {s.w.here.signal.String()}} },
			func(*spy) url.Values { return url.Values{"resource": {uuid.NewString()}} },
		},
		{
			"number on a resource", // of a member: 6,000 private activities, and none
			func(s *spy) url.Values {
				s.becomeMember()
				return url.Values{"resource": {s.w.here.signal.String()}}
			},
			func(s *spy) url.Values { return url.Values{"resource": {s.w.here.folder.String()}} },
		},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := newWorld(b, nil)
			s := newSpy(b, w)
			measurePairs(b, s, c.right(s), c.wrong(s))
		})
	}
}

// becomeMember makes the spy a member, who holds a role on the folder and the signal.
func (s *spy) becomeMember() {
	s.client, s.as = s.w.here.as(s.w.here.member), principalOf(s.w.here.id, s.w.here.member)
}

// measurePairs asks right and wrong alternately.
func measurePairs(b *testing.B, s *spy, right, wrong url.Values) {
	b.Helper()
	ask := func(query url.Values) time.Duration {
		start := time.Now()
		s.client.do("GET", "/v1/activities?limit=50&"+query.Encode(), "").want(http.StatusOK)
		return time.Since(start)
	}
	for range 20 {
		ask(right)
		ask(wrong)
	}
	longer, pairs := 0, 0
	for b.Loop() {
		var of, than time.Duration
		if pairs%2 == 0 {
			of, than = ask(right), ask(wrong)
		} else {
			than, of = ask(wrong), ask(right)
		}
		if pairs++; of > than {
			longer++
		}
	}
	share := float64(longer) / float64(pairs)
	b.ReportMetric(share, "right-guesses")
	b.ReportMetric((share-0.5)*2*math.Sqrt(float64(pairs)), "sigmas")
}
