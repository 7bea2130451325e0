package fanout_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/centrifugotest"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/explain"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers"
)

// TestScenarios runs the scripts testdata/*.txt. A line is a verb and its words. A name identifies
// a principal or a resource of the current tenant; other/bob identifies bob of the tenant other.
//
//	tenant t                            selects the current tenant
//	principal ada [inactive] [group]    adds a principal, or a group, to the directory
//	member ada editors                  adds a member to a group
//	resource sig [in=folder] [owner=bob]
//	                                    adds a resource to the directory
//	move sig in=other | owner=ada       changes the parent or the owner of a resource
//	delete sig                          removes a resource from the directory
//	role bob owner folder               adds a role binding; "unrole bob owner folder" revokes it
//	subscribe carol sig [descendants]   adds a subscription; "unsubscribe carol sig" revokes it
//	prefer carol custom run.* sig*      sets a mode and patterns; "prefer carol muted" mutes
//	default custom run.* sig*           sets the tenant's, in the same way
//	mute carol ada                      mutes an actor
//	level carol custom sig [descendants] run.*
//	                                    sets a level, with the patterns of custom
//	taxonomy signal.lost mandatory      sets what the taxonomy says of an action
//	record ada signal.created sig [visibility=…] [target=…] [owner=…] [in=…] [to=user,resource,…]
//	                                    records an activity and waits until it leaves the outbox
//
// The following lines describe the last recorded activity. Each lists all elements:
//
//	notifies bob(owner) carol(subscribed through editors)
//	                                    the inbox rows with their reasons and groups; default: none
//	pushes bob carol                    principals whose own channels it was published on; default: the
//	                                    principals of notifies
//	shares resource tenant chat:x       the other channels; default: resource
//	explains bob: words                 the clause that explains what becomes of it for a principal now
//	dead-letter words                   it became a dead letter with these words in its error
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
			newStage(t, centrifugoServer).run(script)
		})
	}
}

func startCentrifugo(t *testing.T) *devstack.Centrifugo {
	t.Helper()
	return centrifugotest.Start(t, devstack.CentrifugoOptions{ExtraNamespaces: []string{"chat"}})
}

// stage is a database with a worker, and the state of a script.
type stage struct {
	t        *testing.T
	db       *pgtest.DB
	recorder *centrifugotest.Recorder
	channels *centrifugo.Channels
	filter   *preferences.Filter
	notify   map[string]activity.Notify
	tenant   uuid.UUID
	line     string

	last       uuid.UUID // the last recorded activity
	wantRows   []string
	wantPushes []string // nil: the principals of wantRows
	wantShares []string
	checked    bool

	anyShares bool // the other channels are not checked
}

func newStage(t *testing.T, server *devstack.Centrifugo) *stage {
	t.Helper()
	client, channels := connect(t, server, centrifugo.Formats{})
	s := &stage{
		t:        t,
		db:       pgtest.New(t),
		recorder: centrifugotest.NewRecorder(client),
		channels: channels,
		filter:   preferences.NewFilter(nil),
	}
	handler := fanout.New(s.recorder, channels, s.filter, fanout.Options{Wide: 8, Step: 5})
	startWorker(t, s.db, handler, outbox.Options{})
	return s
}

func (s *stage) run(script string) {
	s.t.Helper()
	content, err := os.ReadFile(script)
	if err != nil {
		s.t.Fatal(err)
	}
	s.runLines(script, 1, string(content))
}

// runLines runs the lines of a script, of which the first has a number.
func (s *stage) runLines(script string, first int, content string) {
	s.t.Helper()
	for n, line := range strings.Split(content, "\n") {
		text, _, _ := strings.Cut(line, "#")
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		s.line = fmt.Sprintf("%s:%d: %s", script, first+n, text)
		if !slices.Contains([]string{"notifies", "pushes", "shares", "dead-letter", "explains"}, words[0]) {
			s.check()
		}
		s.do(words[0], words[1:])
	}
	s.check()
}

