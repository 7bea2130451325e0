package demo

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

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

// connection describes the stack to somebody who wants to join in.
func connection(s *stack) Connection {
	who := watchers.Principal{TenantID: tenantID(aurora), PrincipalID: principalID(ada)}
	token, _ := s.listeners.tokens.Connection(who.TenantID, who.PrincipalID)
	signal := resourceID(reversal)
	return Connection{
		DatabaseURL: s.postgres.URL(database), WriterURL: s.ledgerURL, WebSocketURL: s.centrifugo.WebSocketURL(),
		Token: token, Who: ada + " of " + aurora, TenantID: who.TenantID, PrincipalID: who.PrincipalID, ResourceID: signal,
		Statement: fmt.Sprintf(`SELECT fanfare.record_activity('{
  "tenant_id": "%s",
  "actor_principal_id": "%s",
  "resource_id": "%s",
  "resource_type": "signal", "action": "resource.updated",
  "message": "Hello from psql", "payload": {"lookback": 99}
}');`, who.TenantID, principalID(ledger), signal),
	}
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
