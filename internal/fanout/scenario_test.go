package fanout_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers"
)

// TestScenarios plays testdata/*.txt. A script is lines of a verb and its words; names stand for
// ids.
//
//	tenant t                            what follows belongs to this tenant
//	principal ada [inactive]
//	resource sig [in=folder] [owner=bob]
//	move sig in=other | owner=ada       changes the directory
//	delete sig                          takes it out of the directory
//	role bob owner folder               a role binding; "unrole bob owner folder" revokes it
//	subscribe carol sig [descendants]   "unsubscribe carol sig" revokes it
//	prefer carol custom run.* sig*      a mode and patterns; "prefer carol muted" mutes
//	record ada signal.created sig [visibility=…] [target=…] [owner=…] [in=…] [to=user,resource,…]
//	tells bob(owner) carol(subscribed)  the inbox rows of the last recorded activity: exactly these
//	pushes bob carol                    the own channels it went to: exactly these; without this line, those it tells
//	shares resource tenant chat:x       the other channels it went to: exactly these; without this line, resource
//	dies words                          it became a dead letter with these words in its error
func TestScenarios(t *testing.T) {
	t.Parallel()
	centrifugoServer := startCentrifugo(t)
	scripts, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("scripts: got %d, %v", len(scripts), err)
	}
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".txt"), func(t *testing.T) {
			t.Parallel()
			newStage(t, centrifugoServer).play(script)
		})
	}
}

