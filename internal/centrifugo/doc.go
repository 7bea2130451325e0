// Package centrifugo publishes to a Centrifugo server: it names channels, sends broadcasts in batch
// requests by gRPC or HTTP, and reports of each channel whether it accepted the publication and, if
// not, whether another attempt can help. It also signs the tokens of clients.
//
// It serves Centrifugo v5 and v6, and authenticates with the header "Authorization: apikey <key>",
// by gRPC too. Its statements about the server come from the source of v5.4.9 and v6.9.1,
// internal/api and internal/middleware.
//
// The messages of gRPC are encoded field by field, with the numbers of Centrifugo's api.proto, and
// travel over the HTTP/2 of net/http. Requests need three of its messages, so that code that is
// generated for all of them, and a library for gRPC, would bring much and cost more for each
// broadcast.
//
// Three properties of the server shape the package:
//
//   - The server processes a request's broadcasts in order, and the channels of one broadcast in
//     parallel. Publications that must keep their order travel in one request, or in requests that
//     are sent one after the other.
//   - The server continues a request that the client has given up. "No response" therefore never
//     means "not published"; the idempotency keys, which the server remembers for five minutes,
//     make another attempt harmless.
//   - The server checks neither the length nor the characters of a channel that is published to.
//     This package does.
package centrifugo
