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

// maxKeySetBytes bounds what is read of a key set or a key file.
const maxKeySetBytes = 1 << 20

// A reader gets a key set's text.
type reader func(ctx context.Context) ([]byte, error)

// fileReader reads a file.
func fileReader(path string) reader {
	return func(context.Context) ([]byte, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return readBounded(f)
	}
}

// urlReader reads what a server answers. It follows no redirect: the keys come from where the
// configuration says, or not at all. Its errors show nothing of the URL beyond host and path.
func urlReader(u *url.URL, timeout time.Duration, proxy func(*http.Request) (*url.URL, error)) reader {
	client := &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			Proxy:                  proxy,
			DialContext:            (&net.Dialer{Timeout: timeout}).DialContext,
			TLSHandshakeTimeout:    timeout,
			MaxResponseHeaderBytes: 64 << 10,
			DisableKeepAlives:      true, // it is read too seldom to be worth a connection
			DisableCompression:     true, // a few bytes on the wire stay a few bytes
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return func(ctx context.Context) ([]byte, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return nil, errors.New("the URL cannot be asked")
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
			return nil, fmt.Errorf(
				"%s%s: answers HTTP %d, want 200 (redirects are not followed)",
				u.Host,
				u.EscapedPath(),
				answer.StatusCode,
			)
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

// parseKeySetURL checks where a key set is to come from.
func parseKeySetURL(raw string, allowHTTP bool) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil, u.Scheme != "https" && u.Scheme != "http", u.Host == "":
		return nil, errors.New("must read https://host/path")
	case u.User != nil:
		return nil, errors.New("must not hold a user or a password")
	case u.Scheme == "http" && !allowHTTP && !isThisMachine(u.Hostname()):
		return nil, errors.New("must be https: whoever can change the keys on their way here can be anyone")
	}
	return u, nil
}

func isThisMachine(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