func (s *stage) do(verb string, words []string) {
	s.t.Helper()
	named, flags := split(words)
	arg := func(i int) string {
		if i >= len(named) {
			s.t.Fatalf("%s: word %d is required", s.line, i+1)
		}
		return named[i]
	}
	switch verb {
	case "tenant":
		s.tenant = id("tenant", arg(0), uuid.Nil)
	case "principal":
		kind := "user"
		if slices.Contains(named, "group") {
			kind = "group"
		}
		s.exec(`INSERT INTO fanfare.principals (tenant_id, id, display_name, kind, active) VALUES ($1, $2, $3, $4, $5)`,
			s.tenant, s.id(arg(0)), arg(0), kind, !slices.Contains(named, "inactive"))
	case "member":
		s.exec(`INSERT INTO fanfare.memberships (tenant_id, principal_id, group_id) VALUES ($1, $2, $3)`,
			s.tenant, s.id(arg(0)), s.id(arg(1)))
	case "resource":
		s.exec(`INSERT INTO fanfare.resources (tenant_id, id, type, name, parent_id, owner_principal_id)
			VALUES ($1, $2, 'signal', $3, $4, $5)`,
			s.tenant, s.id(arg(0)), arg(0), s.idOrNull(flags["in"]), s.idOrNull(flags["owner"]))
	case "move":
		s.exec(`UPDATE fanfare.resources
			SET parent_id = coalesce($3, parent_id), owner_principal_id = coalesce($4, owner_principal_id)
			WHERE tenant_id = $1 AND id = $2`,
			s.tenant, s.id(arg(0)), s.idOrNull(flags["in"]), s.idOrNull(flags["owner"]))
	case "delete":
		s.exec(`DELETE FROM fanfare.resources WHERE tenant_id = $1 AND id = $2`, s.tenant, s.id(arg(0)))
	case "role":
		s.exec(`INSERT INTO fanfare.role_bindings (tenant_id, principal_id, role_name, scope_resource_id)
			VALUES ($1, $2, $3, $4)`, s.tenant, s.id(arg(0)), arg(1), s.id(arg(2)))
	case "unrole":
		s.exec(`UPDATE fanfare.role_bindings SET revoked_at = now()
			WHERE tenant_id = $1 AND principal_id = $2 AND role_name = $3 AND scope_resource_id = $4`,
			s.tenant, s.id(arg(0)), arg(1), s.id(arg(2)))
	case "subscribe":
		scope := "resource"
		if slices.Contains(named, "descendants") {
			scope = "descendants"
		}
		s.exec(`INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id, scope)
			VALUES ($1, $2, $3, $4)`, s.tenant, s.id(arg(0)), s.id(arg(1)), scope)
	case "unsubscribe":
		s.exec(`UPDATE fanfare.subscriptions SET revoked_at = now()
			WHERE tenant_id = $1 AND principal_id = $2 AND resource_id = $3`,
			s.tenant, s.id(arg(0)), s.id(arg(1)))
	case "prefer":
		s.prefer(s.id(arg(0)), arg(1), named[2:])
	case "default":
		s.preferByDefault(arg(0), named[1:])
	case "mute":
		s.exec(`INSERT INTO fanfare.preferences (tenant_id, principal_id, muted_actors) VALUES ($1, $2, ARRAY[$3::uuid])
			ON CONFLICT (tenant_id, principal_id) DO UPDATE SET muted_actors = array_append(
				preferences.muted_actors, $3)`, s.tenant, s.id(arg(0)), s.id(arg(1)))
	case "mute-actions":
		s.muteActions(arg(0), named[1:])
	case "level":
		s.level(arg(0), arg(1), arg(2), named[3:])
	case "taxonomy":
		s.notify = maps.Clone(s.notify)
		if s.notify == nil {
			s.notify = map[string]activity.Notify{}
		}
		s.notify[arg(0)] = activity.Notify(arg(1))
		s.filter.SetNotify(s.notify)
	case "record":
		s.record(arg(0), arg(1), arg(2), flags)
	case "notifies":
		rows := regexp.MustCompile(`\S+\([^)]*\)`).FindAllString(strings.Join(words, " "), -1)
		s.wantRows = slices.Sorted(slices.Values(rows))
	case "pushes":
		s.wantPushes = append([]string{}, words...)
	case "shares":
		s.wantShares = append([]string{}, words...)
	case "explains":
		s.explains(strings.TrimSuffix(arg(0), ":"), strings.Join(words[1:], " "))
	case "dead-letter":
		s.eventually(`SELECT count(*) = 1 FROM fanfare.dead_letters
			WHERE activity_id = $1 AND tenant_id = $2 AND error LIKE '%' || $3 || '%'`,
			s.last, s.tenant, strings.Join(words, " "))
		s.checked = true
	default:
		s.t.Fatalf("%s: unknown verb", s.line)
	}
}

