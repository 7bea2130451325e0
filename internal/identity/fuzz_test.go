package identity_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/jwttest"
)

// Only a header with a token that the fuzz test signed, byte for byte, is accepted.
func FuzzAuthorizationHeader(f *testing.F) {
	// The ids are constants, because the workers of the fuzzer share the seeds.
	c, who := newClock(), someone{
		uuid.MustParse("018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f"),
		uuid.MustParse("018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e70"),
	}
	o := withJWT(c, identity.JWT{Secret: secret})
	o.TrustHeaders = true
	bySecret := build(f, o)
	byKey := build(f, withJWT(c, identity.JWT{JWKSFile: file(f, jwks(
		jwk(f, "rsa", rsaKey().Public(), nil), jwk(f, "ed", edKey().Public(), nil),
	))}))
	signed := []string{
		jwttest.SignWith(f, jwt.SigningMethodHS256, []byte(secret), who.claims(c.now(), nil), nil),
		jwttest.SignWith(
			f, jwt.SigningMethodHS512, []byte(secret), who.claims(c.now(), nil), map[string]any{"kid": "x"}),
		jwttest.SignWith(f, jwt.SigningMethodRS256, rsaKey(), who.claims(c.now(), nil), map[string]any{"kid": "rsa"}),
	}
	unsigned := jwttest.SignWith(
		f, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, who.claims(c.now(), nil), nil)
	for _, token := range append(signed, unsigned, "", "a.b.c", "..", "ff_",
		"ff"+strings.Repeat("_"+strings.Repeat("0", 32), 2)+"_"+strings.Repeat("0", 64)) {
		f.Add("Bearer " + token)
		f.Add("bearer  " + token + "=")
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, header string) {
		for _, a := range []*identity.Authenticator{bySecret, byKey} {
			r := request("X-Tenant-Id", who.tenant.String(), "X-Principal-Id", who.principal.String())
			r.RemoteAddr = "203.0.113.9:1" // not a gateway
			r.Header["Authorization"] = []string{header}
			got, err := a.Authenticate(r)
			if err == nil {
				_, token, _ := strings.Cut(header, " ")
				if !slices.Contains(signed, strings.Trim(token, " ")) {
					t.Errorf("%q: got %+v, want a refusal", header, got)
				}
				if got.TenantID != who.tenant || got.PrincipalID != who.principal || got.Via != identity.ViaJWT {
					t.Errorf("%q: got %+v, want the principal of the token", header, got)
				}
			} else if got.TenantID != (identity.Identity{}).TenantID || got.Via != "" {
				t.Errorf("%q: got %+v with the error %v", header, got, err)
			}
		}
	})
}
