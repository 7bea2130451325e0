// Package identity authenticates requests: by a JWT, by a service token, by a session, or by the
// headers of a gateway that has authenticated the caller. It returns the caller and the scopes of
// the credential, and makes no other authorization decision.
//
// Invariants:
//   - A credential is read only from the header "Authorization: Bearer" (RFC 6750, section 2.1) or
//     from a cookie, never from the URL or a form, which are logged.
//   - A browser sends cookies without intent. One is accepted only in a request that the browser
//     sends for a page of the server's own origin.
//   - If a request has a bearer token, the headers of a gateway and cookies are ignored, also if
//     the token is refused.
//   - The key selects the algorithms that verify a JWT, never the token (RFC 8725, section 3.1).
//   - The database stores only a hash of a service token, of a session's token and of a code.
//   - A session's token is accepted in its cookie only, and a service token never in a cookie.
//
// A service token begins with "ff_"; its text contains the ids of its tenant and of its row, which
// are no secrets, so that a process that serves several databases finds the one with the token.
// Every other bearer token is a JWT (RFC 7519).
package identity
