package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// A verifier tells who sends a JWT.
type verifier struct {
	parser            *jwt.Parser    // for the signature
	validator         *jwt.Validator // for the claims
	source            keySource
	tenant, principal claimPath
}

// algorithms are all that a key can allow.
func algorithms() []string {
	return []string{
		"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
	}
}

// newVerifier takes options that were checked.
func newVerifier(o JWT, source keySource, now func() time.Time) *verifier {
	return &verifier{
		parser: jwt.NewParser(
			jwt.WithValidMethods(algorithms()),
			jwt.WithStrictDecoding(),
			jwt.WithoutClaimsValidation(),
		),
		validator: jwt.NewValidator(
			jwt.WithIssuer(o.Issuer),
			jwt.WithAudience(o.Audience),
			jwt.WithExpirationRequired(),
			jwt.WithIssuedAt(),
			jwt.WithLeeway(o.ClockSkew),
			jwt.WithTimeFunc(now),
		),
		source:    source,
		tenant:    claimPath(o.TenantClaim),
		principal: claimPath(o.PrincipalClaim),
	}
}

// identify verifies a token and reads its claims. The error is a *Refused, or of the key source.
func (v *verifier) identify(ctx context.Context, token string) (Identity, error) {
	claims := jwt.MapClaims{}
	var keyErr error
	_, err := v.parser.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		var set jwt.VerificationKeySet
		set, keyErr = v.keysFor(ctx, t)
		return set, keyErr
	})
	switch {
	case keyErr != nil:
		return Identity{}, keyErr
	case err != nil:
		return Identity{}, refuse(reasonOf(err))
	case !datesInRange(claims):
		return Identity{}, refuse(ReasonClaims)
	}
	if err := v.validator.Validate(claims); err != nil {
		return Identity{}, refuse(reasonOf(err))
	}
	return v.read(claims)
}

// keysFor returns the keys to try on a token: those that it names, if they allow its algorithm.
func (v *verifier) keysFor(ctx context.Context, t *jwt.Token) (set jwt.VerificationKeySet, err error) {
	if _, has := t.Header["crit"]; has { // what must be understood, and is not (RFC 7515, section 4.1.11)
		return set, refuse(ReasonMalformed)
	}
	id, ok := t.Header["kid"].(string)
	if _, has := t.Header["kid"]; has && !ok {
		return set, refuse(ReasonMalformed)
	}
	all, err := v.source.keys(ctx, id)
	if err != nil {
		return set, fmt.Errorf("read the issuer's key set: %w", err)
	}
	found, err := all.find(id, t.Method.Alg())
	for _, material := range found {
		set.Keys = append(set.Keys, material)
	}
	return set, err
}

// read takes the identity from the claims of a token that was verified.
func (v *verifier) read(claims jwt.MapClaims) (Identity, error) {
	id := Identity{Via: ViaJWT}
	var tenantErr, principalErr, scopesErr error
	id.TenantID, tenantErr = v.tenant.id(claims)
	id.PrincipalID, principalErr = v.principal.id(claims)
	id.Scopes, scopesErr = scopeClaims(claims)
	if errors.Join(tenantErr, principalErr, scopesErr) != nil {
		return Identity{}, refuse(ReasonClaims)
	}
	return id, nil
}

// reasonOf names what is wrong with a token, by an error of the parser or of the validator, which
// tells of all at once.
func reasonOf(err error) Reason {
	for _, known := range []struct {
		err    error
		reason Reason
	}{
		{jwt.ErrTokenMalformed, ReasonMalformed},
		{jwt.ErrTokenUnverifiable, ReasonAlgorithm}, // keys that are missing are found out before
		{jwt.ErrTokenSignatureInvalid, ReasonSignature},
		{jwt.ErrTokenRequiredClaimMissing, ReasonClaims},
		{jwt.ErrInvalidType, ReasonClaims},
		{jwt.ErrTokenInvalidIssuer, ReasonIssuer},
		{jwt.ErrTokenInvalidAudience, ReasonAudience},
		{jwt.ErrTokenExpired, ReasonExpired},
		{jwt.ErrTokenNotValidYet, ReasonNotYetValid},
		{jwt.ErrTokenUsedBeforeIssued, ReasonNotYetValid},
	} {
		if errors.Is(err, known.err) {
			return known.reason
		}
	}
	return ReasonMalformed
}
