package demo

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/fanfarehq/fanfare/internal/console"
	"github.com/fanfarehq/fanfare/internal/identity"
)

// Link is a one-time link that signs in to the console.
type Link struct {
	Who     string `json:"who"`
	URL     string `json:"url"`
	Another string `json:"another"` // the shell command that prints another link
}

// consoleLinks returns links for Farid, and for Ada as an operator.
func consoleLinks(ctx context.Context, s *stage) (links []Link, err error) {
	program, err := os.Executable()
	if err != nil {
		program = "fanfare"
	}
	for _, l := range []struct {
		who, name string
		scopes    []string
	}{
		{farid, farid, nil},
		{ada + ", an operator", ada, []string{identity.ScopeAdmin, identity.ScopeWrite, identity.ScopeInstallation}},
	} {
		p, at := principalOf(aurora, l.name), s.api.URL+console.Path
		code, _, err := s.sessions.Issue(ctx, identity.NewSession{
			TenantID: p.TenantID, PrincipalID: p.PrincipalID, Scopes: l.scopes,
		})
		if err != nil {
			return nil, err
		}
		another := fmt.Sprintf("'%s' console link --database-url '%s' \\\n  --console-url %s --tenant %s \\\n"+
			"  --principal %s", program, s.postgres.URL(database), at, p.TenantID, p.PrincipalID)
		if len(l.scopes) > 0 {
			another += " --scope " + strings.Join(l.scopes, ",")
		}
		links = append(links, Link{Who: l.who, URL: console.Link(at, string(code)), Another: another})
	}
	return links, nil
}
