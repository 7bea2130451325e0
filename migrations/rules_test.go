package migrations

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fanfarehq/fanfare/internal/acceptance/next"
)

// rule forbids statements in a migration of a schema that is in use. A comment states why one is
// permitted all the same: -- Reason for <name>: ….
type rule struct {
	name    string
	pattern *regexp.Regexp
	unless  *regexp.Regexp // permits the statement; nil for none
	ofNew   bool           // also forbids it for a table that the migration itself creates
	instead string
}

var rules = []rule{
	{
		name:    "index",
		pattern: regexp.MustCompile(`^CREATE (UNIQUE )?INDEX (\w+ )?(IF NOT EXISTS )?(\w+ )?ON|^DROP INDEX`),
		unless:  regexp.MustCompile(`INDEX CONCURRENTLY`),
		instead: "build it CONCURRENTLY, in a migration of its own outside a transaction: writes wait for the others",
	},
	{
		name: "rewrite",
		pattern: regexp.MustCompile(`ALTER COLUMN \w+ (SET DATA )?TYPE|ADD COLUMN [^,]*GENERATED|` +
			`ADD COLUMN [^,]*DEFAULT [\w.]+\(|SET (TABLESPACE|LOGGED|UNLOGGED)|^(VACUUM|CLUSTER)`),
		unless:  regexp.MustCompile(`DEFAULT now\(`), // is evaluated once
		instead: "add a nullable column, or one with a constant default, and fill it in batches",
	},
	{
		name: "scan",
		pattern: regexp.MustCompile(`SET NOT NULL|ADD (CONSTRAINT|CHECK|FOREIGN|PRIMARY|UNIQUE|EXCLUDE)|` +
			`ADD COLUMN [^,]*(CHECK|REFERENCES|UNIQUE|PRIMARY)`),
		unless:  regexp.MustCompile(`NOT VALID|USING INDEX`),
		instead: "add the constraint NOT VALID, and validate it in the next migration",
	},
	{
		name:    "fails",
		pattern: regexp.MustCompile(`ADD COLUMN [^,]*NOT NULL`),
		unless:  regexp.MustCompile(`DEFAULT`),
		instead: "give it a constant default: programs before insert rows without it",
	},
	{
		name:    "backfill",
		pattern: regexp.MustCompile(`^(UPDATE|DELETE|TRUNCATE|INSERT)\b`),
		instead: "let the programs fill it in batches, since the locks of all rows last until the commit",
	},
	{
		name:    "lock",
		pattern: regexp.MustCompile(`^LOCK\b`),
		instead: "rely on the locks that statements take",
	},
	{
		name:    "do",
		pattern: regexp.MustCompile(`^DO\b`),
		ofNew:   true,
		instead: "write the statements, which this test can check",
	},
}

// removes are statements that programs before may depend on: contracts.
var removes = regexp.MustCompile(
	`\bDROP (TABLE|COLUMN|FUNCTION|PROCEDURE|VIEW|TYPE|SEQUENCE|DEFAULT|SCHEMA)\b|\bRENAME\b`)

var (
	dollarQuoted = regexp.MustCompile(`(?s)\$(\w*)\$.*?\$(\w*)\$`)
	lineComment  = regexp.MustCompile(`(?m)--.*$`)
	literal      = regexp.MustCompile(`'[^']*'`)
	space        = regexp.MustCompile(`\s+`)
	onTable      = regexp.MustCompile(`(?:^(?:ALTER|CREATE|TRUNCATE|LOCK) TABLE (?:IF (?:NOT )?EXISTS )?(?:ONLY )?` +
		`|^UPDATE |^DELETE FROM |^INSERT INTO |^CREATE .*INDEX .*ON (?:ONLY )?)fanfare\.(\w+)`)
	concurrently = regexp.MustCompile(
		`^(CREATE|DROP) (?:UNIQUE )?INDEX CONCURRENTLY (?:IF EXISTS )?(?:fanfare\.)?(\w+)`)
)

// statements returns the statements of a migration, each in one line, without comments, literals
// and bodies of functions.
func statements(sql string) (all []string) {
	sql = dollarQuoted.ReplaceAllString(sql, "$$$$")
	sql = literal.ReplaceAllString(lineComment.ReplaceAllString(sql, ""), "''")
	for statement := range strings.SplitSeq(sql, ";") {
		if statement = strings.TrimSpace(space.ReplaceAllString(statement, " ")); statement != "" {
			all = append(all, statement)
		}
	}
	return all
}