// explains checks why the last activity does or does not notify a principal.
func (s *stage) explains(name, want string) {
	s.t.Helper()
	x := &explain.Explainer{DB: s.db.Pool, Filter: s.filter}
	operator := explain.Asker{Principal: activity.Principal{TenantID: s.tenant}, Operator: true}
	e, err := x.Principal(s.t.Context(), operator, s.last, s.id(name))
	if err != nil {
		s.t.Fatalf("%s: %v", s.line, err)
	}
	if e.Now.Why != want {
		s.t.Errorf("%s: got %q, want %q", s.line, e.Now.Why, want)
	}
}

func (s *stage) prefer(principal uuid.UUID, mode string, patterns []string) {
	s.t.Helper()
	if mode == "muted" {
		s.exec(`INSERT INTO fanfare.preferences (tenant_id, principal_id, muted) VALUES ($1, $2, true)
			ON CONFLICT (tenant_id, principal_id) DO UPDATE SET muted = true`, s.tenant, principal)
		return
	}
	s.exec(`INSERT INTO fanfare.preferences (tenant_id, principal_id, filter_mode, custom_actions)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT (tenant_id, principal_id) DO UPDATE
		SET filter_mode = excluded.filter_mode, custom_actions = excluded.custom_actions, muted = false`,
		s.tenant, principal, mode, append([]string{}, patterns...))
}

// preferByDefault sets the tenant's preferences.
func (s *stage) preferByDefault(mode string, patterns []string) {
	s.t.Helper()
	c := preferences.Change{CustomActions: &patterns}
	if c.Muted = new(mode == "muted"); !*c.Muted {
		c.Mode = (*preferences.Mode)(&mode)
	}
	err := pgx.BeginFunc(s.t.Context(), s.db.Pool, func(tx pgx.Tx) error {
		_, _, err := preferences.PutTenant(s.t.Context(), tx, s.tenant, c)
		return err
	})
	if err != nil {
		s.t.Fatalf("%s: %v", s.line, err)
	}
}

// muteActions sets the muted actions of a principal or of the tenant.
func (s *stage) muteActions(of string, patterns []string) {
	s.t.Helper()
	c := preferences.Change{MutedActions: &patterns}
	var err error
	if of == "tenant" {
		err = pgx.BeginFunc(s.t.Context(), s.db.Pool, func(tx pgx.Tx) error {
			_, _, err := preferences.PutTenant(s.t.Context(), tx, s.tenant, c)
			return err
		})
	} else {
		principal := activity.Principal{TenantID: s.tenant, PrincipalID: s.id(of)}
		_, err = preferences.Put(s.t.Context(), s.db.Pool, principal, c)
	}
	if err != nil {
		s.t.Fatalf("%s: %v", s.line, err)
	}
}

func (s *stage) level(principal, level, resource string, patterns []string) {
	s.t.Helper()
	scope := "resource"
	if len(patterns) > 0 && patterns[0] == "descendants" {
		scope, patterns = patterns[0], patterns[1:]
	}
	s.exec(`INSERT INTO fanfare.watch_levels (tenant_id, principal_id, resource_id, level, scope, patterns)
		VALUES ($1, $2, $3, $4, $5, $6)`,
		s.tenant, s.id(principal), s.id(resource), level, scope, append([]string{}, patterns...))
}

