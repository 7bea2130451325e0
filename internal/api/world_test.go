package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.uber.org/zap/zaptest"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/inbox"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/watchers"
)

// tokenSecret signs tokens and cursors in tests.
const tokenSecret = "the secret of the tests, and of nothing else"

// world is a server, its database, and two tenants with the same contents.
type world struct {
	t         testing.TB
	db        *pgtest.DB
	server    *api.Server
	routes    documentedRoutes
	channels  *centrifugo.Channels
	here      *tenant
	elsewhere *tenant
}

// tenant has a folder with a signal, and principals with different access to them.
type tenant struct {
	w              *world
	id             uuid.UUID
	folder, signal uuid.UUID

	owner     uuid.UUID // owns the signal
	delegator uuid.UUID // has the role delegator on the folder
	member    uuid.UUID // has the role viewer on the folder, and a subscription to the signal
	outsider  uuid.UUID // has no role
	team      uuid.UUID // a group of the outsider, without a role

	shown     uuid.UUID // an activity on the signal with the visibility resource
	hidden    uuid.UUID // a private one
	addressed uuid.UUID // a private one whose target is the member
	dead      uuid.UUID // a private one that is a dead letter

	subscription uuid.UUID // of the member to the signal, of which the member also has a level
}

// newWorld returns a world. change modifies its options.
func newWorld(t testing.TB, change func(*api.Options)) *world {
	t.Helper()
	return newWorldOn(t, pgtest.New(t), change)
}

// newWorldOn returns a world in a database.
func newWorldOn(t testing.TB, db *pgtest.DB, change func(*api.Options)) *world {
	t.Helper()
	w := &world{t: t, db: db}
	var err error
	if w.channels, err = centrifugo.ParseFormats(centrifugo.Formats{}); err != nil {
		t.Fatal(err)
	}
	w.server = w.newServer(change)
	w.routes = newDocumentedRoutes(t, w.server)
	w.here, w.elsewhere = w.newTenant(), w.newTenant()
	return w
}

// newServer returns another server of the same world.
func (w *world) newServer(change func(*api.Options)) *api.Server {
	w.t.Helper()
	sessions := identity.NewSessions(identity.NewTokens(w.db.Pool, nil), nil)
	authenticator, err := identity.New(identity.Options{TrustHeaders: true, Sessions: sessions})
	if err != nil {
		w.t.Fatal(err)
	}
	tokens, err := centrifugo.NewTokens(centrifugo.TokenOptions{Secret: tokenSecret})
	if err != nil {
		w.t.Fatal(err)
	}
	options := api.Options{
		Pool: w.db.Pool, Authenticator: authenticator, Channels: w.channels, Tokens: tokens,
		CursorSecret: []byte(tokenSecret), Sessions: sessions,
		Limits: api.Limits{PerSecond: 1e6, Burst: 1e6, Query: timeout}, Logger: zaptest.NewLogger(w.t),
	}
	if change != nil {
		change(&options)
	}
	server, err := api.New(options)
	if err != nil {
		w.t.Fatal(err)
	}
	return server
}

func (w *world) newTenant() *tenant {
	w.t.Helper()
	at := &tenant{
		w: w, id: uuid.New(), folder: uuid.New(), signal: uuid.New(),
		owner: uuid.New(), delegator: uuid.New(), member: uuid.New(), outsider: uuid.New(), team: uuid.New(),
	}
	w.exec(`
		INSERT INTO fanfare.principals (tenant_id, id, display_name)
		SELECT $1::uuid, unnest($2::uuid[]), 'display name of ' || $1::uuid::text`,
		at.id, [][16]byte{at.owner, at.delegator, at.member, at.outsider})
	w.exec(`
		INSERT INTO fanfare.resources (tenant_id, id, parent_id, owner_principal_id, type, name)
		VALUES ($1, $2, NULL, NULL, 'folder', 'the folder'), ($1, $3, $2, $4, 'signal', 'the signal')`,
		at.id, at.folder, at.signal, at.owner)
	w.exec(`
		INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name)
		VALUES ($1, $2, $4, 'delegator'), ($1, $3, $4, 'viewer')`,
		at.id, at.delegator, at.member, at.folder)
	w.exec(`INSERT INTO fanfare.memberships (tenant_id, group_id, principal_id) VALUES ($1, $2, $3)`,
		at.id, at.team, at.outsider)
	err := w.db.Pool.QueryRow(w.t.Context(), `
		INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id) VALUES ($1, $2, $3)
		RETURNING id`, at.id, at.member, at.signal).Scan((*[16]byte)(&at.subscription))
	if err != nil {
		w.t.Fatal(err)
	}
	w.exec(`
		INSERT INTO fanfare.watch_levels (tenant_id, principal_id, resource_id, level)
		VALUES ($1, $2, $3, 'all'), ($1, $2, $4, 'all')`,
		at.id, at.member, at.folder, at.signal)
	at.shown = at.record(activity.Envelope{Action: "signal.updated"})
	at.hidden = at.record(activity.Envelope{Action: "signal.checked", Visibility: activity.Private})
	at.addressed = at.record(
		activity.Envelope{Action: "signal.mentioned", Visibility: activity.Private, TargetPrincipalID: at.member},
	)
	at.dead = at.record(activity.Envelope{Action: "signal.lost", Visibility: activity.Private})
	w.exec(`WITH deleted AS (DELETE FROM fanfare.outbox WHERE activity_id = $1 RETURNING *)
		INSERT INTO fanfare.dead_letters (activity_id, lane, seq, tenant_id, resource_id, recorded_at, attempts, error)
		SELECT activity_id, lane, seq, tenant_id, resource_id, recorded_at, 3, 'too large' FROM deleted`, at.dead)
	at.notify(at.member, at.shown)
	at.notify(at.member, at.addressed)
	at.notify(at.outsider, at.shown) // without access any more
	return at
}

