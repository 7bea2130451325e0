package identity

import (
	"context"
	"fmt"
	"time"
)

// keySource returns the keys that may verify a token with this "kid", which may be "".
type keySource interface {
	keys(ctx context.Context, id string) (keys, error)
}

// source returns the source of the keys. cached is the same source if the keys change, else nil.
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
		cached, err = o.fileKeys(now)
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
	content, err := fileFetcher(o.PublicKeyFile)(context.Background())
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
	return &cache{fetch: urlFetcher(u, o.JWKSTimeout, o.Proxy), timeout: o.JWKSTimeout, now: now}, nil
}

// fileKeys reads the file immediately, so that an invalid file is reported at the start.
func (o JWT) fileKeys(now func() time.Time) (*cache, error) {
	c := &cache{fetch: fileFetcher(o.JWKSFile), timeout: o.JWKSTimeout, now: now}
	if err := c.refresh(context.Background()); err != nil {
		return nil, fmt.Errorf("JWKS file %s: %w", o.JWKSFile, err)
	}
	return c, nil
}
