package stage

import (
	"context"
	"errors"
	"time"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/identity"
)

// OperatorScopes are the scopes of a person who operates the installation.
func OperatorScopes() []string {
	return []string{identity.ScopeRead, identity.ScopeAdmin, "installation:read"}
}

const defaultLifetime = time.Hour

// Token returns a JWT of the application for a principal.
func (s *Stage) Token(p activity.Principal, lifetime time.Duration, scopes ...string) (string, error) {
	if lifetime == 0 {
		lifetime = defaultLifetime
	}
	return s.issuer.Token(p, lifetime, scopes...)
}

// Code returns a one-time code that signs a principal in to the console.
func (s *Stage) Code(context.Context, activity.Principal, ...string) (string, error) {
	return "", errors.New("this build issues no one-time codes")
}

// Link returns the URL that signs in with a code.
func (s *Stage) Link(code string) string { return s.URL + "/console/#code=" + code }
