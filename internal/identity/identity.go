package identity

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

// The kinds of credentials.
const (
	ViaJWT     = "jwt"
	ViaGateway = "gateway"
	ViaToken   = "token"
	ViaSession = "session"
)

// Identity describes the caller of a request. Neither id of the principal is ever the nil UUID.
type Identity struct {
	activity.Principal
	Scopes  Scopes
	Via     string    // ViaJWT, ViaGateway, ViaToken or ViaSession
	TokenID uuid.UUID // of the service token or the session; the nil UUID with any other credential
	Actions Actions   // the actions that the credential may record
	Expires time.Time // when the credential expires; zero if it does not say
}

// The scopes of Fanfare.
const (
	ScopeRead  = "activity:read"  // read everything in the tenant
	ScopeWrite = "activity:write" // record activities of the tenant, by any actor
	ScopeAdmin = "activity:admin" // operate; implies ScopeRead

	// ScopeInstallation permits to read how the installation works: its workers, lanes and history,
	// which all tenants share. No other scope implies it.
	ScopeInstallation = "installation:read"
)

// ScopeList names all scopes, for errors and help.
const ScopeList = ScopeRead + ", " + ScopeWrite + ", " + ScopeAdmin + " or " + ScopeInstallation

// Scopes are the scopes of a credential, usually none. They contain only scopes of Fanfare, each
// once, in a fixed order.
type Scopes []string

// Has reports whether the scopes include or imply a scope.
func (s Scopes) Has(scope string) bool {
	if scope == "" {
		return false
	}
	return slices.Contains(s, scope) || scope == ScopeRead && slices.Contains(s, ScopeAdmin)
}

// knownScopes returns the scopes of Fanfare among those of a credential, which may also contain
// scopes of other services.
func knownScopes(all []string) Scopes {
	known := Scopes{}
	for _, scope := range []string{ScopeRead, ScopeWrite, ScopeAdmin, ScopeInstallation} {
		if slices.Contains(all, scope) {
			known = append(known, scope)
		}
	}
	return known
}
