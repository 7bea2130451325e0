package outbox_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// TestStatementsOfLanguages runs the statement of each example on the page about languages, with an
// envelope of the type that JDBC and others send texts with.
func TestStatementsOfLanguages(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/recording/README.md")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgtest.New(t).Pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	statement := regexp.MustCompile("[\"`](SELECT fanfare[.]record_activity[^\"`]*)[\"`]")
	statements := statement.FindAllStringSubmatch(string(page), -1)
	if got, want := len(statements), 11; got != want {
		t.Fatalf("got %d statements, want %d", got, want)
	}
	wantFields(t, conn.Conn(), string(page))
	placeholder := regexp.MustCompile(`[(](\?|%s|[:@][a-z]+)(::| AS)`)
	for _, match := range statements {
		query := placeholder.ReplaceAllString(match[1], "($$1$2")
		envelope := strings.NewReplacer("T", uuid.NewString(), "A", uuid.NewString(), "R", uuid.NewString()).Replace(
			`{"tenant_id":"T","actor_principal_id":"A","resource_id":"R","resource_type":"project",` +
				`"action":"project.created"}`)
		types := []uint32{pgtype.VarcharOID}
		if strings.Contains(query, "::text") {
			types = nil // the driver asks for the type
		}
		values := [][]byte{[]byte(envelope)}
		result := conn.Conn().PgConn().ExecParams(t.Context(), query, values, types, nil, nil).Read()
		if result.Err != nil || len(result.Rows) != 1 {
			t.Errorf("%s: got %d rows, %v, want an id", match[1], len(result.Rows), result.Err)
		}
	}
	for _, example := range regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		if _, err := conn.Exec(t.Context(), example[1]); err != nil {
			t.Errorf("%s: %v", example[1], err)
		}
	}
}

// wantFields checks that the page's table names the fields of the envelope, and nothing else.
func wantFields(t *testing.T, conn *pgx.Conn, page string) {
	t.Helper()
	_, table, _ := strings.Cut(page, "| field | value |")
	table, _, _ = strings.Cut(table, "\n\n")
	var got []string
	for line := range strings.Lines(table) {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			for _, match := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(cells[1], -1) {
				got = append(got, match[1])
			}
		}
	}
	var want []string
	if err := conn.QueryRow(t.Context(), "SELECT fanfare.envelope_fields()").Scan(&want); err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the fields of the envelope: got %q, want %q", got, want)
	}
}