// violations returns what is wrong with a migration of a schema that is in use. oldest is that of
// the migration before.
func violations(number, oldest int, sql string) (found []string) {
	add := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	comment, _, _ := strings.Cut(sql, "\n\n")
	for name, line := range map[string]*regexp.Regexp{
		"-- Programs before: from NNN: …":            programsBefore,
		"-- Programs after: need it|work without it": programsAfter,
	} {
		if !slices.ContainsFunc(strings.Split(comment, "\n"), line.MatchString) {
			add("header: the line %q is missing", name)
		}
	}
	h := parseHeader(number, sql)
	if h.oldest < oldest || h.oldest > number {
		add("header: programs from %d: must be between %d, that of the migration before, and %d",
			h.oldest, oldest, number)
	}
	up, down, _ := strings.Cut(sql, "\n---- create above / drop below ----\n")
	if len(statements(down)) == 0 {
		add("down: reverts nothing")
	}
	all := statements(up)
	created, altered := map[string]bool{}, map[string]bool{}
	for _, statement := range all {
		table := ""
		if match := onTable.FindStringSubmatch(statement); match != nil {
			table = match[1]
		}
		switch {
		case strings.HasPrefix(statement, "CREATE TABLE"):
			created[table] = true
			continue
		case table != "" && !created[table]:
			altered[table] = true
		}
		for _, r := range rules {
			if r.pattern.MatchString(statement) && (r.unless == nil || !r.unless.MatchString(statement)) &&
				(r.ofNew || !created[table]) && !permitted(up, r.name) {
				add("%s: %s: %s", r.name, statement, r.instead)
			}
		}
		if removes.MatchString(statement) && h.oldest <= oldest && !permitted(up, "contract") {
			add("contract: %s: raise the oldest programs, to those that no longer use it", statement)
		}
	}
	if len(altered) > 1 && !permitted(up, "tables") {
		add("tables: it locks %d tables, in an order that transactions of services and workers may not follow: "+
			"write a migration for each", len(altered))
	}
	if strings.Contains(up, outsideTransaction) {
		found = append(found, violationsOutside(all)...)
	}
	slices.Sort(found)
	return found
}

// permitted reports whether a migration states a reason for breaking a rule.
func permitted(sql, name string) bool {
	return regexp.MustCompile(`(?m)^-- Reason for ` + name + `: \S`).MatchString(sql)
}

// violationsOutside checks a migration outside a transaction: it may end after each statement and
// begin again, and a concurrent build that failed leaves an invalid index.
func violationsOutside(statements []string) (found []string) {
	dropped := map[string]bool{}
	for _, statement := range statements {
		match := concurrently.FindStringSubmatch(statement)
		switch {
		case match == nil:
			found = append(found, "transaction: "+statement+": only concurrent builds are outside a transaction")
		case match[1] == "DROP":
			dropped[match[2]] = true
		case !dropped[match[2]]:
			found = append(found, "transaction: "+statement+": drop the index before, if it exists")
		}
	}
	return found
}

// TestReleasedMigrations compares the migrations with those of the newest release tag. Without one,
// all may still change.
func TestReleasedMigrations(t *testing.T) {
	t.Parallel()
	tag, err := next.NewestRelease(t.Context(), "..")
	if errors.Is(err, next.ErrNoRelease) {
		t.Logf("%v: all migrations may still change", err)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	changed, err := next.Changed(t.Context(), "..", tag)
	if err != nil || len(changed) > 0 {
		t.Errorf("migrations of %s that have changed: got %q, %v, want none", tag, changed, err)
	}
}

// TestRules checks the migrations after the baseline, and those of the upgrade's acceptance run.
func TestRules(t *testing.T) {
	t.Parallel()
	names, headers, err := readHeaders()
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string, number, oldest int, sql string) {
		for _, violation := range violations(number, oldest, sql) {
			t.Errorf("%s: %s (before the first release, raise baseline instead)", name, violation)
		}
	}
	if len(names) < baseline {
		t.Errorf("baseline: got %d, want at most %d, the number of the last migration", baseline, len(names))
	}
	for i := baseline; i < len(names); i++ {
		sql, err := os.ReadFile(names[i])
		if err != nil {
			t.Fatal(err)
		}
		check(names[i], i+1, headers[i-1].oldest, string(sql))
	}
	const before, last = baseline, baseline + 100
	for _, dir := range []string{"expand", "contract"} {
		found, err := filepath.Glob("../internal/acceptance/next/" + dir + "/*.sql")
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: got %q, %v", dir, found, err)
		}
		for _, name := range found {
			sql, err := next.Render(dir+"/"+filepath.Base(name), before, last)
			if err != nil {
				t.Fatal(err)
			}
			check(name, last+1, before, sql)
		}
	}
}

// The parts of the migrations of TestViolations.
const (
	usualHeader = "-- Adds.\n--\n-- Programs before: from 040: they ignore it.\n-- Programs after: work without it.\n"
	usualDown   = "\n---- create above / drop below ----\n\nDROP TABLE fanfare.t;\n"
	outside     = outsideTransaction + "\n"
	dropIndex   = "DROP INDEX CONCURRENTLY IF EXISTS fanfare.i;"
	createIndex = "CREATE INDEX CONCURRENTLY i ON fanfare.outbox (seq);"
)

