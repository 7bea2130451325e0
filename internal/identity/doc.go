// Package identity tells who sends a request: by a JWT, by a service token, or by the headers of a
// gateway that has authenticated the sender already. It says nothing of what that sender may do
// beyond the scopes that the credential carries.
//
// A credential is read from the header "Authorization: Bearer" (RFC 6750, section 2.1) and from
// nowhere else: never from the URL, a form or a cookie, which end up in logs and are sent without
// being asked for. When a request carries a bearer token, that token alone decides; the gateway's
// headers are then ignored, also when the token is refused.
//
// A service token is opaque and begins with "ff_". Every other bearer token is taken for a JWT (RFC
// 7519), which is verified as RFC 8725 advises: the key decides which algorithms there are, never
// the token.
package identity
