package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/identity"
)

// interval is the time between two activities of a demo that is kept.
const interval = 2 * time.Second

// keep prints how to connect, records an activity from time to time and shows the messages that
// arrive, until ctx ends.
func keep(ctx context.Context, s *stage, out output) error {
	c, err := connection(ctx, s)
	if err != nil {
		return err
	}
	if err := out.write(c); err != nil {
		return err
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for n := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := recordNext(ctx, s.actors.service, n); err != nil && ctx.Err() == nil {
				return err
			}
			n++
		case <-s.receiver.arrived:
			for _, m := range s.receiver.take() {
				if err := out.write(liveOf(m, s.tenants)); err != nil {
					return err
				}
			}
		}
	}
}

// recordNext records one of four activities in turn, also on the tenant's stream.
func recordNext(ctx context.Context, app *service, n int) (err error) {
	r := recording{
		tenant: aurora, actor: ines, signal: reversal, action: "resource.updated",
		channels: []string{activity.ToUser, activity.ToResource, activity.ToTenant},
	}
	switch n % 4 {
	case 0:
		_, err = app.setLookback(ctx, r, 20+n%100)
	case 1:
		r.actor, r.action = scout, "run.completed"
		_, err = app.finishRun(ctx, r)
	case 2:
		r.actor, r.signal, r.action, r.target = chen, carry, "note.added", ada
		_, err = app.addNote(ctx, r, "@Ada: please check")
	case 3:
		r.tenant, r.actor = borealis, ada
		_, err = app.setLookback(ctx, r, 20+n%100)
	}
	return err
}

// Live is a message that arrived while the demo is kept.
type Live struct {
	Type         string    `json:"type"` // set in the output
	At           time.Time `json:"at"`
	Who          string    `json:"who"`
	Tenant       string    `json:"tenant"`
	Channel      string    `json:"channel"`
	Action       string    `json:"action"` // "inbox.changed" if it is not an activity
	Summary      string    `json:"summary"`
	Milliseconds float64   `json:"milliseconds"` // from the recording to the socket; 0 if it is not an activity
}

func liveOf(m message, tenants []tenant) Live {
	l := Live{
		At: m.at, Channel: m.channel, Action: m.event.Action, Summary: m.event.UIHints.Summary,
		Milliseconds: milliseconds(max(0, m.at.Sub(m.event.CreatedAt))),
	}
	if m.unread != nil {
		l.Action, l.Summary, l.Milliseconds = "inbox.changed", fmt.Sprintf("%d unread", *m.unread), 0
	}
	for _, t := range tenants {
		for _, p := range t.people {
			if m.principal == principalOf(t.name, p.name) {
				l.Who, l.Tenant = p.name, t.name
			}
		}
	}
	return l
}

func (l Live) text(p paint) string {
	who := first(l.Who)
	if l.Tenant != aurora {
		who += " of " + first(l.Tenant)
	}
	if l.Channel != activity.ToUser {
		who += ", " + l.Channel
	}
	when := ""
	if l.Milliseconds > 0 {
		when = fmt.Sprintf(" %9s", ms(l.Milliseconds))
	}
	return fmt.Sprintf("%s%s  %s %s %s%s\n", blank(indent), p.dim(l.At.Format("15:04:05.000")), p.green("●"),
		pad(who, 18), pad(cut(l.Summary, 50), 50), when)
}

// Connection describes how to connect while the demo is kept. It contains secrets of servers that
// end with the demo.
type Connection struct {
	Type         string    `json:"type"`          // set in the output
	DatabaseURL  string    `json:"database_url"`  // of the superuser
	WriterURL    string    `json:"writer_url"`    // of a role that is only permitted to record activities
	WebSocketURL string    `json:"websocket_url"` // of Centrifugo
	APIURL       string    `json:"api_url"`       // without /v1
	Links        []Link    `json:"links"`         // to the console
	Token        string    `json:"token"`         // a JWT that is valid for a day
	Who          string    `json:"who"`           // the JWT's principal
	TenantID     uuid.UUID `json:"tenant_id"`
	PrincipalID  uuid.UUID `json:"principal_id"`
	Setup        string    `json:"setup"` // shell variables of the commands
	Commands     []Command `json:"commands"`
	ResourceID   uuid.UUID `json:"resource_id"` // a signal with watchers
	Statement    string    `json:"statement"`   // SQL that records an activity on it
}

// Command is a shell command.
type Command struct {
	What string `json:"what"`
	Line string `json:"line"` // may continue after a backslash at its end
}

