package stage

import (
	"context"
	"time"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/console"
	"github.com/fanfarehq/fanfare/internal/identity"
)

// OperatorScopes are the scopes of a person who operates the installation.
func OperatorScopes() []string {
	return []string{identity.ScopeRead, identity.ScopeAdmin, identity.ScopeInstallation}
}

const defaultLifetime = time.Hour

// Token returns a JWT of the application for a principal.
func (s *Stage) Token(p activity.Principal, lifetime time.Duration, scopes ...string) (string, error) {
	if lifetime == 0 {
		lifetime = defaultLifetime
	}
	return s.issuer.Token(p, lifetime, scopes...)
}

// ServiceToken returns a service token that acts as a principal.
func (s *Stage) ServiceToken(ctx context.Context, p activity.Principal, scopes ...string) (string, error) {
	text, _, err := identity.NewTokens(s.pool, nil).Create(activity.WithActor(ctx, p.PrincipalID), identity.NewToken{
		TenantID: p.TenantID, PrincipalID: p.PrincipalID, Name: "stage", Scopes: scopes, Lifetime: 24 * time.Hour,
	})
	return string(text), err
}

// Code returns a one-time code that signs a principal in to the console. A lifetime of 0 is the
// default.
func (s *Stage) Code(
	ctx context.Context, p activity.Principal, lifetime time.Duration, scopes ...string,
) (string, error) {
	sessions := identity.NewSessions(identity.NewTokens(s.pool, nil), nil)
	code, _, err := sessions.Issue(ctx, identity.NewSession{
		TenantID: p.TenantID, PrincipalID: p.PrincipalID, Scopes: scopes, Lifetime: lifetime,
	})
	return string(code), err
}

// Link returns the URL that signs in with a code.
func (s *Stage) Link(code string) string { return console.Link(s.URL+console.Path, code) }
