package sandbox

import (
	"context"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/internal/console"
	"github.com/fanfarehq/fanfare/internal/identity"
)

// links are one-time links that sign in to the console.
type links struct{ person, operator string }

// operatorScopes are the scopes of Ada, who operates the installation.
var operatorScopes = []string{identity.ScopeAdmin, identity.ScopeWrite, identity.ScopeInstallation}

func (s *sandbox) newLinks(ctx context.Context) (l links, err error) {
	pool, err := pgxpool.New(ctx, s.ownerURL)
	if err != nil {
		return links{}, err
	}
	defer pool.Close()
	sessions := identity.NewSessions(identity.NewTokens(pool, nil), nil)
	issue := func(principal uuid.UUID, scopes ...string) (string, error) {
		code, _, err := sessions.Issue(ctx, identity.NewSession{
			TenantID: tenant, PrincipalID: principal, Scopes: scopes,
		})
		return console.Link(s.consoleURL, string(code)), err
	}
	if l.person, err = issue(grace); err == nil {
		l.operator, err = issue(ada, operatorScopes...)
	}
	return l, err
}

// linkCommands are the commands that print further links.
func linkCommands(t tools) []command {
	link := t.fanfare + ` console link --database-url "$OWNER_URL" --console-url "$CONSOLE" --tenant "$TENANT" \
  --principal `
	return []command{
		{"Grace", link + `"$GRACE"`, ""},
		{"Ada, an operator", link + `"$ADA" --scope ` + strings.Join(operatorScopes, ","), ""},
	}
}
