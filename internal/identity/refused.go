package identity

import (
	"fmt"
	"net/http"
)

// Reason says why a credential was refused, in words that may be shown to anyone.
type Reason string

// The reasons. Those about a JWT's claims are given only after its signature was verified, and
// those about a service token's state only after its secret was, so that they tell a forger
// nothing.
const (
	ReasonMissing     Reason = "credentials are required"
	ReasonRequest     Reason = "malformed request" // such as a header that must not be repeated
	ReasonMalformed   Reason = "malformed token"
	ReasonTooLong     Reason = "token too long"
	ReasonAlgorithm   Reason = "algorithm not accepted"
	ReasonUnknownKey  Reason = "unknown key"
	ReasonSignature   Reason = "bad signature"
	ReasonExpired     Reason = "expired"
	ReasonNotYetValid Reason = "not yet valid"
	ReasonIssuer      Reason = "wrong issuer"
	ReasonAudience    Reason = "wrong audience"
	ReasonClaims      Reason = "claims missing or malformed"
	ReasonToken       Reason = "unknown token"
	ReasonRevoked     Reason = "revoked"
)

// Refused is the error of a request whose sender could not be told for a reason of the sender's
// own. Its text may be shown to anyone.
type Refused struct{ Reason Reason }

func (e *Refused) Error() string { return string(e.Reason) }

// Status is the answer's HTTP status: 401, or 400 for a request that is malformed (RFC 6750,
// section 3.1).
func (e *Refused) Status() int {
	if e.Reason == ReasonRequest {
		return http.StatusBadRequest
	}
	return http.StatusUnauthorized
}

// Challenge is the value of the answer's header WWW-Authenticate (RFC 6750, section 3). It names an
// error only to those who sent a credential.
func (e *Refused) Challenge() string {
	switch e.Reason {
	case ReasonMissing:
		return `Bearer realm="fanfare"`
	case ReasonRequest:
		return challenge("invalid_request", e.Reason)
	default:
		return challenge("invalid_token", e.Reason)
	}
}

// InsufficientScope is the value of WWW-Authenticate in an answer 403 to an identity that lacks a
// scope.
func InsufficientScope(scope string) string {
	return fmt.Sprintf(`Bearer realm="fanfare", error="insufficient_scope", scope=%q`, scope)
}

func challenge(code string, description Reason) string {
	return fmt.Sprintf(`Bearer realm="fanfare", error=%q, error_description=%q`, code, string(description))
}

func refuse(r Reason) error { return &Refused{Reason: r} }
