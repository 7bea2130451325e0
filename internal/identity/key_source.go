package identity

import (
	"context"
	"fmt"
	"time"
)

// A keySource has the keys that may verify a token naming one of them, or none ("").
type keySource interface {
	keys(ctx context.Context, id string) (keys, error)
}

// source opens what verifies tokens. What it returns as cached is the source itself, or nil when
// the keys never change.
func (o JWT) source(now func() time.Time) (source keySource, cached *cache, err error) {
	switch {
	case o.Secret != "":
		source, err = o.secretKey()
	case o.PublicKeyFile != "":
		source, err = o.publicKeys()
	case o.JWKSURL != "":
		cached, err = o.publishedKeys(now)
		source = cached
	case o.JWKSFile != "":
		cached, err = o.filedKeys(now)
		source = cached
	}
	return source, cached, err
}

func (o JWT) secretKey() (keys, error) {
	k, err := newKey([]byte(o.Secret))
	if err != nil {
		return nil, fmt.Errorf("JWT secret: %w", err)
	}
	return keys{k}, nil
}

func (o JWT) publicKeys() (keys, error) {
	content, err := fileReader(o.PublicKeyFile)(context.Background())
	if err != nil {
		return nil, fmt.Errorf("JWT public key file: %w", err)
	}
	all, err := parsePEM(content)
	if err != nil {
		return nil, fmt.Errorf("JWT public key file %s: %w", o.PublicKeyFile, err)
	}
	return all, nil
}

func (o JWT) publishedKeys(now func() time.Time) (*cache, error) {
	u, err := parseKeySetURL(o.JWKSURL, o.JWKSAllowHTTP)
	if err != nil {
		return nil, fmt.Errorf("JWKS URL: %w", err)
	}
	return &cache{read: urlReader(u, o.JWKSTimeout, o.Proxy), timeout: o.JWKSTimeout, now: now}, nil
}

// filedKeys reads the file already, since a file that is wrong at the start is a mistake.
func (o JWT) filedKeys(now func() time.Time) (*cache, error) {
	c := &cache{read: fileReader(o.JWKSFile), timeout: o.JWKSTimeout, now: now}
	if err := c.refresh(context.Background()); err != nil {
		return nil, fmt.Errorf("JWKS file %s: %w", o.JWKSFile, err)
	}
	return c, nil
}
