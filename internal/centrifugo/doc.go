// Package centrifugo publishes to a Centrifugo server: it names channels, sends
// pipes of broadcasts over the HTTP API, and says of every channel whether its
// publication was accepted, and if not, whether trying again can help.
//
// It speaks the command format of the endpoint "/api" (one JSON command a line,
// one JSON reply a line), which Centrifugo v5 and v6 serve, and authenticates
// with the header "Authorization: apikey <key>". What is said here about the
// server was read in the source of v5.4.9, internal/api and internal/middleware.
//
// Three facts of that protocol shape the package. The server works through a
// pipe in order and through a broadcast's channels in parallel, so what must stay
// in order travels in one pipe or in pipes sent one after the other. It
// goes on with a request that the client gave up on, so "no answer" never means
// "not published", and idempotency keys (remembered by the server for five
// minutes) make sending again harmless. And it checks neither the length nor the
// alphabet of a channel that is published to, so this package does.
package centrifugo
