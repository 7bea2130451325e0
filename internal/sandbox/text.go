package sandbox

import (
	"fmt"
	"strings"
)

// command is a command of the guide, in one language.
type command struct {
	language string
	line     string // may have several lines, none of them empty
	missing  missing
}

// text returns the guide. Its commands begin in the first column, and its other text does not.
func (s *sandbox) text(dir string, t tools) string {
	var b strings.Builder
	fmt.Fprintf(&b, `
  Fanfare is running. Ctrl-C stops it and removes everything.

  Console        as Grace, a person, and as Ada, an operator: each link works once, within 5 minutes
                 %s
                 %s
  Examples       %s/: an application with Grace signed in; its pages contain the widgets
  API reference  %s/docs
  PostgreSQL     %s
  Centrifugo     %s

  The sample is one tenant, Acme: the workspace Acme, in it the project Apollo, in that the
  document "Launch plan". Ada owns the workspace. Grace is a member of Apollo and subscribes to it
  and to everything under it. Linus is a member of the workspace and subscribes to nothing.
  The commands below are Ada's changes of Apollo, which notify Grace, and Grace's inbox.

  1. In another terminal, first: the variables of the commands

. %s/env
`, s.links.person, s.links.operator, s.applicationURL, s.apiURL, s.ownerURL, s.webSocketURL, quote(dir))
	program := func(name string, python, node missing) []command {
		return []command{
			{"Go", t.goRun + ` "$DEV/sample.go" ` + name, t.golang},
			{"Python", `python3 "$DEV/sample.py" ` + name, python},
			{"Node", `node "$DEV/sample.js" ` + name, node},
		}
	}
	section := func(title string, commands ...command) {
		fmt.Fprintf(&b, "\n  %s\n", title)
		for _, c := range commands {
			if c.missing != "" {
				fmt.Fprintf(&b, "\n  %s: %s\n", c.language, c.missing)
				continue
			}
			fmt.Fprintf(&b, "\n  %s\n%s\n", c.language, c.line)
		}
	}
	section("2. Record an activity, in the transaction of a change ($DEV/sample.* are short programs)",
		append([]command{{"SQL", t.psql + ` "$DATABASE_URL" <<SQL` + `
BEGIN;
UPDATE projects SET status = 'green' WHERE id = '$PROJECT';
SELECT fanfare.record_activity('{"tenant_id": "$TENANT", "actor_principal_id": "$ADA",
  "resource_id": "$PROJECT", "resource_type": "project", "action": "project.updated",
  "message": "Hello from SQL"}');
COMMIT;
SQL`, ""}}, program("record", t.psycopg, t.pg)...)...)
	section("3. See it in Grace's inbox",
		append([]command{
			{"curl", `curl -sS -H "Authorization: Bearer $TOKEN" "$API/notifications?limit=3"`, t.curl},
			{"SQL, as the owner of the database", t.psql + ` "$OWNER_URL" <<SQL` + `
SELECT a.action, a.message, n.created_at FROM fanfare.notifications AS n
  JOIN fanfare.activities AS a ON a.tenant_id = n.tenant_id AND a.id = n.activity_id
  WHERE n.tenant_id = '$TENANT' AND n.principal_id = '$GRACE' ORDER BY n.activity_id DESC LIMIT 3;
SQL`, ""},
		}, program("inbox", t.python, t.node)...)...)
	section("4. Listen in a third terminal (first its variables, as above), and record again",
		append([]command{
			{"curl", `curl -sSN -H "Authorization: Bearer $TOKEN" "$API/activities/stream"`, t.curl},
		}, program("listen", t.python, t.node)...)...)
	section("5. Get another link to the console", linkCommands(t)...)
	b.WriteString(`
  Next: your own database, in docs/getting-started.md.

`)
	return b.String()
}
