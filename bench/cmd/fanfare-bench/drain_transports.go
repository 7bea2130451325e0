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

// measured returns the variants to measure in a round: each that publishes once for each transport.
func (o *drainOptions) measured() []string {
	var all []string
	for _, variant := range o.variants {
		if variant != publishOnly && variant != everything {
			all = append(all, variant)
			continue
		}
		for _, transport := range o.transports {
			if transport == overHTTP {
				all = append(all, variant+byHTTP)
			} else {
				all = append(all, variant)
			}
		}
	}
	return all
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
