package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strings"

	"github.com/google/uuid"
)

// A service token has the form ff_<tenant>_<id>_<secret>. The ids select the row; the secret proves
// possession. All are lower-case hexadecimal, which has one spelling and needs no quoting.
const (
	tokenPrefix      = "ff_"
	tokenIDDigits    = 2 * len(uuid.UUID{})
	tokenSecretBytes = 32
	tokenBytes       = len(tokenPrefix) + 2*(tokenIDDigits+1) + 2*tokenSecretBytes
)

// hash is the stored hash of a token: SHA-256 of its text. A slow hash such as bcrypt protects
// passwords that can be guessed. 256 random bits cannot be, so a slow hash would only slow down
// every request.
type hash = [sha256.Size]byte

// tokenKey identifies the row of a token.
type tokenKey struct{ tenant, id uuid.UUID }

// newTokenText returns the text of a new token, and its hash.
func newTokenText(k tokenKey) (Secret, hash) {
	var secret [tokenSecretBytes]byte
	_, _ = rand.Read(secret[:]) // never returns an error
	text := tokenPrefix + hex.EncodeToString(k.tenant[:]) + "_" + hex.EncodeToString(k.id[:]) + "_" +
		hex.EncodeToString(secret[:])
	return Secret(text), sha256.Sum256([]byte(text))
}

// parseToken returns the key and the hash of a token. ok reports whether the text has the form of
// one.
func parseToken(text string) (k tokenKey, sum hash, ok bool) {
	if len(text) != tokenBytes {
		return tokenKey{}, hash{}, false
	}
	parts := strings.Split(text, "_")
	if len(parts) != 4 || parts[0]+"_" != tokenPrefix {
		return tokenKey{}, hash{}, false
	}
	for i, id := range []*uuid.UUID{&k.tenant, &k.id} {
		digits := parts[i+1]
		if len(digits) != tokenIDDigits {
			return tokenKey{}, hash{}, false
		}
		if _, err := hex.Decode(id[:], []byte(digits)); err != nil || *id == uuid.Nil {
			return tokenKey{}, hash{}, false
		}
	}
	return k, sha256.Sum256([]byte(text)), true
}

// A one-time code has the form <tenant><secret>, in base32, for links.
var (
	codeEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)
	tenantDigits = codeEncoding.EncodedLen(len(uuid.UUID{}))
)

// codeSecretDigits are the characters of rand.Text: 130 random bits.
const codeSecretDigits = 26

// newCode returns a new code of a tenant.
func newCode(tenant uuid.UUID) Secret {
	return Secret(codeEncoding.EncodeToString(tenant[:]) + rand.Text())
}

// TenantOfCode returns the tenant of a code. It is not verified; ok reports whether the text has
// the form of a code.
func TenantOfCode(code string) (tenant uuid.UUID, ok bool) {
	if len(code) != tenantDigits+codeSecretDigits || strings.ContainsFunc(code, isNotCode) {
		return uuid.Nil, false
	}
	id, err := codeEncoding.DecodeString(code[:tenantDigits])
	if err != nil {
		return uuid.Nil, false
	}
	tenant, err = uuid.FromBytes(id)
	return tenant, err == nil && tenant != uuid.Nil && codeEncoding.EncodeToString(id) == code[:tenantDigits]
}

func isNotCode(r rune) bool { return (r < 'A' || r > 'Z') && (r < '2' || r > '7') } // base32
