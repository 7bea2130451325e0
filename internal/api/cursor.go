package api

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

// cursors issues and opens cursors. A cursor is valid only in the scope that it was issued for. It
// is encrypted, because a page may end at a row that the caller may not see: nothing of that row,
// not even whether two pages end at the same one, follows from the cursor.
type cursors struct {
	key []byte
}

// cursorScope is the list that a cursor continues.
type cursorScope struct {
	route     string // a pattern
	principal activity.Principal
	filter    string // distinct for distinct filters
}

// The parts of a cursor: its version, the salt of its key, and the encrypted ids with their tag.
const (
	cursorVersion = 2
	cursorSalt    = 16
	cursorTag     = 16

	cursorKey   = 32 // of AES-256
	cursorNonce = 12 // of GCM
)

// newCursors derives the key from a secret (RFC 5869). Processes that share the secret accept each
// other's cursors, and a cursor discloses nothing about the secret.
func newCursors(secret []byte) (cursors, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, "fanfare api cursor", sha256.Size)
	if err != nil {
		return cursors{}, fmt.Errorf("derive the key of cursors: %w", err)
	}
	return cursors{key: key}, nil
}

// cursorLength returns the length of a cursor of a number of ids.
func cursorLength(ids int) int { return 1 + cursorSalt + ids*len(uuid.UUID{}) + cursorTag }

// seal returns the cursor of the page after an item, whose position are ids: one in most lists.
func (c cursors) seal(at cursorScope, position ...uuid.UUID) (string, error) {
	sealed := make([]byte, 1+cursorSalt, cursorLength(len(position)))
	sealed[0] = cursorVersion
	_, _ = rand.Read(sealed[1:]) // never fails
	aead, nonce, err := c.cipher(sealed[1:])
	if err != nil {
		return "", err
	}
	var plain []byte
	for _, id := range position {
		plain = append(plain, id[:]...)
	}
	return base64.RawURLEncoding.EncodeToString(aead.Seal(sealed, nonce, plain, at.bound())), nil
}

// open returns the position of the item before the cursor's page, as many ids as it has. The error
// is a *Problem if the cursor is not one of the scope.
func (c cursors) open(at cursorScope, cursor string, position ...*uuid.UUID) error {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(sealed) != cursorLength(len(position)) || sealed[0] != cursorVersion {
		return errCursor()
	}
	salt, box := sealed[1:1+cursorSalt], sealed[1+cursorSalt:]
	aead, nonce, err := c.cipher(salt)
	if err != nil {
		return err
	}
	plain, err := aead.Open(nil, nonce, box, at.bound())
	if err != nil {
		return errCursor()
	}
	for _, id := range position {
		copy(id[:], plain)
		plain = plain[len(id):]
	}
	return nil
}

// cipher returns AES-256-GCM with a key and a nonce of one cursor, which are derived from its salt:
// random nonces under one key would repeat after some billions of cursors.
func (c cursors) cipher(salt []byte) (aead cipher.AEAD, nonce []byte, err error) {
	derived, err := hkdf.Expand(sha256.New, c.key, string(salt), cursorKey+cursorNonce)
	if err != nil {
		return nil, nil, fmt.Errorf("derive the key of a cursor: %w", err)
	}
	block, err := aes.NewCipher(derived[:cursorKey])
	if err != nil {
		return nil, nil, fmt.Errorf("make the cipher of a cursor: %w", err)
	}
	if aead, err = cipher.NewGCM(block); err != nil {
		return nil, nil, fmt.Errorf("make the cipher of a cursor: %w", err)
	}
	return aead, derived[cursorKey:], nil
}

// bound returns the data that a cursor is bound to. The length precedes each part, so distinct
// scopes have distinct encodings.
func (s cursorScope) bound() (data []byte) {
	for _, part := range [][]byte{
		{cursorVersion}, []byte(s.route), s.principal.TenantID[:], s.principal.PrincipalID[:], []byte(s.filter),
	} {
		data = binary.BigEndian.AppendUint64(data, uint64(len(part)))
		data = append(data, part...)
	}
	return data
}

func errCursor() *Problem {
	return fieldProblem(
		InvalidCursor,
		"cursor",
		"must be a next_cursor of this list, with the same filter and principal",
	)
}
