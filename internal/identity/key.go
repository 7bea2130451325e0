package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
)

// A key verifies tokens, by its own algorithms only: what a token's header asks for is looked up
// here and never obeyed (RFC 8725, section 3.1).
type key struct {
	id         string // "kid"; a key without one fits any
	algorithms []string
	material   any // []byte, *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey
}

const (
	minSecretBytes = 32
	minRSABits     = 2048 // RFC 7518, section 3.3
	maxRSABits     = 8192 // larger ones take long to verify with
)

// newKey says which algorithms a key's material allows. A secret of 32 bytes verifies all three of
// the HS family: RFC 7518, section 3.2, asks for as many bytes as the hash has, but 256 random bits
// are beyond guessing under any of them.
func newKey(material any) (key, error) {
	switch m := material.(type) {
	case []byte:
		if len(m) < minSecretBytes {
			return key{}, fmt.Errorf("is %d bytes long, at least %d are needed", len(m), minSecretBytes)
		}
		return key{algorithms: []string{"HS256", "HS384", "HS512"}, material: m}, nil
	case *rsa.PublicKey:
		if bits := m.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return key{}, fmt.Errorf("is an RSA key of %d bits, from %d to %d are needed", bits, minRSABits, maxRSABits)
		}
		return key{algorithms: []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}, material: m}, nil
	case *ecdsa.PublicKey:
		return newECKey(m)
	case ed25519.PublicKey:
		return key{algorithms: []string{"EdDSA"}, material: m}, nil
	default:
		return key{}, errors.New("is neither an RSA nor an elliptic nor an Ed25519 key")
	}
}

// newECKey ties a curve to its one algorithm (RFC 7518, section 3.4).
func newECKey(m *ecdsa.PublicKey) (key, error) {
	switch m.Curve {
	case elliptic.P256():
		return key{algorithms: []string{"ES256"}, material: m}, nil
	case elliptic.P384():
		return key{algorithms: []string{"ES384"}, material: m}, nil
	case elliptic.P521():
		return key{algorithms: []string{"ES512"}, material: m}, nil
	default:
		return key{}, errors.New("is on a curve that is not P-256, P-384 or P-521")
	}
}

// keys are what may verify tokens at one time.
type keys []key

// keys makes them a source that never changes.
func (k keys) keys(_ context.Context, _ string) (keys, error) { return k, nil }

// know tells whether a token that names this key, or none, can be decided on.
func (k keys) know(id string) bool {
	return slices.ContainsFunc(k, func(k key) bool { return k.fits(id) })
}

// find returns the material of the keys that a token names and that allow its algorithm.
func (k keys) find(id, algorithm string) ([]any, error) {
	if !k.know(id) {
		return nil, refuse(ReasonUnknownKey)
	}
	var found []any
	for _, key := range k {
		if key.fits(id) && slices.Contains(key.algorithms, algorithm) {
			found = append(found, key.material)
		}
	}
	if len(found) == 0 {
		return nil, refuse(ReasonAlgorithm)
	}
	return found, nil
}

// fits tells whether the key may be the one of this name. A token that names none may be meant for
// any.
func (k key) fits(id string) bool { return id == "" || k.id == "" || k.id == id }
