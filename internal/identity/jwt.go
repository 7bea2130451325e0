package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// verifier verifies JWTs and returns their identities.
type verifier struct {
	parser            *jwt.Parser    // for the signature
	validator         *jwt.Validator // for the claims
	source            keySource
	tenant, principal claimPath
	skew              time.Duration
	now               func() time.Time
}

// algorithms returns the algorithms of all kinds of keys.
func algorithms() []string {
	return []string{
		"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
		"ES256", "ES384", "ES512", "EdDSA",
	}
}

// newVerifier returns a verifier. The options must be valid.
func newVerifier(o JWT, source keySource, now func() time.Time) *verifier {
	return &verifier{
		parser: jwt.NewParser(jwt.WithValidMethods(algorithms()), jwt.WithStrictDecoding(),
			jwt.WithoutClaimsValidation()),
		validator: jwt.NewValidator(jwt.WithIssuer(o.Issuer), jwt.WithAudience(o.Audience),
			jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(o.ClockSkew), jwt.WithTimeFunc(now)),
		source:    source,
		tenant:    claimPath(o.TenantClaim),
		principal: claimPath(o.PrincipalClaim),
		skew:      o.ClockSkew,
		now:       now,
	}
}

// identify verifies a token and returns the identity in its claims. The error is a *[Refused], or
// that of the key source.
func (v *verifier) identify(ctx context.Context, token string) (Identity, error) {
	claims, used, err := v.verify(ctx, v.source, token)
	if len(used) > 0 && (refusedFor(err, ReasonSignature) || refusedFor(err, ReasonAlgorithm)) {
		// A new key may have the id of an old one.
		if newer := v.source.newer(ctx, used); newer != nil {
			claims, _, err = v.verify(ctx, newer, token)
		}
	}
	switch {
	case err != nil:
		return Identity{}, err
	case !datesInRange(claims):
		return Identity{}, refuse(ReasonClaims)
	}
	if err := v.validator.Validate(claims); err != nil {
		return Identity{}, refuse(reasonOf(err))
	}
	return v.read(claims)
}

// verify verifies the signature of a token, and returns its claims and the keys of the source.
func (v *verifier) verify(ctx context.Context, source keySource, token string) (jwt.MapClaims, keys, error) {
	claims := jwt.MapClaims{}
	var used keys
	var keyErr error
	_, err := v.parser.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		var set jwt.VerificationKeySet
		set, used, keyErr = keysFor(ctx, source, t)
		return set, keyErr
	})
	switch {
	case keyErr != nil:
		return nil, used, keyErr
	case err != nil:
		return nil, used, refuse(reasonOf(err))
	}
	return claims, used, nil
}

// keysFor returns the keys that may verify a token, those with its "kid" that allow its algorithm,
// and all keys of the source.
func keysFor(ctx context.Context, source keySource, t *jwt.Token) (set jwt.VerificationKeySet, all keys, err error) {
	if _, has := t.Header["crit"]; has { // an extension that is not supported (RFC 7515, section 4.1.11)
		return set, nil, refuse(ReasonMalformed)
	}
	id, ok := t.Header["kid"].(string)
	if _, has := t.Header["kid"]; has && !ok {
		return set, nil, refuse(ReasonMalformed)
	}
	all, err = source.keys(ctx, id)
	if err != nil {
		return set, nil, fmt.Errorf("read the issuer's key set: %w", err)
	}
	found, err := all.find(id, t.Method.Alg())
	for _, material := range found {
		set.Keys = append(set.Keys, material)
	}
	return set, all, err
}

// read returns the identity in the claims of a verified token.
func (v *verifier) read(claims jwt.MapClaims) (Identity, error) {
	id := Identity{Via: ViaJWT}
	var tenantErr, principalErr, scopesErr error
	id.TenantID, tenantErr = v.tenant.id(claims)
	id.PrincipalID, principalErr = v.principal.id(claims)
	id.Scopes, scopesErr = scopeClaims(claims)
	if errors.Join(tenantErr, principalErr, scopesErr) != nil {
		return Identity{}, refuse(ReasonClaims)
	}
	if exp, err := claims.GetExpirationTime(); err == nil && exp != nil {
		id.Expires = exp.Time
	}
	if !v.now().Before(id.Expires) { // the token is valid only within the tolerance
		id.Expires = id.Expires.Add(v.skew)
	}
	return id, nil
}

// reasonOf returns the reason for an error of the parser or of the validator, which joins several
// errors.
func reasonOf(err error) Reason {
	for _, known := range []struct {
		err    error
		reason Reason
	}{
		{jwt.ErrTokenMalformed, ReasonMalformed},
		{jwt.ErrTokenUnverifiable, ReasonAlgorithm}, // an unknown key is detected before
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
