package identity

import (
	"errors"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

var (
	errNotAnID   = errors.New("is not a UUID")
	errNotScopes = errors.New("is neither text nor a list of texts")
)

// A claimPath names a claim, or leads to it through objects, by dots.
type claimPath string

// id returns the UUID that the claim holds.
func (p claimPath) id(claims jwt.MapClaims) (uuid.UUID, error) {
	text, _ := p.lookup(claims).(string)
	return parseID(text)
}

// lookup returns the claim's value, or nil. A claim of the very name goes before a path: names in
// the style of URLs, which keep private claims apart (RFC 7519, section 4.2), have dots.
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

// scopeClaims reads all the claims that are in use for scopes: "scope" (RFC 8693, section 4.2),
// "scp" and "scopes", each a list or one text with spaces.
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

// datesInRange tells whether all dates are of this age. Dates much further off overflow time.Time,
// and may seem to be anything.
func datesInRange(claims jwt.MapClaims) bool {
	const year9999 = 253402300799
	for _, name := range []string{"exp", "nbf", "iat"} {
		if seconds, ok := claims[name].(float64); ok && (seconds < 0 || seconds > year9999) {
			return false
		}
	}
	return true
}
