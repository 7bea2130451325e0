package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/watchers"
)

// Connection is how to join in while the demo is kept running. It holds secrets, of servers that end with it.
type Connection struct {
	DatabaseURL  string    `json:"database_url"`  // the superuser's
	WriterURL    string    `json:"writer_url"`    // of a role that may record activities and do nothing else
	WebSocketURL string    `json:"websocket_url"` // of Centrifugo
	Token        string    `json:"token"`         // a connection token, Ada's
	Who          string    `json:"who"`
	TenantID     uuid.UUID `json:"tenant_id"`
	PrincipalID  uuid.UUID `json:"principal_id"`
	ResourceID   uuid.UUID `json:"resource_id"` // a signal that people watch
	Statement    string    `json:"statement"`   // SQL that they will hear of
}

// Live is one message that arrived while the demo is kept running.
type Live struct {
	At           time.Time `json:"at"`
	Who          string    `json:"who"`
	Tenant       string    `json:"tenant"`
	Channel      string    `json:"channel"`
	Action       string    `json:"action"`
	Summary      string    `json:"summary"`
	Milliseconds float64   `json:"milliseconds"` // from the recording to the socket
}

// interval is how often something happens by itself.
const interval = 2 * time.Second

// keep lets things happen and shows who hears of them, until ctx ends.
func keep(ctx context.Context, s *stage, out report) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for n := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := meanwhile(ctx, s.company.service, n); err != nil && ctx.Err() == nil {
				return err
			}
			n++
		case <-s.listeners.news:
			for _, sound := range s.listeners.take() {
				if err := out.live(liveOf(sound, s.tenants)); err != nil {
					return err
				}
			}
		}
	}
}

// meanwhile is what happens by itself, one thing after the other.
func meanwhile(ctx context.Context, app *service, n int) error {
	var err error
	switch n % 4 {
	case 0:
		_, err = app.setLookback(ctx, deed{tenant: aurora, actor: ines, signal: reversal, action: "resource.updated"}, 20+n%100)
	case 1:
		_, err = app.finishRun(ctx, deed{tenant: aurora, actor: scout, signal: reversal, action: "run.completed"})
	case 2:
		_, err = app.addNote(ctx, deed{tenant: aurora, actor: chen, signal: carry, action: "note.added", target: ada}, "@Ada: have a look")
	case 3:
		_, err = app.setLookback(ctx, deed{tenant: borealis, actor: ada, signal: reversal, action: "resource.updated"}, 20+n%100)
	}
	return err
}

func liveOf(heard sound, tenants []tenant) Live {
	l := Live{
		At: heard.at, Channel: heard.channel, Action: heard.event.Action, Summary: heard.event.UIHints.Summary,
		Milliseconds: milliseconds(max(0, heard.at.Sub(heard.event.CreatedAt))),
	}
	for _, t := range tenants {
		for _, p := range t.people {
			if heard.ear == (watchers.Principal{TenantID: t.id, PrincipalID: p.id()}) {
				l.Who, l.Tenant = p.name, t.name
			}
		}
	}
	return l
}

// connection describes the stack to somebody who wants to join in.
func connection(s *stack) (Connection, error) {
	who := watchers.Principal{TenantID: tenantID(aurora), PrincipalID: principalID(ada)}
	token, err := s.listeners.token(who, "")
	if err != nil {
		return Connection{}, err
	}
	signal := resourceID(reversal)
	return Connection{
		DatabaseURL: s.postgres.URL(database), WriterURL: s.ledgerURL, WebSocketURL: s.centrifugo.WebSocketURL(),
		Token: token, Who: ada + " of " + aurora, TenantID: who.TenantID, PrincipalID: who.PrincipalID, ResourceID: signal,
		Statement: fmt.Sprintf(`SELECT fanfare.record_activity('{
  "tenant_id": "%s", "actor_principal_id": "%s",
  "resource_id": "%s", "resource_type": "signal",
  "action": "resource.updated", "message": "Hello from psql", "payload": {"lookback": 99}
}');`, who.TenantID, principalID(ledger), signal),
	}, nil
}

func renderConnection(c Connection, p paint) string {
	var b strings.Builder
	b.WriteString(blank(indent) + p.bold("Still running.") + " Join in; Ctrl-C ends it and removes everything.\n\n")
	for _, row := range [][2]string{
		{"PostgreSQL", "psql '" + c.DatabaseURL + "'"},
		{"Centrifugo", c.WebSocketURL},
		{"Token of " + c.Who + ", for any Centrifugo client", c.Token},
	} {
		b.WriteString(blank(indent) + p.dim(row[0]) + "\n" + blank(indent) + row[1] + "\n")
	}
	b.WriteString("\n" + blank(indent) + p.dim("Record an activity, as a role that may do nothing else:") + "\n\n")
	b.WriteString("psql '" + c.WriterURL + "' <<'SQL'\n" + c.Statement + "\nSQL\n\n")
	b.WriteString(blank(indent) + p.dim("Meanwhile something happens every 2 s, and who hears of it:") + "\n")
	return b.String()
}

func renderLive(l Live, p paint) string {
	who := first(l.Who)
	if l.Tenant != aurora {
		who += " of " + first(l.Tenant)
	}
	if l.Channel != activity.ToUser {
		who += ", " + l.Channel
	}
	return fmt.Sprintf("%s%s  %s %s %s %9s\n", blank(indent), p.dim(l.At.Format("15:04:05.000")), p.green("●"),
		pad(who, 18), pad(cut(l.Summary, 50), 50), ms(l.Milliseconds))
}
