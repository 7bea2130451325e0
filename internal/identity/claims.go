package identity

import (
	"errors"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

var (
	errNotAnID   = errors.New("is not a UUID")
	errNotScopes = errors.New("is neither a string nor a list of strings")
)

// claimPath is the name of a claim, or the names of nested claims, separated by dots.
type claimPath string

// id returns the UUID in the claim.
func (p claimPath) id(claims jwt.MapClaims) (uuid.UUID, error) {
	text, _ := p.lookup(claims).(string)
	return parseID(text)
}

// lookup returns the value of the claim, or nil. A claim with exactly this name takes precedence
// over a path, because the names of private claims may be URLs, which contain dots (RFC 7519,
// section 4.2).
func (p claimPath) lookup(claims map[string]any) any {
	if value, ok := claims[string(p)]; ok {
		return value
	}
	first, rest, nested := strings.Cut(string(p), ".")
	object, ok := claims[first].(map[string]any)
	if !nested || !ok {
		return nil
	}
	return claimPath(rest).lookup(object)
}

// scopeClaims returns the scopes of the claims "scope" (RFC 8693, section 4.2), "scp" and "scopes".
// Each claim is a list or one string, separated by spaces.
func scopeClaims(claims jwt.MapClaims) (Scopes, error) {
	var all []string
	for _, name := range []string{"scope", "scp", "scopes"} {
		switch value := claims[name].(type) {
		case nil:
		case string:
			all = append(all, strings.Split(value, " ")...)
		case []any:
			for _, each := range value {
				scope, ok := each.(string)
				if !ok {
					return nil, errNotScopes
				}
				all = append(all, scope)
			}
		default:
			return nil, errNotScopes
		}
	}
	return knownScopes(all), nil
}

// datesInRange reports whether all dates are between the years 1970 and 9999. Others may overflow
// time.Time.
func datesInRange(claims jwt.MapClaims) bool {
	const year9999 = 253402300799
	for _, name := range []string{"exp", "nbf", "iat"} {
		if seconds, ok := claims[name].(float64); ok && (seconds < 0 || seconds > year9999) {
			return false
		}
	}
	return true
}
