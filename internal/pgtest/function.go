package pgtest

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Query returns the statement that a PL/pgSQL function of the schema fanfare returns (RETURN
// QUERY), with parameters like $1 in place of the function's, in their order. variables are values
// of the function's own variables, by their name.
func Query(t testing.TB, tx pgx.Tx, function string, variables map[string]string) string {
	t.Helper()
	var body string
	var names []string
	if err := tx.QueryRow(t.Context(), `
		SELECT prosrc, proargnames[:pronargs] FROM pg_proc
		WHERE pronamespace = 'fanfare'::regnamespace AND proname = $1`, function).Scan(&body, &names); err != nil {
		t.Fatal(err)
	}
	_, statement, found := strings.Cut(body, "RETURN QUERY")
	statement, _, ended := strings.Cut(statement, ";\n    RAISE SQLSTATE")
	if !found || !ended {
		t.Fatalf("fanfare.%s returns no query", function)
	}
	var types []string
	if err := tx.QueryRow(t.Context(), `
		SELECT array_agg(format_type(a.type, NULL) ORDER BY a.n) FROM pg_proc,
		    unnest(proargtypes::oid[]) WITH ORDINALITY AS a(type, n)
		WHERE pronamespace = 'fanfare'::regnamespace AND proname = $1`, function).Scan(&types); err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		statement = word(name).ReplaceAllLiteralString(statement, "($"+strconv.Itoa(i+1)+"::"+types[i]+")")
	}
	for name, value := range variables {
		statement = word(name).ReplaceAllLiteralString(statement, value)
	}
	return statement
}

func word(name string) *regexp.Regexp { return regexp.MustCompile(`\b` + name + `\b`) }
