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

// key verifies tokens with its own algorithms only, whatever the token's header specifies (RFC
// 8725, section 3.1).
type key struct {
	id         string // "kid"; a key without id matches every token
	algorithms []string
	material   any // []byte, *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey
}

const (
	minSecretBytes = 32
	minRSABits     = 2048 // RFC 7518, section 3.3
	maxRSABits     = 8192 // verification with larger keys is slow
)

// newKey returns a key with the algorithms that its material allows. A secret of 32 bytes allows
// all three HS algorithms: RFC 7518, section 3.2, requires as many bytes as the hash has, but 256
// random bits cannot be guessed under any of them.
func newKey(material any) (key, error) {
	switch m := material.(type) {
	case []byte:
		if len(m) < minSecretBytes {
			return key{}, fmt.Errorf("is %d bytes long; the minimum is %d", len(m), minSecretBytes)
		}
		return key{algorithms: []string{"HS256", "HS384", "HS512"}, material: m}, nil
	case *rsa.PublicKey:
		if bits := m.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return key{}, fmt.Errorf("is an RSA key of %d bits; %d to %d are allowed", bits, minRSABits, maxRSABits)
		}
		return key{algorithms: []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}, material: m}, nil
	case *ecdsa.PublicKey:
		return newECKey(m)
	case ed25519.PublicKey:
		return key{algorithms: []string{"EdDSA"}, material: m}, nil
	default:
		return key{}, errors.New("is not an RSA, elliptic-curve or Ed25519 key")
	}
}

// newECKey returns a key with the one algorithm of its curve (RFC 7518, section 3.4).
func newECKey(m *ecdsa.PublicKey) (key, error) {
	switch m.Curve {
	case elliptic.P256():
		return key{algorithms: []string{"ES256"}, material: m}, nil
	case elliptic.P384():
		return key{algorithms: []string{"ES384"}, material: m}, nil
	case elliptic.P521():
		return key{algorithms: []string{"ES512"}, material: m}, nil
	default:
		return key{}, errors.New("is not on the curve P-256, P-384 or P-521")
	}
}

// keys are the keys that may verify tokens at one time.
type keys []key

// keys implements keySource for keys that never change.
func (k keys) keys(_ context.Context, _ string) (keys, error) { return k, nil }

// newer implements keySource.
func (k keys) newer(context.Context, keys) keys { return nil }

// has reports whether a key matches this id.
func (k keys) has(id string) bool {
	return slices.ContainsFunc(k, func(k key) bool { return k.matches(id) })
}

// find returns the material of the keys that match this id and allow the algorithm.
func (k keys) find(id, algorithm string) ([]any, error) {
	if !k.has(id) {
		return nil, refuse(ReasonUnknownKey)
	}
	var found []any
	for _, key := range k {
		if key.matches(id) && slices.Contains(key.algorithms, algorithm) {
			found = append(found, key.material)
		}
	}
	if len(found) == 0 {
		return nil, refuse(ReasonAlgorithm)
	}
	return found, nil
}

// matches reports whether the key may verify a token with this "kid". A token without one matches
// every key.
func (k key) matches(id string) bool { return id == "" || k.id == "" || k.id == id }
