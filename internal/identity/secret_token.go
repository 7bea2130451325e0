package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/google/uuid"
)

// A service token has the form ff_<id>_<secret>. The id selects the row; the secret proves
// possession. Both are lower-case hexadecimal, which has one spelling and needs no quoting.
const (
	tokenPrefix      = "ff_"
	tokenIDDigits    = 2 * len(uuid.UUID{})
	tokenSecretBytes = 32
	tokenBytes       = len(tokenPrefix) + tokenIDDigits + 1 + 2*tokenSecretBytes
)

// hash is the stored hash of a token: SHA-256 of its text. A slow hash such as bcrypt protects
// passwords that can be guessed. 256 random bits cannot be, so a slow hash would only slow down
// every request.
type hash = [sha256.Size]byte

// newTokenText returns the text of a new token, and its hash.
func newTokenText(id uuid.UUID) (Secret, hash) {
	var secret [tokenSecretBytes]byte
	_, _ = rand.Read(secret[:]) // never returns an error
	text := tokenPrefix + hex.EncodeToString(id[:]) + "_" + hex.EncodeToString(secret[:])
	return Secret(text), sha256.Sum256([]byte(text))
}

// parseToken returns the id and the hash of a token. ok reports whether the text has the form of
// one.
func parseToken(text string) (id uuid.UUID, sum hash, ok bool) {
	digits, found := strings.CutPrefix(text, tokenPrefix)
	if !found || len(text) != tokenBytes || digits[tokenIDDigits] != '_' {
		return uuid.Nil, hash{}, false
	}
	if _, err := hex.Decode(id[:], []byte(digits[:tokenIDDigits])); err != nil || id == uuid.Nil {
		return uuid.Nil, hash{}, false
	}
	return id, sha256.Sum256([]byte(text)), true
}
