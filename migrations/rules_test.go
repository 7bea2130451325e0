package migrations

import (
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
		pattern: regexp.MustCompile(
			`SET NOT NULL|ADD (CONSTRAINT|CHECK|FOREIGN|PRIMARY|UNIQUE|EXCLUDE)|ADD COLUMN [^,]*(CHECK|REFERENCES|UNIQUE|PRIMARY)`),
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
	concurrently = regexp.MustCompile(`^(CREATE|DROP) (?:UNIQUE )?INDEX CONCURRENTLY (?:IF EXISTS )?(?:fanfare\.)?(\w+)`)
)

// statements returns the statements of a migration, each in one line, without comments, literals and
// bodies of functions.
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
		add("header: programs from %d: must be between %d, that of the migration before, and %d", h.oldest, oldest, number)
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

// TestRules checks the migrations after the baseline, and those of the upgrade's acceptance run.
func TestRules(t *testing.T) {
	t.Parallel()
	names, headers, err := readHeaders()
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string, number, oldest int, sql string) {
		for _, violation := range violations(number, oldest, sql) {
			t.Errorf("%s: %s", name, violation)
		}
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

// TestViolations breaks one rule after the other.
func TestViolations(t *testing.T) {
	t.Parallel()
	const header = "-- Adds.\n--\n-- Programs before: from 040: they ignore it.\n-- Programs after: work without it.\n"
	const contract = "-- Removes.\n--\n-- Programs before: from 041: they do not use it.\n-- Programs after: need it.\n"
	const down = "\n---- create above / drop below ----\n\nDROP TABLE fanfare.t;\n"
	for name, c := range map[string]struct {
		sql  string
		want []string // the rules
	}{
		"no header":          {"CREATE TABLE fanfare.t ();" + down, []string{"header", "header"}},
		"one line of two":    {"-- Programs before: from 040: x.\nSELECT 1;" + down, []string{"header"}},
		"no consequence":     {"-- Programs before: from 040:\n-- Programs after: need it.\nSELECT;" + down, []string{"header"}},
		"older than before":  {strings.Replace(header, "040", "039", 1) + "SELECT;" + down, []string{"header"}},
		"newer than itself":  {strings.Replace(header, "040", "042", 1) + "SELECT;" + down, []string{"header"}},
		"no down":            {header + "SELECT;", []string{"down"}},
		"a new table":        {header + "CREATE TABLE fanfare.t (id int PRIMARY KEY);\nCREATE INDEX i ON fanfare.t (id);" + down, nil},
		"a nullable column":  {header + "ALTER TABLE fanfare.outbox ADD COLUMN note text;" + down, nil},
		"a constant default": {header + "ALTER TABLE fanfare.outbox ADD COLUMN n int NOT NULL DEFAULT 0;" + down, nil},
		"a time as default":  {header + "ALTER TABLE fanfare.outbox ADD COLUMN at timestamptz DEFAULT now();" + down, nil},
		"a volatile default": {header + "ALTER TABLE fanfare.outbox ADD COLUMN id uuid DEFAULT fanfare.uuidv7();" + down, []string{"rewrite"}},
		"no default":         {header + "ALTER TABLE fanfare.outbox ADD COLUMN n int NOT NULL;" + down, []string{"fails"}},
		"a type":             {header + "ALTER TABLE fanfare.outbox ALTER COLUMN seq TYPE numeric;" + down, []string{"rewrite"}},
		"a constraint":       {header + "ALTER TABLE fanfare.outbox ADD CONSTRAINT c CHECK (seq > 0);" + down, []string{"scan"}},
		"not valid":          {header + "ALTER TABLE fanfare.outbox ADD CONSTRAINT c CHECK (seq > 0) NOT VALID;" + down, nil},
		"not null":           {header + "ALTER TABLE fanfare.outbox ALTER COLUMN channels SET NOT NULL;" + down, []string{"scan"}},
		"an index":           {header + "CREATE INDEX i ON fanfare.outbox (seq);" + down, []string{"index"}},
		"a stated index": {
			header + "-- Reason for index: the table has a row for each worker.\nCREATE INDEX i ON fanfare.workers (name);" + down, nil,
		},
		"a concurrent index": {
			header + "---- tern: disable-tx ----\nDROP INDEX CONCURRENTLY IF EXISTS fanfare.i;\n" +
				"CREATE INDEX CONCURRENTLY i ON fanfare.outbox (seq);" + down, nil,
		},
		"an index that may be invalid": {
			header + "---- tern: disable-tx ----\nCREATE INDEX CONCURRENTLY i ON fanfare.outbox (seq);" + down,
			[]string{"transaction"},
		},
		"a table outside a transaction": {
			header + "---- tern: disable-tx ----\nCREATE TABLE fanfare.t ();" + down, []string{"transaction"},
		},
		"a backfill":        {header + "UPDATE fanfare.outbox SET channels = '{}';" + down, []string{"backfill"}},
		"a lock":            {header + "LOCK TABLE fanfare.outbox;" + down, []string{"lock"}},
		"two tables":        {header + "ALTER TABLE fanfare.outbox ADD COLUMN a int;\nALTER TABLE fanfare.parked ADD COLUMN a int;" + down, []string{"tables"}},
		"a block":           {header + "DO $$ BEGIN DROP TABLE fanfare.t; END $$;" + down, []string{"do"}},
		"a function":        {header + "CREATE OR REPLACE FUNCTION fanfare.f() RETURNS int LANGUAGE sql AS $$ UPDATE x; DROP TABLE y $$;" + down, nil},
		"a removed column":  {header + "ALTER TABLE fanfare.outbox DROP COLUMN channels;" + down, []string{"contract"}},
		"a renamed column":  {header + "ALTER TABLE fanfare.outbox RENAME COLUMN channels TO c;" + down, []string{"contract"}},
		"a contract":        {contract + "ALTER TABLE fanfare.outbox DROP COLUMN channels;" + down, nil},
		"a removed comment": {header + "-- LOCK TABLE fanfare.outbox;\nSELECT 'LOCK';" + down, nil},
	} {
		var got []string
		for _, violation := range violations(41, 40, c.sql) {
			rule, _, _ := strings.Cut(violation, ":")
			got = append(got, rule)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: violated rules (-want +got):\n%s", name, diff)
		}
	}
}

func TestParseHeader(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sql  string
		want header
	}{
		"none":         {"-- Text.\nSELECT;", header{41, true}},
		"both":         {"-- Programs before: from 035: they ignore it.\n-- Programs after: work without it.\n", header{35, false}},
		"needed":       {"-- Programs before: from 035: they\n-- ignore it.\n-- Programs after: need it.\n", header{35, true}},
		"after a line": {"SELECT;\n-- Programs before: from 035: they ignore it.\n", header{41, true}},
	} {
		if got := parseHeader(41, c.sql); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}
