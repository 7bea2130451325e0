package identity

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/MicahParks/jwkset"
)

// maxKeys bounds a key set: a token that names no key may be tried against all of them.
const maxKeys = 64

// parseJWKS reads a key set. What is of no use in it is passed over (RFC 7517, section 5): keys of
// unknown types, keys that are not for signatures, malformed and weak ones, and symmetric ones,
// which have no place where others can read them.
func parseJWKS(content []byte) (keys, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(content, &set); err != nil {
		return nil, errors.New("is not a JSON Web Key Set")
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("holds %d keys, at most %d are read", len(set.Keys), maxKeys)
	}
	var all keys
	for _, raw := range set.Keys {
		if k, ok := parseJWK(raw); ok {
			all = append(all, k)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("holds no key that can verify a signature")
	}
	return all, nil
}

// parseJWK reads a key, unless it is of no use. One that names its algorithm (RFC 7517, section
// 4.4) allows only that.
func parseJWK(raw json.RawMessage) (key, bool) {
	parsed, err := jwkset.NewJWKFromRawJSON(raw, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return key{}, false
	}
	says := parsed.Marshal()
	if says.USE != "" && says.USE != jwkset.UseSig ||
		len(says.KEYOPS) > 0 && !slices.Contains(says.KEYOPS, jwkset.KeyOpsVerify) {
		return key{}, false
	}
	k, err := newKey(parsed.Key())
	if err != nil {
		return key{}, false
	}
	k.id = says.KID
	if only := says.ALG.String(); only != "" {
		if !slices.Contains(k.algorithms, only) {
			return key{}, false
		}
		k.algorithms = []string{only}
	}
	return k, true
}