// wantViolations reports rules that a migration must violate, and does not, and the reverse.
func wantViolations(t *testing.T, name, sql string, want ...string) {
	t.Helper()
	var got []string
	for _, violation := range violations(41, 40, sql) {
		rule, _, _ := strings.Cut(violation, ":")
		got = append(got, rule)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: violated rules (-want +got):\n%s", name, diff)
	}
}

// TestViolations breaks one rule after the other.
func TestViolations(t *testing.T) {
	t.Parallel()
	const outbox = "ALTER TABLE fanfare.outbox "
	for name, c := range map[string]struct{ statements, rule string }{
		"a new table":        {"CREATE TABLE fanfare.t (id int PRIMARY KEY);\nCREATE INDEX i ON fanfare.t (id);", ""},
		"a nullable column":  {outbox + "ADD COLUMN note text;", ""},
		"a constant default": {outbox + "ADD COLUMN n int NOT NULL DEFAULT 0;", ""},
		"a time as default":  {outbox + "ADD COLUMN at timestamptz DEFAULT now();", ""},
		"a volatile default": {outbox + "ADD COLUMN id uuid DEFAULT fanfare.uuidv7();", "rewrite"},
		"no default":         {outbox + "ADD COLUMN n int NOT NULL;", "fails"},
		"a type":             {outbox + "ALTER COLUMN seq TYPE numeric;", "rewrite"},
		"a constraint":       {outbox + "ADD CONSTRAINT c CHECK (seq > 0);", "scan"},
		"not valid":          {outbox + "ADD CONSTRAINT c CHECK (seq > 0) NOT VALID;", ""},
		"not null":           {outbox + "ALTER COLUMN channels SET NOT NULL;", "scan"},
		"a removed column":   {outbox + "DROP COLUMN channels;", "contract"},
		"a renamed column":   {outbox + "RENAME COLUMN channels TO c;", "contract"},
		"two tables":         {outbox + "ADD COLUMN a int;\nALTER TABLE fanfare.parked ADD COLUMN a int;", "tables"},
		"an index":           {"CREATE INDEX i ON fanfare.outbox (seq);", "index"},
		"a stated index":     {"-- Reason for index: it is small.\nCREATE INDEX i ON fanfare.workers (name);", ""},
		"concurrently":       {outside + dropIndex + createIndex, ""},
		"perhaps invalid":    {outside + createIndex, "transaction"},
		"a table outside":    {outside + "CREATE TABLE fanfare.t ();", "transaction"},
		"a backfill":         {"UPDATE fanfare.outbox SET channels = '{}';", "backfill"},
		"a lock":             {"LOCK TABLE fanfare.outbox;", "lock"},
		"a block":            {"DO $$ BEGIN DROP TABLE fanfare.t; END $$;", "do"},
		"a function":         {"CREATE OR REPLACE FUNCTION fanfare.f() RETURNS int AS $$ LOCK x; DROP TABLE y $$;", ""},
		"a comment":          {"-- LOCK TABLE fanfare.outbox;\nSELECT 'LOCK';", ""},
	} {
		var want []string
		if c.rule != "" {
			want = []string{c.rule}
		}
		wantViolations(t, name, usualHeader+c.statements+usualDown, want...)
	}
}

// TestViolationsOfForm gives migrations without a part, and with other headers.
func TestViolationsOfForm(t *testing.T) {
	t.Parallel()
	const before, after = "-- Programs before: from 040: x.\n", "-- Programs after: need it.\n"
	wantViolations(t, "no header", "CREATE TABLE fanfare.t ();"+usualDown, "header", "header")
	wantViolations(t, "one line", before+"SELECT;"+usualDown, "header")
	wantViolations(t, "no text", "-- Programs before: from 040:\n"+after+"SELECT;"+usualDown, "header")
	wantViolations(t, "older than before", strings.Replace(usualHeader, "040", "039", 1)+"SELECT;"+usualDown, "header")
	wantViolations(t, "newer than itself", strings.Replace(usualHeader, "040", "042", 1)+"SELECT;"+usualDown, "header")
	wantViolations(t, "no down", usualHeader+"SELECT;", "down")
	contract := strings.Replace(before, "040", "041", 1) + after
	wantViolations(t, "a contract", contract+"DROP TABLE fanfare.outbox;"+usualDown)
}

func TestParseHeader(t *testing.T) {
	t.Parallel()
	const before, without = "-- Programs before: from 035: they ignore it.\n", "-- Programs after: work without it.\n"
	for name, c := range map[string]struct {
		sql  string
		want header
	}{
		"none":         {"-- Text.\nSELECT;", header{41, true}},
		"both":         {before + without, header{35, false}},
		"needed":       {"-- Text.\n--\n" + before + "-- -- more.\n-- Programs after: need it.\n", header{35, true}},
		"after a line": {"SELECT;\n" + before, header{41, true}},
	} {
		if got := parseHeader(41, c.sql); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}
