package identity

import (
	"context"
	"fmt"
)

// keySource returns the keys that may verify a token with this "kid", which may be "".
type keySource interface {
	keys(ctx context.Context, id string) (keys, error)
	// newer returns the keys that have replaced these, or nil if it knows none.
	newer(ctx context.Context, these keys) keys
}

// source returns the source of the keys. cached is the same source if the keys change, else nil.
func (o Options) keySource() (source keySource, cached *cache, err error) {
	jwt := o.JWT
	switch {
	case jwt.Secret != "":
		source, err = jwt.secretKey()
	case jwt.PublicKeyFile != "":
		source, err = jwt.publicKeys()
	case jwt.JWKSURL != "":
		cached, err = o.publishedKeys()
		source = cached
	case jwt.JWKSFile != "":
		cached, err = o.fileKeys()
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

func (o Options) publishedKeys() (*cache, error) {
	u, err := parseKeySetURL(o.JWT.JWKSURL, o.JWT.JWKSAllowHTTP)
	if err != nil {
		return nil, fmt.Errorf("JWKS URL: %w", err)
	}
	fetch := urlFetcher(u, o.JWT.JWKSTimeout, o.JWT.Proxy)
	return &cache{fetch: fetch, timeout: o.JWT.JWKSTimeout, now: o.Now, skip: o.SkippedKey}, nil
}

// fileKeys reads the file immediately, so that an invalid file is reported at the start.
func (o Options) fileKeys() (*cache, error) {
	fetch := fileFetcher(o.JWT.JWKSFile)
	c := &cache{fetch: fetch, timeout: o.JWT.JWKSTimeout, now: o.Now, skip: o.SkippedKey}
	if err := c.refresh(context.Background()); err != nil {
		return nil, fmt.Errorf("JWKS file %s: %w", o.JWT.JWKSFile, err)
	}
	return c, nil
}
