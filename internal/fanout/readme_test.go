package fanout_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/internal/waittest"
	"github.com/fanfarehq/fanfare/outbox"
)

// Project is what the first example of the README creates.
type Project struct{ ID uuid.UUID }

// TestReadme runs the first examples of the README. They reach a principal who has set no
// preference.
func TestReadme(t *testing.T) {
	t.Parallel()
	s := newStageWith(t, startCentrifugo(t), fanout.Options{})
	var (
		ctx                   = t.Context()
		pool                  = s.db.Pool
		tenant, user, watcher = uuid.New(), uuid.New(), uuid.New()
		workspace, id         = uuid.New(), uuid.New()
		name                  = "Apollo"
	)
	s.exec(`INSERT INTO fanfare.resources (tenant_id, id, type) VALUES ($1, $2, 'workspace')`, tenant, workspace)
	s.exec(`INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name)
		VALUES ($1, $2, $3, 'member')`, tenant, watcher, workspace)
	s.exec(`INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id, scope)
		VALUES ($1, $2, $3, 'descendants')`, tenant, watcher, workspace)
	insertProject := func(ctx context.Context, tx pgx.Tx, id uuid.UUID, name string) (Project, error) {
		_, err := tx.Exec(ctx, `INSERT INTO fanfare.resources (tenant_id, id, parent_id, type, name)
			VALUES ($1, $2, $3, 'project', $4)`, tenant, id, workspace, name)
		return Project{id}, err
	}
	project, recorded, err := outbox.TxActivity(ctx, pool, activity.Envelope{
		TenantID: tenant, ActorPrincipalID: user, ResourceID: id, ResourceType: "project", Action: "project.created",
	}, func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) (Project, error) {
		return insertProject(ctx, tx, id, name) // your change; it commits together with the activity, or not at all
	})
	if err != nil || project.ID != id {
		t.Fatalf("got %v, %v, want the project", project, err)
	}
	s.wantNotified(tenant, watcher, recorded.ID)

	readme, source := readFile(t, "../../README.md"), readFile(t, "readme_test.go")
	if example := fenced(t, readme, "go"); !strings.Contains(words(source), words(example)) {
		t.Errorf("this test does not contain the first example:\n%s", example)
	}
	statement := fenced(t, readme, "sql")
	for _, id := range []uuid.UUID{tenant, user, id} {
		statement = strings.Replace(statement, "…", id.String(), 1)
	}
	var second uuid.UUID
	if err := pool.QueryRow(ctx, statement).Scan(&second); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	s.wantNotified(tenant, watcher, second)
}

func (s *stage) wantNotified(tenant, principal, id uuid.UUID) {
	s.t.Helper()
	waittest.Query(s.t, s.db.Pool, "the watcher is notified", `SELECT EXISTS (SELECT FROM fanfare.notifications
		WHERE tenant_id = $1 AND principal_id = $2 AND activity_id = $3)`, tenant, principal, id)
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fenced returns the first code block of a language.
func fenced(t *testing.T, text, language string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, "\n```"+language+"\n")
	block, _, closed := strings.Cut(rest, "\n```")
	if !found || !closed {
		t.Fatalf("no code block in %s", language)
	}
	return block
}

func words(text string) string { return strings.Join(strings.Fields(text), " ") }
