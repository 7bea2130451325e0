package api_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/standby"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// readCounter counts the statements of a pool that read Fanfare's schema.
type readCounter struct{ n atomic.Int64 }

func (c *readCounter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	c.count(d.SQL)
	return ctx
}

func (c *readCounter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (c *readCounter) TraceBatchStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceBatchStartData) context.Context {
	for _, q := range d.Batch.QueuedQueries {
		c.count(q.SQL)
	}
	return ctx
}

func (c *readCounter) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (c *readCounter) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

func (c *readCounter) count(sql string) {
	if strings.Contains(sql, "fanfare.") {
		c.n.Add(1)
	}
}

// newStandbyWorld returns a world whose server reads from a standby, and the statements there.
func newStandbyWorld(t *testing.T) (*world, *readCounter) {
	t.Helper()
	server, db := pgtest.NewCluster(t)
	replica, err := server.StartStandby(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := replica.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	counter := &readCounter{}
	config, err := pgxpool.ParseConfig(replica.URL(db.Pool.Config().ConnConfig.Database))
	if err != nil {
		t.Fatal(err)
	}
	config.ConnConfig.Tracer = counter
	copied, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(copied.Close)
	standbys := standby.New(standby.Options{
		Primary: db.Pool, Standbys: []*pgxpool.Pool{copied}, MaxLag: 5 * time.Second,
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); standbys.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	w := newWorldOn(t, db, func(o *api.Options) { o.Standbys = standbys })
	standbys.Settle(t.Context())
	waittest.Until(t, "reads go to the standby", func() bool { return standbys.Pool() == copied })
	return w, counter
}

// TestReadsFromStandby compares what a server that reads from a standby answers with what the
// primary has.
func TestReadsFromStandby(t *testing.T) {
	t.Parallel()
	w, counter := newStandbyWorld(t)
	primary := w.newServer(nil)
	member := w.here.as(w.here.member, identity.ScopeRead, identity.ScopeAdmin)
	for _, target := range []string{
		"/v1/activities",
		"/v1/activities/" + w.here.shown.String(),
		"/v1/activities/" + w.here.hidden.String(),
		"/v1/activities/export",
		"/v1/audit/count",
		"/v1/audit/facets",
		"/v1/me",
		"/v1/notifications",
		"/v1/notifications/" + w.here.shown.String(),
		"/v1/notifications/counts",
		"/v1/notifications/preferences",
		"/v1/notifications/unread-count",
		"/v1/principals",
		"/v1/resources",
		"/v1/resources/" + w.here.signal.String(),
		"/v1/retention",
		"/v1/subscriptions",
		"/v1/taxonomy",
		"/v1/taxonomy/actions",
		"/v1/tenant/preferences",
		"/v1/watch-levels",
	} {
		before := counter.n.Load()
		got := member.do(http.MethodGet, target, "")
		onPrimary := member
		onPrimary.handler = primary.Handler()
		want := onPrimary.do(http.MethodGet, target, "")
		body := requestID.ReplaceAllString(string(got.body), "")
		wanted := requestID.ReplaceAllString(string(want.body), "")
		if strings.HasSuffix(target, "/export") {
			wanted, _, _ = strings.Cut(wanted, lastLine(wanted)) // the primary's contains that of the standby
		}
		if got.status != want.status || body != wanted {
			t.Errorf("GET %s: %d %s, of the primary %d %s", target, got.status, body, want.status, wanted)
		}
		if counter.n.Load() == before {
			t.Errorf("GET %s reads nothing from the standby", target)
		}
	}
}

var requestID = regexp.MustCompile(`"request_id":"[^"]*"`)

// lastLine returns the last line of a text that ends with a newline.
func lastLine(text string) string {
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	return lines[len(lines)-1]
}

// TestReadsFollowWritesOfTheAPI changes a notification, and reads it again.
func TestReadsFollowWritesOfTheAPI(t *testing.T) {
	t.Parallel()
	w, counter := newStandbyWorld(t)
	member, target := w.here.as(w.here.member), "/v1/notifications/"+w.here.shown.String()
	for n := range 30 {
		read := n%2 == 0
		member.do(http.MethodPatch, target, fmt.Sprintf(`{"read":%v}`, read)).want(http.StatusOK)
		before := counter.n.Load()
		got := member.do(http.MethodGet, target, "").want(http.StatusOK)
		if isNull := strings.Contains(string(got.body), `"read_at":null`); isNull == read {
			t.Fatalf("after read was set to %v, GET %s answers %s", read, target, got.body)
		}
		if counter.n.Load() == before {
			t.Errorf("read %d does not go to the standby", n)
		}
	}
}
