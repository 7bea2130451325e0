package identity

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// parsePEM parses the public keys of a PEM file (RFC 7468): the blocks "PUBLIC KEY", "RSA PUBLIC
// KEY" and "CERTIFICATE", of which only the key is used.
func parsePEM(content []byte) (keys, error) {
	var all keys
	for {
		var block *pem.Block
		if block, content = pem.Decode(content); block == nil {
			break
		}
		material, err := parseBlock(block)
		if err != nil {
			return nil, err
		}
		k, err := newKey(material)
		if err != nil {
			return nil, fmt.Errorf("one of its keys %w", err)
		}
		all = append(all, k)
	}
	if len(all) == 0 {
		return nil, errors.New("contains no PEM block")
	}
	return all, nil
}

func parseBlock(block *pem.Block) (any, error) {
	switch {
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return nil, errors.New("contains a private key; only the public key is required")
	case block.Type == "PUBLIC KEY":
		material, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("contains an invalid public key: %w", err)
		}
		return material, nil
	case block.Type == "RSA PUBLIC KEY":
		material, err := x509.ParsePKCS1PublicKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("contains an invalid RSA public key: %w", err)
		}
		return material, nil
	case block.Type == "CERTIFICATE":
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("contains an invalid certificate: %w", err)
		}
		return certificate.PublicKey, nil
	default:
		return nil, fmt.Errorf("contains a PEM block %q, which is not a public key", block.Type)
	}
}
