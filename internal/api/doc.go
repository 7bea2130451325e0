// Package api serves the HTTP API: principals manage their inbox, subscriptions and preferences and
// read activities that they may see, services read the activity log, operators manage the outbox
// and the retention, and clients get tokens for Centrifugo.
//
// Invariants:
//
//   - A request is made for one principal of one tenant, its caller. It reads nothing of another
//     tenant.
//   - An id that does not exist, that belongs to another tenant or that the caller may not see gets
//     the same 404.
//   - Every error is a [Problem] (RFC 9457) with the id of the request, even if no route matches. A
//     problem discloses nothing of the database.
//   - A request with unknown query parameters, unknown body fields or an unsupported media type is
//     rejected.
//   - A cursor is valid only for the principal, the route and the filter that it was issued for.
//
// The OpenAPI document is generated from the code that serves the routes, so the two cannot differ.
package api
