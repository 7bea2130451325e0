package actions_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// pages are those of docs/instrumenting, by name.
func pages(t testing.TB) map[string]string {
	t.Helper()
	names, err := filepath.Glob("../../docs/instrumenting/*.md")
	if err != nil || len(names) == 0 {
		t.Fatalf("there are no pages: %v", err)
	}
	all := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(name)] = string(text)
	}
	return all
}

// TestPagesHaveEveryAction looks for each action's row, as the taxonomy has it now, in one page.
func TestPagesHaveEveryAction(t *testing.T) {
	t.Parallel()
	rows := map[string][]string{} // pages that have a row
	for name, text := range pages(t) {
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "| `") && strings.Contains(line, ".") {
				rows[strings.TrimSpace(line)] = append(rows[strings.TrimSpace(line)], name)
			}
		}
	}
	for _, a := range taxonomy.Shipped().Actions() {
		var schema struct {
			Properties map[string]json.RawMessage
		}
		if err := json.Unmarshal(a.Schema, &schema); err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, key := range a.Required {
			keys = append(keys, "**`"+key+"`**")
		}
		var optional []string
		for key := range schema.Properties {
			if !slices.Contains(a.Required, key) {
				optional = append(optional, "`"+key+"`")
			}
		}
		slices.Sort(optional)
		want := strings.TrimSpace(fmt.Sprintf("| `%s` | %s | %s |", a.Name, a.Description, strings.Join(append(keys, optional...), ", ")))
		if in := rows[want]; len(in) != 1 {
			t.Errorf("the pages %q have, want one to have\n%s", in, want)
		}
		delete(rows, want)
	}
	for row, in := range rows {
		t.Errorf("%q: the taxonomy does not have\n%s", in, row)
	}
}

var fence = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

// TestPagesQuoteExamples holds what the pages show in Go to what is compiled and run here.
func TestPagesQuoteExamples(t *testing.T) {
	t.Parallel()
	compiled, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range pages(t) {
		shown := 0
		for _, block := range fence.FindAllStringSubmatch(text, -1) {
			if block[1] != "go" {
				continue
			}
			shown++
			if !strings.Contains(string(compiled), "\n"+block[2]) {
				t.Errorf("%s shows what example_test.go does not have:\n%s", name, block[2])
			}
		}
		if shown == 0 && name != "fanfare.md" {
			t.Errorf("%s shows nothing in Go", name)
		}
	}
}

// strictly returns a database in which all writers are held to the shipped taxonomy.
func strictly(t testing.TB) *pgtest.DB {
	t.Helper()
	db := pgtest.New(t)
	if _, err := taxonomy.Apply(t.Context(), db.Pool, taxonomy.Shipped(), taxonomy.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := taxonomy.SetMode(t.Context(), db.Pool, uuid.Nil, taxonomy.Strict); err != nil {
		t.Fatal(err)
	}
	return db
}

// recorded returns the one activity that a transaction has recorded, or more, held to the whole taxonomy.
func recorded(t testing.TB, tx pgx.Tx, what string) {
	t.Helper()
	rows, err := tx.Query(t.Context(), `SELECT `+activity.Columns+` FROM fanfare.activities AS a`)
	if err != nil {
		t.Fatal(err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (a activity.Activity, err error) { return a, row.Scan(a.Fields()...) })
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Errorf("%s: nothing was recorded", what)
	}
	check := taxonomy.Shipped().Check(taxonomy.Strict)
	for _, a := range found {
		e := activity.Envelope{
			TenantID: a.TenantID, ActorPrincipalID: a.ActorPrincipalID, ResourceID: a.ResourceID, ResourceType: a.ResourceType, Action: a.Action,
			Payload: a.Payload,
		}
		if err := check(t.Context(), &e); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if failed := regexp.MustCompile(`failed|failure|blocked`).MatchString(a.Action); failed != (a.Status == activity.Failure) {
			t.Errorf("%s: %s has the status %s", what, a.Action, a.Status)
		}
	}
}

// TestStatementsOfPages runs what the pages show in SQL.
func TestStatementsOfPages(t *testing.T) {
	t.Parallel()
	db := strictly(t)
	for name, text := range pages(t) {
		shown := 0
		for _, block := range fence.FindAllStringSubmatch(text, -1) {
			if block[1] != "sql" {
				continue
			}
			shown++
			rolledBack(t, db, func(tx pgx.Tx) {
				if _, err := tx.Exec(t.Context(), block[2]); err != nil {
					t.Errorf("%s: %v in\n%s", name, err, block[2])
					return
				}
				recorded(t, tx, name)
			})
		}
		if shown == 0 && name != "fanfare.md" {
			t.Errorf("%s shows nothing in SQL", name)
		}
	}
}

func rolledBack(t testing.TB, db *pgtest.DB, do func(tx pgx.Tx)) {
	t.Helper()
	tx, err := db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	do(tx)
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestExamples runs the examples of this package.
func TestExamples(t *testing.T) {
	t.Parallel()
	db := strictly(t)
	ctx := activity.WithActor(t.Context(), uuid.New())
	type example = func(ctx context.Context, tx pgx.Tx, tenant, resource, other uuid.UUID) error
	two := func(f func(ctx context.Context, tx pgx.Tx, tenant, resource uuid.UUID) error) example {
		return func(ctx context.Context, tx pgx.Tx, tenant, resource, _ uuid.UUID) error {
			return f(ctx, tx, tenant, resource)
		}
	}
	for name, run := range map[string]example{
		"signalValidated": two(signalValidated), "datasetRefreshed": datasetRefreshed, "pipelineRunFailed": pipelineRunFailed,
		"experimentRun": experimentRun, "backtestCompleted": backtestCompleted, "rebalanced": rebalanced, "promotionApproved": promotionApproved,
		"driftDetected": driftDetected, "agentFinished": agentFinished, "reviewRequested": reviewRequested, "workflowStarted": workflowStarted,
		"invoiceIssued": invoiceIssued, "fileDeleted": fileDeleted, "indexSynced": indexSynced, "containerDestroyed": two(containerDestroyed),
		"settingsChanged": two(settingsChanged), "handedOver": handedOver,
		"loginFailed": func(ctx context.Context, tx pgx.Tx, tenant, resource, _ uuid.UUID) error {
			return loginFailed(ctx, tx, tenant, resource, "203.0.113.7")
		},
		"deviceLost": func(ctx context.Context, tx pgx.Tx, tenant, resource, _ uuid.UUID) error {
			return deviceLost(ctx, tx, tenant, resource, time.Now())
		},
	} {
		rolledBack(t, db, func(tx pgx.Tx) {
			if err := run(ctx, tx, uuid.New(), uuid.New(), uuid.New()); err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			recorded(t, tx, name)
		})
	}

	if _, err := db.Pool.Exec(ctx, `CREATE TABLE signals (tenant_id uuid, id uuid, stage text)`); err != nil {
		t.Fatal(err)
	}
	if err := promote(ctx, db.Pool, uuid.New(), uuid.New(), "production"); err != nil {
		t.Errorf("promote: %v", err)
	}
	rolledBack(t, db, func(tx pgx.Tx) { recorded(t, tx, "promote") })
}
