package identity

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// The cookie of a session. Browsers accept the prefix __Host- only over TLS and from the host
// itself (RFC 6265bis, section 4.1.3.2), so that no other host of the domain can plant a session.
const (
	sessionCookie       = "fanfare_session"
	secureSessionCookie = "__Host-" + sessionCookie
)

// SessionCookies returns the names of the cookie of a session: over TLS, and without it.
func SessionCookies() []string { return []string{secureSessionCookie, sessionCookie} }

// identifyCookie returns the identity of the JWT in the cookie of the application.
func (a *Authenticator) identifyCookie(r *http.Request) (Identity, error) {
	if a.cookie == "" || a.jwt == nil {
		return Identity{}, refuse(ReasonMissing)
	}
	token, err := cookieOf(r, a.cookie)
	switch {
	case err != nil:
		return Identity{}, err
	case token == "":
		return Identity{}, refuse(ReasonMissing)
	case len(token) > maxTokenBytes:
		return Identity{}, refuse(ReasonTooLong)
	case !isB64token(token):
		return Identity{}, refuse(ReasonMalformed)
	case !isSameOrigin(r):
		return Identity{}, refuse(ReasonCrossSite)
	}
	return a.jwt.identify(r.Context(), token)
}

// cookieOf returns the value of a cookie, or "". A browser sends several cookies of one name if
// another host of the domain has set one, which may be an attacker's.
func cookieOf(r *http.Request, name string) (string, error) {
	switch cookies := r.CookiesNamed(name); len(cookies) {
	case 0:
		return "", nil
	case 1:
		return cookies[0].Value, nil
	default:
		return "", refuse(ReasonRequest)
	}
}

// isSameOrigin reports whether a request with a cookie is one of a page of the server's own origin,
// or one that reads and that the user has made, by entering an address. Pages can set neither
// header (https://www.w3.org/TR/fetch-metadata/). Browsers send no Sec-Fetch-Site to hosts without
// TLS, except to this machine, but Origin with every request that may change something.
func isSameOrigin(r *http.Request) bool {
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
	site, origin := r.Header["Sec-Fetch-Site"], r.Header["Origin"]
	switch {
	case len(site) > 1 || len(origin) > 1:
		return false
	case len(site) == 1:
		return site[0] == "same-origin" || reads && site[0] == "none"
	case len(origin) == 1:
		u, err := url.Parse(origin[0])
		return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
	default:
		return reads
	}
}

// IsCrossOrigin reports whether a browser sent a request for a page of another origin. A request
// with neither header that isSameOrigin reads is not from a browser.
func IsCrossOrigin(r *http.Request) bool {
	browser := len(r.Header["Sec-Fetch-Site"]) > 0 || len(r.Header["Origin"]) > 0
	return browser && !isSameOrigin(r)
}

// isSecure reports whether a request was sent over TLS: to the server itself, or, as one of these
// proxies states, to the proxy.
func isSecure(r *http.Request, proxies []netip.Prefix) bool {
	if r.TLS != nil || !includes(proxies, r.RemoteAddr) {
		return r.TLS != nil
	}
	scheme, _, _ := strings.Cut(strings.Join(r.Header["X-Forwarded-Proto"], ","), ",")
	return strings.EqualFold(strings.TrimSpace(scheme), "https")
}
