package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

// How a worker publishes. overHTTP is also what the names of variants end in that publish by HTTP.
const (
	overGRPC = "grpc"
	overHTTP = "http"
	byHTTP   = "+" + overHTTP
)

var transports = []string{overGRPC, overHTTP}

// overTransports returns the names of a variant that publishes by each of the transports.
func overTransports(variant string, by []string) (names []string) {
	for _, transport := range by {
		if transport == overHTTP {
			names = append(names, variant+byHTTP)
		} else {
			names = append(names, variant)
		}
	}
	return names
}

// connect connects the client, and checks that it publishes by the protocol that is measured.
func connect(ctx context.Context, client *centrifugo.Client, byHTTP bool) error {
	if found := client.Check(ctx); len(found) > 0 {
		return errors.New(found[0].String())
	}
	if route := client.Route(); (route.Protocol == "HTTP") != byHTTP {
		return fmt.Errorf("publications go by %s: %w", route.Protocol, route.Avoided)
	}
	return nil
}
