// Package identity authenticates requests: by a JWT, by a service token, or by the headers of a
// gateway that has authenticated the caller. It returns the caller and the scopes of the
// credential, and makes no other authorization decision.
//
// Invariants:
//   - A credential is read only from the header "Authorization: Bearer" (RFC 6750, section 2.1),
//     never from the URL, a form or a cookie, which are logged, or sent by browsers without intent.
//   - If a request has a bearer token, the headers of a gateway are ignored, also if the token is
//     refused.
//   - The key selects the algorithms that verify a JWT, never the token (RFC 8725, section 3.1).
//   - The database stores only a hash of a service token.
//
// A service token is opaque and begins with "ff_". Every other bearer token is a JWT (RFC 7519).
package identity
