package identity

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// parsePEM reads the public keys of a PEM file (RFC 7468): "PUBLIC KEY", "RSA PUBLIC KEY" and
// "CERTIFICATE", of which only the key counts.
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
			return nil, fmt.Errorf("a key of it %w", err)
		}
		all = append(all, k)
	}
	if len(all) == 0 {
		return nil, errors.New("holds no PEM block")
	}
	return all, nil
}

func parseBlock(block *pem.Block) (any, error) {
	switch {
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return nil, errors.New(
			"holds a private key: give the public one, and keep the private one where tokens are made",
		)
	case block.Type == "PUBLIC KEY":
		material, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("holds a public key that cannot be read: %w", err)
		}
		return material, nil
	case block.Type == "RSA PUBLIC KEY":
		material, err := x509.ParsePKCS1PublicKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("holds an RSA public key that cannot be read: %w", err)
		}
		return material, nil
	case block.Type == "CERTIFICATE":
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("holds a certificate that cannot be read: %w", err)
		}
		return certificate.PublicKey, nil
	default:
		return nil, fmt.Errorf("holds a PEM block %q, which is no public key", block.Type)
	}
}
