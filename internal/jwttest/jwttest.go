// Package jwttest signs JWTs for tests.
package jwttest

import (
	"encoding/base64"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// Sign returns a JWT that is signed by HMAC with SHA-256.
func Sign(t testing.TB, secret string, claims jwt.MapClaims) string {
	t.Helper()
	return SignWith(t, jwt.SigningMethodHS256, []byte(secret), claims, nil)
}

// SignWith returns a JWT that is signed by any method, with additional fields of the header.
func SignWith(
	t testing.TB, method jwt.SigningMethod, key any, claims jwt.Claims, header map[string]any,
) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	for name, value := range header {
		token.Header[name] = value
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// SignText returns a JWT with these claims as they are, which need not be what a library would
// write, signed by HMAC with SHA-256.
func SignText(t testing.TB, secret, claims string) string {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"HS256"}`)) + "." + encode([]byte(claims))
	signature, err := jwt.SigningMethodHS256.Sign(text, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + encode(signature)
}
