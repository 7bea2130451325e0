package actionstest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// Pages are the texts of Markdown files by file name.
type Pages map[string]string

// ReadPages reads the pages of a directory.
func ReadPages(t testing.TB, directory string) Pages {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(directory, "*.md"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s has no pages: %v", directory, err)
	}
	pages := Pages{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		pages[filepath.Base(name)] = string(text)
	}
	return pages
}

// HaveEveryAction checks that each action has a row in exactly one of the pages, with its
// description and the keys of its payload as the taxonomy has them, and that the pages have no
// other rows of actions.
func (pages Pages) HaveEveryAction(t *testing.T, actions []taxonomy.Action) {
	t.Helper()
	rows := map[string][]string{} // the pages that have a row
	for name, text := range pages {
		for line := range strings.Lines(text) {
			if row := strings.TrimSpace(line); strings.HasPrefix(row, "| `") && strings.Contains(row, ".") {
				rows[row] = append(rows[row], name)
			}
		}
	}
	for _, a := range actions {
		want := rowOf(t, a)
		if in := rows[want]; len(in) != 1 {
			t.Errorf("the pages %q have this row, want one page:\n%s", in, want)
		}
		delete(rows, want)
	}
	for row, in := range rows {
		t.Errorf("%q: no action of the taxonomy has this row:\n%s", in, row)
	}
}

// rowOf returns the row of an action in its page's table.
func rowOf(t *testing.T, a taxonomy.Action) string {
	t.Helper()
	var schema struct {
		Properties map[string]json.RawMessage
	}
	if err := json.Unmarshal(a.Schema, &schema); err != nil {
		t.Fatal(err)
	}
	var required, optional []string
	for key := range schema.Properties {
		if slices.Contains(a.Required, key) {
			required = append(required, "**`"+key+"`**")
		} else {
			optional = append(optional, "`"+key+"`")
		}
	}
	slices.Sort(required)
	slices.Sort(optional)
	keys := strings.Join(append(required, optional...), ", ")
	return strings.TrimSpace(fmt.Sprintf("| `%s` | %s | %s |", a.Name, a.Description, keys))
}

var fence = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

// blocks returns the fenced blocks of a language by page. It reports pages without one, but for
// those that are named.
func (pages Pages) blocks(t *testing.T, language string, without []string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for name, text := range pages {
		for _, block := range fence.FindAllStringSubmatch(text, -1) {
			if block[1] == language {
				found[name] = append(found[name], block[2])
			}
		}
		if len(found[name]) == 0 && !slices.Contains(without, name) {
			t.Errorf("%s has no example in %s", name, language)
		}
	}
	return found
}

// QuoteExamples checks that every Go example of the pages is part of a file, which is compiled.
// Every page has one, except those that are named.
func (pages Pages) QuoteExamples(t *testing.T, file string, without ...string) {
	t.Helper()
	compiled, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, blocks := range pages.blocks(t, "go", without) {
		for _, block := range blocks {
			if !strings.Contains(string(compiled), "\n"+block) {
				t.Errorf("%s has an example that %s does not have:\n%s", name, file, block)
			}
		}
	}
}

// RunStatements executes every SQL example of the pages in a database that enforces a taxonomy
// strictly. Every page has one, except those that are named.
func (pages Pages) RunStatements(t *testing.T, db *pgtest.DB, actions *taxonomy.Taxonomy, without ...string) {
	t.Helper()
	for name, blocks := range pages.blocks(t, "sql", without) {
		for _, block := range blocks {
			RolledBack(t, db, func(tx pgx.Tx) {
				if _, err := tx.Exec(t.Context(), block); err != nil {
					t.Errorf("%s: %v in\n%s", name, err, block)
					return
				}
				Recorded(t, tx, actions, name)
			})
		}
	}
}

// Strict returns a database that enforces a taxonomy strictly.
func Strict(t testing.TB, actions *taxonomy.Taxonomy) *pgtest.DB {
	t.Helper()
	db := pgtest.New(t)
	if _, err := taxonomy.Apply(t.Context(), db.Pool, actions, taxonomy.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := taxonomy.SetMode(t.Context(), db.Pool, uuid.Nil, taxonomy.Strict); err != nil {
		t.Fatal(err)
	}
	return db
}

// RolledBack calls a function with a transaction and rolls the transaction back.
func RolledBack(t testing.TB, db *pgtest.DB, do func(tx pgx.Tx)) {
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

var failures = regexp.MustCompile(`failed|failure|blocked`)

// Recorded checks that a transaction recorded activities, that their payloads satisfy the complete
// schemas of a taxonomy, and that those which report a failure have the status of one.
func Recorded(t testing.TB, tx pgx.Tx, actions *taxonomy.Taxonomy, subject string) {
	t.Helper()
	rows, err := tx.Query(t.Context(), `SELECT `+pglog.Columns+` FROM fanfare.activities AS a`)
	if err != nil {
		t.Fatal(err)
	}
	scan := func(row pgx.CollectableRow) (a activity.Activity, err error) {
		return a, row.Scan(pglog.ScanTargets(&a)...)
	}
	found, err := pgx.CollectRows(rows, scan)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Errorf("%s: no activity was recorded", subject)
	}
	check := actions.Check(taxonomy.Strict)
	for _, a := range found {
		e := activity.Envelope{
			TenantID: a.TenantID, ActorPrincipalID: a.ActorPrincipalID, ResourceID: a.ResourceID,
			ResourceType: a.ResourceType, Action: a.Action, Payload: a.Payload,
		}
		if err := check(t.Context(), &e); err != nil {
			t.Errorf("%s: %v", subject, err)
		}
		if failed := failures.MatchString(a.Action); failed != (a.Status == activity.Failure) {
			t.Errorf("%s: %s has the status %s", subject, a.Action, a.Status)
		}
	}
}