func connection(ctx context.Context, s *stage) (Connection, error) {
	principal, signal := principalOf(aurora, farid), resourceID(reversal)
	token, err := s.issuer.Token(principal, tokenLifetime, identity.ScopeRead)
	if err != nil {
		return Connection{}, err
	}
	links, err := consoleLinks(ctx, s)
	return Connection{
		Links:       links,
		DatabaseURL: s.postgres.URL(database), WriterURL: s.ledgerURL, WebSocketURL: s.centrifugo.WebSocketURL(),
		APIURL: s.api.URL, Token: token, Who: farid + " of " + aurora,
		TenantID: principal.TenantID, PrincipalID: principal.PrincipalID,
		Setup:    "API=" + s.api.URL + "/v1\nAUTH='Authorization: Bearer " + token + "'",
		Commands: commands(), ResourceID: signal,
		Statement: fmt.Sprintf(`SELECT fanfare.record_activity('{
  "tenant_id": "%s",
  "actor_principal_id": "%s",
  "resource_id": "%s",
  "resource_type": "signal", "action": "resource.updated",
  "delivery_channels": ["user", "resource", "tenant"],
  "message": "Hello from psql", "payload": {"lookback": 99}
}');`, principal.TenantID, principalID(ledger), signal),
	}, err
}

// commands returns requests that Farid may send. They use the variables of Connection.Setup.
func commands() []Command {
	const change = `curl -H "$AUTH" -H Content-Type:application/json`
	return []Command{
		{"List his inbox", `curl -H "$AUTH" "$API/notifications?limit=3"`},
		{"Get his unread count", `curl -H "$AUTH" "$API/notifications/unread-count"`},
		{
			"Mark all as read; his client, below, receives the new count",
			`curl -H "$AUTH" -X POST "$API/notifications/mark-all-read"`,
		},
		{
			"Subscribe to Equities and everything in it: he then receives changes of Reversal, below",
			change + ` "$API/subscriptions" \` + "\n" +
				fmt.Sprintf(`  -d '{"resource_id":"%s","scope":"descendants"}'`, resourceID(equities)),
		},
		{
			"Set his preference: from the next activity on he receives only runs",
			change + ` -X PUT "$API/notifications/preferences" \` + "\n" +
				`  -d '{"filter_mode":"custom","custom_actions":["run.*"]}'`,
		},
		{"List the activities that he is permitted to see", `curl -H "$AUTH" "$API/activities?limit=3&action=run.*"`},
		{"Stream the tenant's activities (activity:read)", `curl -N -H "$AUTH" "$API/activities/stream"`},
		{"List the tenant's whole log (activity:read)", `curl -H "$AUTH" "$API/audit?limit=3"`},
		{"Get what a Centrifugo client needs to connect", `curl -H "$AUTH" "$API/realtime/bootstrap"`},
	}
}

func (c Connection) text(p paint) string {
	var b strings.Builder
	b.WriteString(blank(indent) + p.bold("Still running.") + " Ctrl-C ends the demo and removes everything.\n\n")
	for _, row := range [][2]string{
		{"PostgreSQL", "psql '" + c.DatabaseURL + "'"},
		{"Centrifugo", c.WebSocketURL},
		{"API reference", c.APIURL + "/v1/docs"},
	} {
		b.WriteString(blank(indent) + p.dim(row[0]) + "\n" + blank(indent) + row[1] + "\n")
	}
	b.WriteString("\n" + blank(indent) + p.dim("The console. Each link works once, within 5 minutes; others by the "+
		"commands.") + "\n")
	for _, l := range c.Links {
		b.WriteString("\n" + blank(indent) + p.dim("As "+l.Who) + "\n" + blank(indent) + l.URL + "\n")
		b.WriteString(l.Another + "\n")
	}
	intro := "The API from a shell, as " + c.Who + ", with activity:read. First, once:"
	b.WriteString("\n" + blank(indent) + p.dim(intro) + "\n")
	b.WriteString(c.Setup + "\n")
	for _, command := range c.Commands {
		b.WriteString("\n" + blank(indent) + p.dim(command.What) + "\n" + command.Line + "\n")
	}
	b.WriteString("\n" + blank(indent) + p.dim("Record an activity, as a role that is permitted nothing else:") + "\n")
	b.WriteString("psql '" + c.WriterURL + "' <<'SQL'\n" + c.Statement + "\nSQL\n\n")
	b.WriteString(blank(indent) + p.dim("Every 2 s an activity is recorded; its recipients:") + "\n")
	return b.String()
}
