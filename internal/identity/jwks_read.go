package identity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"time"
)

// maxKeySetBytes is the maximum size of a key set or a key file.
const maxKeySetBytes = 1 << 20

// fetcher returns the text of a key set.
type fetcher func(ctx context.Context) ([]byte, error)

// fileFetcher returns a fetcher that reads a file.
func fileFetcher(path string) fetcher {
	return func(context.Context) ([]byte, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return readBounded(f)
	}
}

// urlFetcher returns a fetcher that requests a URL. It does not follow redirects, so that the keys
// come only from the configured URL. Its errors contain only the host and the path of the URL.
func urlFetcher(u *url.URL, timeout time.Duration, proxy func(*http.Request) (*url.URL, error)) fetcher {
	client := &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			Proxy:                  proxy,
			DialContext:            (&net.Dialer{Timeout: timeout}).DialContext,
			TLSHandshakeTimeout:    timeout,
			MaxResponseHeaderBytes: 64 << 10,
			DisableKeepAlives:      true, // fetches are rare
			DisableCompression:     true, // bounds the decoded size, too
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return func(ctx context.Context) ([]byte, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return nil, errors.New("invalid URL")
		}
		request.Header.Set("Accept", "application/jwk-set+json, application/json")
		answer, err := client.Do(request)
		if err != nil {
			var outer *url.Error
			if errors.As(err, &outer) {
				err = outer.Err // the outer one repeats the URL
			}
			return nil, fmt.Errorf("%s%s: %w", u.Host, u.EscapedPath(), err)
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s%s: status %d, want 200 (redirects are not followed)", u.Host, u.EscapedPath(),
				answer.StatusCode)
		}
		content, err := readBounded(answer.Body)
		if err != nil {
			return nil, fmt.Errorf("%s%s: %w", u.Host, u.EscapedPath(), err)
		}
		return content, nil
	}
}

func readBounded(r io.Reader) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, maxKeySetBytes+1))
	if err == nil && len(content) > maxKeySetBytes {
		return nil, fmt.Errorf("is larger than %d bytes", maxKeySetBytes)
	}
	return content, err
}

// parseKeySetURL parses and validates the URL of a key set.
func parseKeySetURL(raw string, allowHTTP bool) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil, u.Scheme != "https" && u.Scheme != "http", u.Host == "":
		return nil, errors.New("must be https://host/path")
	case u.User != nil:
		return nil, errors.New("must not contain a user or a password")
	case u.Scheme == "http" && !allowHTTP && !isLoopback(u.Hostname()):
		return nil, errors.New("must be https, because an attacker on the network could forge JWTs")
	}
	return u, nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
