package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/google/uuid"
)

// A service token reads ff_<id>_<secret>: the id finds its row, the secret proves it. Both are
// written in lower-case hexadecimal, which has one spelling and needs no quoting anywhere.
const (
	tokenPrefix      = "ff_"
	tokenIDDigits    = 2 * len(uuid.UUID{})
	tokenSecretBytes = 32
	tokenBytes       = len(tokenPrefix) + tokenIDDigits + 1 + 2*tokenSecretBytes
)

// hash is what is kept of a token: SHA-256 of all of its text. A slow hash such as bcrypt protects
// what people can remember, by making each guess dear. Here are 256 random bits to guess, which no
// speed suffices for, and a slow hash would only make every request slow, those of attackers too.
type hash = [sha256.Size]byte

// makeToken returns the text of a new token.
func makeToken(id uuid.UUID) (Secret, hash) {
	var secret [tokenSecretBytes]byte
	_, _ = rand.Read(secret[:]) // never fails: where there is no randomness, the program ends
	text := tokenPrefix + hex.EncodeToString(id[:]) + "_" + hex.EncodeToString(secret[:])
	return Secret(text), sha256.Sum256([]byte(text))
}

// parseToken reads a token's id and tells whether the text has the form of a token.
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
