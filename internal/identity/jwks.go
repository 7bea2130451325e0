package identity

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/MicahParks/jwkset"
)

// maxKeys is the maximum number of keys in a set. A token without "kid" is verified against all
// keys.
const maxKeys = 64

// skippedKey is a key of a set that cannot verify signatures.
type skippedKey struct{ id, reason string }

// parseJWKS parses a key set. It skips keys that it cannot use (RFC 7517, section 5): those of
// unknown types, not for signatures, malformed, weak, or symmetric. A symmetric key in a published
// set is not a secret.
func parseJWKS(content []byte) (all keys, skipped []skippedKey, err error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(content, &set); err != nil {
		return nil, nil, errors.New("is not a JSON Web Key Set")
	}
	if len(set.Keys) > maxKeys {
		return nil, nil, fmt.Errorf("contains %d keys; the maximum is %d", len(set.Keys), maxKeys)
	}
	for _, raw := range set.Keys {
		k, err := parseJWK(raw)
		if err != nil {
			skipped = append(skipped, skippedKey{first(maxKeyID, k.id), err.Error()})
			continue
		}
		all = append(all, k)
	}
	if len(all) == 0 {
		return nil, skipped, errors.New("contains no key that can verify a signature")
	}
	return all, skipped, nil
}

// maxKeyID is the length of a key's id in messages.
const maxKeyID = 100

func first(n int, text string) string {
	if len(text) > n {
		return strings.ToValidUTF8(text[:n], "") + "…"
	}
	return text
}

// keyParameters are the parameters of a key that matter (RFC 7517, sections 4.2 to 4.5). Those
// about its certificate do not: Fanfare trusts the key because it is in the set.
type keyParameters struct {
	ID         string   `json:"kid"`
	Use        string   `json:"use"`
	Operations []string `json:"key_ops"`
	Algorithm  string   `json:"alg"`
}

// parseJWK parses a key. The error is the reason why it cannot be used; the key then has no more
// than its id. The parameter "alg" (RFC 7517, section 4.4) restricts a key to one algorithm.
func parseJWK(raw json.RawMessage) (key, error) {
	var parameters keyParameters
	err := json.Unmarshal(raw, &parameters)
	skipped := key{id: parameters.ID}
	switch {
	case err != nil:
		return skipped, errors.New("is malformed")
	case parameters.Use != "" && parameters.Use != "sig":
		return skipped, fmt.Errorf("is for another use than signatures: %q", first(maxKeyID, parameters.Use))
	case len(parameters.Operations) > 0 && !slices.Contains(parameters.Operations, "verify"):
		return skipped, errors.New("is not for verifying signatures")
	}
	material, err := keyMaterial(raw)
	if err != nil {
		return skipped, err
	}
	k, err := newKey(material)
	if err != nil {
		return skipped, err
	}
	k.id = parameters.ID
	if only := parameters.Algorithm; only != "" {
		if !slices.Contains(k.algorithms, only) {
			return skipped, fmt.Errorf("is for the algorithm %q, which is not accepted", first(maxKeyID, only))
		}
		k.algorithms = []string{only}
	}
	return k, nil
}

// keyMaterial returns the key itself, from the parameters that RFC 7518, section 6, and RFC 8037
// define, and no others.
func keyMaterial(raw json.RawMessage) (any, error) {
	var parameters struct {
		Type     string `json:"kty"`
		Curve    string `json:"crv,omitempty"`
		X        string `json:"x,omitempty"`
		Y        string `json:"y,omitempty"`
		Modulus  string `json:"n,omitempty"`
		Exponent string `json:"e,omitempty"`
	}
	err := json.Unmarshal(raw, &parameters)
	switch {
	case err != nil:
		return nil, errors.New("is malformed")
	case parameters.Type == "oct":
		return nil, errors.New("is symmetric, so that a published set must not contain it")
	}
	bare, err := json.Marshal(parameters)
	if err != nil {
		return nil, err
	}
	parsed, err := jwkset.NewJWKFromRawJSON(bare, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return nil, errors.New("is not a valid RSA, elliptic-curve or Ed25519 key")
	}
	return parsed.Key(), nil
}
