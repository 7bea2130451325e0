// Package api is the HTTP interface: people manage what they hear and read what happened to what
// they may see, services read the log, operators look after the outbox, and browsers get the tokens
// by which they connect to Centrifugo.
//
// What always holds:
//
// - A request speaks for one principal of one tenant, and nothing of another tenant is ever read
// for it.
// - An id that is unknown, another tenant's or not the principal's to see is answered with one and
// the same 404.
// - Whatever is refused is refused with a [Problem] (RFC 9457), also what no route answers for. It
// holds the request's
//
//	id, the rules that were broken, and nothing of the database.
//
// - What a request holds beyond what its route knows is refused, not ignored: query parameters,
// body fields, media types.
// - A cursor works for the principal, the route and the filter that it was made for.
//
// The OpenAPI document is made from the code that serves, so the two cannot disagree.
package api