// record records an activity, by default of the owner on the signal.
func (at *tenant) record(e activity.Envelope) uuid.UUID {
	at.w.t.Helper()
	e.TenantID, e.ResourceType, e.Payload = at.id, "signal", map[string]string{"secret_of": at.id.String()}
	if e.ActorPrincipalID == uuid.Nil {
		e.ActorPrincipalID = at.owner
	}
	if e.ResourceID == uuid.Nil {
		e.ResourceID = at.signal
	}
	_, recorded, err := outbox.TxActivity(
		at.w.t.Context(),
		at.w.db.Pool,
		e,
		func(context.Context, pgx.Tx, *activity.Envelope) (struct{}, error) {
			return struct{}{}, nil
		},
	)
	if err != nil {
		at.w.t.Fatal(err)
	}
	return recorded.ID
}

// notify adds an activity to the inbox of a principal.
func (at *tenant) notify(principal, id uuid.UUID) {
	at.w.t.Helper()
	var rows inbox.Rows
	a, err := pglog.New(at.w.db.Pool).Get(at.w.t.Context(), at.id, id)
	if err != nil {
		at.w.t.Fatal(err)
	}
	rows.Add(&a, principal, watchers.Subscribed, uuid.Nil)
	err = pgx.BeginFunc(
		at.w.t.Context(),
		at.w.db.Pool,
		func(tx pgx.Tx) error { return rows.Write(at.w.t.Context(), tx) },
	)
	if err != nil {
		at.w.t.Fatal(err)
	}
}

// code returns a code that begins a session of a principal.
func (at *tenant) code(principal uuid.UUID, scopes ...string) string {
	at.w.t.Helper()
	code, _, err := identity.NewSessions(identity.NewTokens(at.w.db.Pool, nil), nil).Issue(at.w.t.Context(),
		identity.NewSession{TenantID: at.id, PrincipalID: principal, Scopes: scopes})
	if err != nil {
		at.w.t.Fatal(err)
	}
	return string(code)
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	if _, err := w.db.Pool.Exec(w.t.Context(), sql, args...); err != nil {
		w.t.Fatal(err)
	}
}

// count returns the result of a query for one number.
func (w *world) count(sql string, args ...any) (n int) {
	w.t.Helper()
	if err := w.db.Pool.QueryRow(w.t.Context(), sql, args...).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// as returns a client with the credentials of a principal.
func (at *tenant) as(principal uuid.UUID, scopes ...string) client {
	return client{t: at.w.t, w: at.w, handler: at.w.server.Handler(), header: http.Header{
		"X-Tenant-Id":    {at.id.String()},
		"X-Principal-Id": {principal.String()},
		"X-Scopes":       {strings.Join(scopes, " ")},
	}}
}

// anyone returns a client without credentials.
func (w *world) anyone() client {
	return client{t: w.t, w: w, handler: w.server.Handler(), header: http.Header{}}
}

// principalOf returns the principal of a tenant.
func principalOf(tenant, id uuid.UUID) activity.Principal {
	return activity.Principal{TenantID: tenant, PrincipalID: id}
}
