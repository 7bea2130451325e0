package identity

import (
	"errors"
	"fmt"
	"net/http"
)

// Reason is the reason for refusing a credential. It may be shown to anyone.
type Reason string

// The reasons. Those about the claims of a JWT are returned only after its signature has been
// verified, and those about the state of a service token only after its secret has, so that they
// give a forger no information.
const (
	ReasonMissing     Reason = "credentials are required"
	ReasonRequest     Reason = "malformed request" // such as a header that must not be repeated
	ReasonHost        Reason = "the request is for a host that is not allowed"
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
	ReasonTenant      Reason = "unknown tenant"
	ReasonRevoked     Reason = "revoked"
	ReasonCode        Reason = "the code is unknown, used or expired"
	ReasonCrossSite   Reason = "a cookie is accepted from pages of this origin only"
)

// Refused is the error of a request whose credential is missing or invalid. Its text may be shown
// to anyone.
type Refused struct{ Reason Reason }

func (e *Refused) Error() string { return string(e.Reason) }

// Status returns the HTTP status of the answer: 401, or 400 for a malformed request (RFC 6750,
// section 3.1) and for one that is for another host, or 403 for one of another origin.
func (e *Refused) Status() int {
	if e.Reason == ReasonCrossSite {
		return http.StatusForbidden
	}
	if e.Reason == ReasonRequest || e.Reason == ReasonHost {
		return http.StatusBadRequest
	}
	return http.StatusUnauthorized
}

// Challenge returns the header WWW-Authenticate of the answer (RFC 6750, section 3). It contains an
// error only if the request had a credential.
func (e *Refused) Challenge() string {
	switch e.Reason {
	case ReasonMissing:
		return `Bearer realm="fanfare"`
	case ReasonRequest, ReasonHost:
		return challenge("invalid_request", e.Reason)
	default:
		return challenge("invalid_token", e.Reason)
	}
}

// InsufficientScope returns the header WWW-Authenticate of an answer 403 to a caller that lacks a
// scope.
func InsufficientScope(scope string) string {
	return fmt.Sprintf(`Bearer realm="fanfare", error="insufficient_scope", scope=%q`, scope)
}

func challenge(code string, description Reason) string {
	return fmt.Sprintf(`Bearer realm="fanfare", error=%q, error_description=%q`, code, string(description))
}

// refusedFor reports whether an error is a refusal for this reason.
func refusedFor(err error, reason Reason) bool {
	refused, ok := errors.AsType[*Refused](err)
	return ok && refused.Reason == reason
}

func refuse(r Reason) error { return &Refused{Reason: r} }