// split separates the words of the form name=value from the others.
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
		TenantID:         s.tenant,
		ActorPrincipalID: s.id(actor),
		ResourceID:       s.id(resource),
		ResourceType:     "signal",
		Action:           action,
		Visibility:       activity.Visibility(flags["visibility"]),
	}
	for name, field := range map[string]*uuid.UUID{
		"owner": &e.OwnerID, "in": &e.ParentID,
	} {
		if flags[name] != "" {
			*field = s.id(flags[name])
		}
	}
	for target := range strings.SplitSeq(flags["target"], ",") {
		if target != "" {
			e.TargetPrincipalIDs = append(e.TargetPrincipalIDs, s.id(target))
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
	s.last, s.checked = r.ID, false
	s.wantRows, s.wantPushes, s.wantShares = nil, nil, []string{"resource"}
	s.eventually(`SELECT NOT EXISTS (SELECT FROM fanfare.outbox WHERE tenant_id = $2 AND activity_id = $1)
		AND NOT EXISTS (SELECT FROM fanfare.parked WHERE tenant_id = $2 AND activity_id = $1)
		AND NOT EXISTS (SELECT FROM fanfare.fan_out_jobs WHERE tenant_id = $2 AND activity_id = $1)`, s.last, s.tenant)
}

// check compares the delivery of the last activity with the script.
func (s *stage) check() {
	s.t.Helper()
	if s.last == uuid.Nil || s.checked {
		return
	}
	s.checked = true
	var deadLetters int
	err := s.db.Pool.QueryRow(s.t.Context(), `SELECT count(*) FROM fanfare.dead_letters
		WHERE activity_id = $1 AND tenant_id = $2`, s.last, s.tenant).Scan(&deadLetters)
	if err != nil || deadLetters > 0 {
		s.t.Errorf("before %s: the activity is a dead letter (%v)", s.line, err)
	}
	if diff := cmp.Diff(append([]string{}, s.wantRows...), s.inboxRows()); diff != "" {
		s.t.Errorf("before %s: notifications: -want +got\n%s", s.line, diff)
	}
	want, got := s.wantChannels(), s.gotChannels()
	if s.anyShares {
		shared := func(channel string) bool { return !strings.HasPrefix(channel, "user:") }
		want, got = slices.DeleteFunc(want, shared), slices.DeleteFunc(got, shared)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("before %s: channels: -want +got\n%s", s.line, diff)
	}
}

// inboxRows returns the inbox rows of the last activity, sorted.
func (s *stage) inboxRows() []string {
	s.t.Helper()
	rows, err := s.db.Pool.Query(s.t.Context(), `
		SELECT p.display_name, n.reasons, coalesce(' through ' || g.display_name, '')
		FROM fanfare.notifications AS n
		JOIN fanfare.principals AS p ON p.tenant_id = n.tenant_id AND p.id = n.principal_id
		LEFT JOIN fanfare.principals AS g ON g.tenant_id = n.tenant_id AND g.id = n.group_id
		WHERE n.activity_id = $1 AND n.tenant_id = $2`, s.last, s.tenant)
	if err != nil {
		s.t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		var name, group string
		var reasons int16
		err := row.Scan(&name, &reasons, &group)
		return fmt.Sprintf("%s(%s%s)", name, strings.Join(watchers.Reasons(reasons).Names(), ","), group), err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

// wantChannels returns the channels of the script, sorted. "resource:TENANT." is the channel of a
// resource of the tenant.
func (s *stage) wantChannels() []string {
	want := []string{}
	for _, name := range s.wantShares {
		switch name {
		case "resource":
			want = append(want, "resource:"+s.tenant.String()+".")
		case "tenant":
			want = append(want, s.channels.Tenant(s.tenant))
		default:
			want = append(want, strings.ReplaceAll(name, "TENANT", s.tenant.String()))
		}
	}
	pushes := s.wantPushes
	if pushes == nil {
		for _, row := range s.wantRows {
			name, _, _ := strings.Cut(row, "(")
			pushes = append(pushes, name)
		}
	}
	for _, name := range pushes {
		want = append(want, s.channels.User(activity.Principal{TenantID: s.tenant, PrincipalID: s.id(name)}))
	}
	slices.Sort(want)
	return want
}

// gotChannels returns the channels that accepted the last activity, as wantChannels does.
func (s *stage) gotChannels() []string {
	got := []string{}
	for _, channel := range s.recorder.Channels(s.last) {
		if prefix := "resource:" + s.tenant.String() + "."; strings.HasPrefix(channel, prefix) {
			channel = prefix
		}
		got = append(got, channel)
	}
	slices.Sort(got)
	return got
}

// id returns the UUID of a name, which depends on the kind, the name and the tenant alone.
func id(kind, name string, tenant uuid.UUID) uuid.UUID {
	sum := sha256.Sum256([]byte(kind + "/" + name + "/" + tenant.String()))
	u := uuid.UUID(sum[:16])
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return u
}

func (s *stage) id(name string) uuid.UUID {
	if tenant, local, found := strings.Cut(name, "/"); found {
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
