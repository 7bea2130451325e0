package demo

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/identity"
)

// Connection is how to join in while the demo is kept running. It holds secrets, of servers that
// end with it.
type Connection struct {
	DatabaseURL  string    `json:"database_url"`  // the superuser's
	WriterURL    string    `json:"writer_url"`    // of a role that may record activities and do nothing else
	WebSocketURL string    `json:"websocket_url"` // of Centrifugo
	APIURL       string    `json:"api_url"`       // without the /v1 that every route has
	Token        string    `json:"token"`         // a JWT that the API takes for a day
	Who          string    `json:"who"`           // whose it is
	TenantID     uuid.UUID `json:"tenant_id"`
	PrincipalID  uuid.UUID `json:"principal_id"`
	Setup        string    `json:"setup"` // what a shell needs before the commands
	Commands     []Command `json:"commands"`
	ResourceID   uuid.UUID `json:"resource_id"` // a signal that people watch
	Statement    string    `json:"statement"`   // SQL that they will hear of
}

// connection describes the stack to somebody who wants to join in.
func connection(s *stack) (Connection, error) {
	tenant, who, signal := tenantID(aurora), principalID(farid), resourceID(reversal)
	token, err := s.login.token(tenant, who, identity.ScopeRead)
	return Connection{
		DatabaseURL: s.postgres.URL(database), WriterURL: s.ledgerURL, WebSocketURL: s.centrifugo.WebSocketURL(),
		APIURL: s.api.url, Token: token, Who: farid + " of " + aurora, TenantID: tenant, PrincipalID: who,
		Setup: setup(s.api.url, token), Commands: commands(), ResourceID: signal,
		Statement: fmt.Sprintf(`SELECT fanfare.record_activity('{
  "tenant_id": "%s",
  "actor_principal_id": "%s",
  "resource_id": "%s",
  "resource_type": "signal", "action": "resource.updated",
  "delivery_channels": ["user", "resource", "tenant"],
  "message": "Hello from psql", "payload": {"lookback": 99}
}');`, tenant, principalID(ledger), signal),
	}, err
}

func renderConnection(c Connection, p paint) string {
	var b strings.Builder
	b.WriteString(blank(indent) + p.bold("Still running.") + " Join in; Ctrl-C ends it and removes everything.\n\n")
	for _, row := range [][2]string{
		{"PostgreSQL", "psql '" + c.DatabaseURL + "'"},
		{"Centrifugo", c.WebSocketURL},
		{"The API's reference", c.APIURL + "/v1/docs"},
	} {
		b.WriteString(blank(indent) + p.dim(row[0]) + "\n" + blank(indent) + row[1] + "\n")
	}
	b.WriteString("\n" + renderCommands(c, p))
	b.WriteString("\n" + blank(indent) + p.dim("Record an activity, as a role that may do nothing else:") + "\n")
	b.WriteString("psql '" + c.WriterURL + "' <<'SQL'\n" + c.Statement + "\nSQL\n\n")
	b.WriteString(blank(indent) + p.dim("Meanwhile something happens every 2 s, and who hears of it:") + "\n")
	return b.String()
}

// renderFarewell tells of what --keep is for.
func renderFarewell(p paint) string {
	return blank(
		indent,
	) + p.dim(
		"With --keep it goes on, and says how to join in: by curl through the API, and by psql.",
	) + "\n\n"
}