func startCentrifugo(t *testing.T) *devstack.Centrifugo {
	t.Helper()
	server, err := devstack.StartCentrifugo(t.Context(), devstack.CentrifugoOptions{ExtraNamespaces: []string{"chat"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return server
}

// recorder publishes to the real server and keeps which channels accepted which activity.
type recorder struct {
	client *centrifugo.Client
	mu     sync.Mutex
	went   map[string][]string // activity → channels
}

func (r *recorder) Publish(ctx context.Context, broadcasts []centrifugo.Broadcast) []centrifugo.Result {
	results := r.client.Publish(ctx, broadcasts)
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, b := range broadcasts {
		for _, channel := range b.Channels {
			if !slices.Contains(results[i].Failed, channel) {
				r.went[b.IdempotencyKey] = append(r.went[b.IdempotencyKey], channel)
			}
		}
	}
	return results
}

func (r *recorder) channels(id uuid.UUID) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.went[id.String()])
}

// stage is a database, a worker on it, and where the script stands.
type stage struct {
	t        *testing.T
	db       *pgtest.DB
	recorder *recorder
	channels *centrifugo.Channels
	tenant   uuid.UUID
	line     string

	last           uuid.UUID
	expectedPushes []string // nil: as told
	expectedShares []string
	told           []string
	checked        bool
}

func newStage(t *testing.T, server *devstack.Centrifugo) *stage {
	t.Helper()
	client, channels := connected(t, server, centrifugo.Formats{})
	s := &stage{
		t:        t,
		db:       pgtest.New(t),
		recorder: &recorder{client: client, went: map[string][]string{}},
		channels: channels,
	}
	handler := fanout.New(s.recorder, channels, preferences.NewFilter(nil), fanout.Options{Wide: 8, Step: 5})
	deliver(t, s.db, handler, outbox.Options{})
	return s
}

func (s *stage) play(script string) {
	s.t.Helper()
	file, err := os.Open(script)
	if err != nil {
		s.t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#!")
		words := strings.Fields(text)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		s.line = fmt.Sprintf("%s:%d: %s", script, n, text)
		if words[0] != "tells" && words[0] != "pushes" && words[0] != "shares" && words[0] != "dies" {
			s.check()
		}
		s.do(words[0], words[1:])
	}
	s.check()
	if err := lines.Err(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) do(verb string, words []string) {
	s.t.Helper()
	named, flags := split(words)
	arg := func(i int) string {
		if i >= len(named) {
			s.t.Fatalf("%s: word %d is missing", s.line, i+1)
		}
		return named[i]
	}
	switch verb {
	case "tenant":
		s.tenant = id("tenant", arg(0), uuid.Nil)
	case "principal":
		s.exec(
			`INSERT INTO fanfare.principals (tenant_id, id, display_name, active) VALUES ($1, $2, $3, $4)`,
			s.tenant,
			s.id(arg(0)),
			arg(0),
			!slices.Contains(named, "inactive"),
		)
	case "resource":
		s.exec(
			`INSERT INTO fanfare.resources (tenant_id, id, type, name, parent_id, owner_principal_id) VALUES ($1, $2, 'signal', $3, $4, $5)`,
			s.tenant,
			s.id(arg(0)),
			arg(0),
			s.idOrNull(flags["in"]),
			s.idOrNull(flags["owner"]),
		)
	case "move":
		s.exec(
			`UPDATE fanfare.resources SET parent_id = coalesce($3, parent_id), owner_principal_id = coalesce($4, owner_principal_id) WHERE tenant_id = $1 AND id = $2`,
			s.tenant,
			s.id(arg(0)),
			s.idOrNull(flags["in"]),
			s.idOrNull(flags["owner"]),
		)
	case "delete":
		s.exec(`DELETE FROM fanfare.resources WHERE tenant_id = $1 AND id = $2`, s.tenant, s.id(arg(0)))
	case "role":
		s.exec(
			`INSERT INTO fanfare.role_bindings (tenant_id, principal_id, role_name, scope_resource_id) VALUES ($1, $2, $3, $4)`,
			s.tenant,
			s.id(arg(0)),
			arg(1),
			s.id(arg(2)),
		)
	case "unrole":
		s.exec(
			`UPDATE fanfare.role_bindings SET revoked_at = now() WHERE tenant_id = $1 AND principal_id = $2 AND role_name = $3 AND scope_resource_id = $4`,
			s.tenant,
			s.id(arg(0)),
			arg(1),
			s.id(arg(2)),
		)
	case "subscribe":
		scope := "resource"
		if slices.Contains(named, "descendants") {
			scope = "descendants"
		}
		s.exec(
			`INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id, scope) VALUES ($1, $2, $3, $4)`,
			s.tenant,
			s.id(arg(0)),
			s.id(arg(1)),
			scope,
		)
	case "unsubscribe":
		s.exec(
			`UPDATE fanfare.subscriptions SET revoked_at = now() WHERE tenant_id = $1 AND principal_id = $2 AND resource_id = $3`,
			s.tenant,
			s.id(arg(0)),
			s.id(arg(1)),
		)
	case "prefer":
		if arg(1) == "muted" {
			s.exec(
				`INSERT INTO fanfare.preferences (tenant_id, principal_id, muted) VALUES ($1, $2, true) ON CONFLICT (tenant_id, principal_id) DO UPDATE SET muted = true`,
				s.tenant,
				s.id(arg(0)),
			)
			return
		}
		s.exec(
			`INSERT INTO fanfare.preferences (tenant_id, principal_id, filter_mode, custom_actions) VALUES ($1, $2, $3, $4)
			ON CONFLICT (tenant_id, principal_id) DO UPDATE SET filter_mode = excluded.filter_mode, custom_actions = excluded.custom_actions, muted = false`,
			s.tenant,
			s.id(arg(0)),
			arg(1),
			append([]string{}, named[2:]...),
		)
	case "record":
		s.record(arg(0), arg(1), arg(2), flags)
	case "tells":
		s.told = slices.Sorted(slices.Values(words))
	case "pushes":
		s.expectedPushes = append([]string{}, words...)
	case "shares":
		s.expectedShares = append([]string{}, words...)
	case "dies":
		s.eventually(
			`SELECT count(*) = 1 FROM fanfare.dead_letters WHERE activity_id = $1 AND tenant_id = $2 AND error LIKE '%' || $3 || '%'`,
			s.last,
			s.tenant,
			strings.Join(words, " "),
		)
		s.checked = true
	default:
		s.t.Fatalf("%s: no such verb", s.line)
	}
}

// split parts name=value words from the others.
func split(words []string) (named []string, flags map[string]string) {
	flags = map[string]string{}
	for _, w := range words {
		if key, value, found := strings.Cut(w, "="); found {
			flags[key] = value
		} else {
			named = append(named, w)
		}
	}
	return named, flags
}

func (s *stage) record(actor, action, resource string, flags map[string]string) {
	s.t.Helper()
	e := activity.Envelope{
		TenantID: s.tenant, ActorPrincipalID: s.id(actor), ResourceID: s.id(resource), ResourceType: "signal", Action: action,
		Visibility: activity.Visibility(flags["visibility"]),
	}
	for name, field := range map[string]*uuid.UUID{"target": &e.TargetPrincipalID, "owner": &e.OwnerID, "in": &e.ParentID} {
		if flags[name] != "" {
			*field = s.id(flags[name])
		}
	}
	for _, to := range strings.Split(flags["to"], ",") {
		if to != "" {
			e.DeliveryChannels = append(e.DeliveryChannels, strings.ReplaceAll(to, "TENANT", s.tenant.String()))
		}
	}
	_, r, err := outbox.TxActivity(
		s.t.Context(),
		s.db.Pool,
		e,
		func(context.Context, pgx.Tx, *activity.Envelope) (any, error) { return nil, nil },
	)
	if err != nil {
		s.t.Fatalf("%s: %v", s.line, err)
	}
	s.last, s.checked, s.told, s.expectedPushes, s.expectedShares = r.ID, false, nil, nil, []string{"resource"}
	s.eventually(`SELECT NOT EXISTS (SELECT FROM fanfare.outbox WHERE tenant_id = $2 AND activity_id = $1)
		AND NOT EXISTS (SELECT FROM fanfare.parked WHERE tenant_id = $2 AND activity_id = $1)
		AND NOT EXISTS (SELECT FROM fanfare.fan_out_jobs WHERE tenant_id = $2 AND activity_id = $1)`, s.last, s.tenant)
}

// check holds what became of the last activity against what the script said of it.
func (s *stage) check() {
	s.t.Helper()
	if s.last == uuid.Nil || s.checked {
		return
	}
	s.checked = true
	rows, err := s.db.Pool.Query(s.t.Context(), `
		SELECT p.display_name, n.reasons FROM fanfare.notifications n JOIN fanfare.principals p ON p.tenant_id = n.tenant_id AND p.id = n.principal_id
		WHERE n.activity_id = $1 AND n.tenant_id = $2 ORDER BY 1`, s.last, s.tenant)
	if err != nil {
		s.t.Fatal(err)
	}
	told, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		var name string
		var reasons int16
		err := row.Scan(&name, &reasons)
		return fmt.Sprintf("%s(%s)", name, strings.Join(watchers.Reasons(reasons).Names(), ",")), err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	slices.Sort(told)
	var dead int
	if err := s.db.Pool.QueryRow(s.t.Context(), `SELECT count(*) FROM fanfare.dead_letters WHERE activity_id = $1 AND tenant_id = $2`, s.last, s.tenant).Scan(&dead); err != nil ||
		dead > 0 {
		s.t.Errorf("%s: the activity before it is a dead letter (%v)", s.line, err)
	}
	if diff := cmp.Diff(append([]string{}, s.told...), append([]string{}, told...)); diff != "" {
		s.t.Errorf("before %s: told: -want +got\n%s", s.line, diff)
	}
	want := []string{}
	for _, name := range s.expectedShares {
		switch name {
		case "resource":
			want = append(want, "resource:"+s.tenant.String()+".")
		case "tenant":
			want = append(want, s.channels.Tenant(s.tenant))
		default:
			want = append(want, strings.ReplaceAll(name, "TENANT", s.tenant.String()))
		}
	}
	pushes := s.expectedPushes
	if pushes == nil {
		for _, t := range s.told {
			name, _, _ := strings.Cut(t, "(")
			pushes = append(pushes, name)
		}
	}
	for _, name := range pushes {
		want = append(want, s.channels.User(activity.Principal{TenantID: s.tenant, PrincipalID: s.id(name)}))
	}
	var got []string
	for _, channel := range s.recorder.channels(s.last) {
		if strings.HasPrefix(channel, "resource:"+s.tenant.String()+".") {
			channel = "resource:" + s.tenant.String() + "."
		}
		got = append(got, channel)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, append([]string{}, got...)); diff != "" {
		s.t.Errorf("before %s: channels: -want +got\n%s", s.line, diff)
	}
}

// id makes the same UUID of the same name every time; principals and resources of one name differ
// by tenant.
func id(kind, name string, tenant uuid.UUID) uuid.UUID {
	sum := sha256.Sum256([]byte(kind + "/" + name + "/" + tenant.String()))
	u := uuid.UUID(sum[:16])
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return u
}

func (s *stage) id(name string) uuid.UUID {
	if tenant, local, found := strings.Cut(name, "/"); found { // another tenant's
		return id("", local, id("tenant", tenant, uuid.Nil))
	}
	return id("", name, s.tenant)
}

func (s *stage) idOrNull(name string) any {
	if name == "" {
		return nil
	}
	return s.id(name)
}

func (s *stage) exec(sql string, args ...any) {
	s.t.Helper()
	if _, err := s.db.Pool.Exec(s.t.Context(), sql, args...); err != nil {
		s.t.Fatalf("%s: %v", s.line, err)
	}
}

func (s *stage) eventually(query string, args ...any) {
	s.t.Helper()
	waittest.Query(s.t, s.db.Pool, s.line, query, args...)
}
