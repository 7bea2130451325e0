package api

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

// cursors issues and verifies cursors. A cursor is valid only in the scope that it was issued for.
type cursors struct {
	key []byte
}

// cursorScope is the list that a cursor continues.
type cursorScope struct {
	route     string // a pattern
	principal activity.Principal
	filter    string // distinct for distinct filters
}

const (
	cursorVersion = 1
	cursorTag     = 16 // bytes of HMAC-SHA256
	cursorLength  = 1 + len(uuid.UUID{}) + cursorTag
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

// seal returns the cursor of the page after an item.
func (c cursors) seal(at cursorScope, after uuid.UUID) string {
	sealed := append([]byte{cursorVersion}, after[:]...)
	return base64.RawURLEncoding.EncodeToString(append(sealed, c.tag(at, sealed)...))
}

// open returns the item before the cursor's page. The error is a *Problem.
func (c cursors) open(at cursorScope, cursor string) (uuid.UUID, error) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(sealed) != cursorLength || sealed[0] != cursorVersion {
		return uuid.Nil, errCursor()
	}
	body, tag := sealed[:cursorLength-cursorTag], sealed[cursorLength-cursorTag:]
	if !hmac.Equal(tag, c.tag(at, body)) {
		return uuid.Nil, errCursor()
	}
	return uuid.UUID(body[1:]), nil
}

// tag authenticates the body of a cursor together with its scope. The length precedes each part, so
// distinct scopes have distinct encodings.
func (c cursors) tag(at cursorScope, body []byte) []byte {
	mac := hmac.New(sha256.New, c.key)
	for _, part := range [][]byte{
		body, []byte(at.route), at.principal.TenantID[:], at.principal.PrincipalID[:], []byte(at.filter),
	} {
		mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		mac.Write(part)
	}
	return mac.Sum(nil)[:cursorTag]
}

func errCursor() *Problem {
	return fieldProblem(
		InvalidCursor,
		"cursor",
		"must be a next_cursor of this list, with the same filter and principal",
	)
}
