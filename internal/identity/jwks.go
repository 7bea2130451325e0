package identity

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/MicahParks/jwkset"
)

// maxKeys is the maximum number of keys in a set. A token without "kid" is verified against all
// keys.
const maxKeys = 64

// parseJWKS parses a key set. It ignores keys that it cannot use (RFC 7517, section 5): those of
// unknown types, not for signatures, malformed, weak, or symmetric. A symmetric key in a published
// set is not a secret.
func parseJWKS(content []byte) (keys, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(content, &set); err != nil {
		return nil, errors.New("is not a JSON Web Key Set")
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("contains %d keys; the maximum is %d", len(set.Keys), maxKeys)
	}
	var all keys
	for _, raw := range set.Keys {
		if k, ok := parseJWK(raw); ok {
			all = append(all, k)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("contains no key that can verify a signature")
	}
	return all, nil
}

// parseJWK parses a key. It returns false for a key that cannot be used. The parameter "alg" (RFC
// 7517, section 4.4) restricts a key to one algorithm.
func parseJWK(raw json.RawMessage) (key, bool) {
	parsed, err := jwkset.NewJWKFromRawJSON(raw, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return key{}, false
	}
	marshaled := parsed.Marshal()
	if marshaled.USE != "" && marshaled.USE != jwkset.UseSig ||
		len(marshaled.KEYOPS) > 0 && !slices.Contains(marshaled.KEYOPS, jwkset.KeyOpsVerify) {
		return key{}, false
	}
	k, err := newKey(parsed.Key())
	if err != nil {
		return key{}, false
	}
	k.id = marshaled.KID
	if only := marshaled.ALG.String(); only != "" {
		if !slices.Contains(k.algorithms, only) {
			return key{}, false
		}
		k.algorithms = []string{only}
	}
	return k, true
}
