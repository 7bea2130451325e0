package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

// checkGRPC checks each address by gRPC: that Centrifugo accepts the API key there, that it
// requires one, and that it is the same Centrifugo as by HTTP.
func checkGRPC(ctx context.Context, x *examination) finding {
	var found []finding
	for _, address := range centrifugo.SplitURLs(x.API.APIURL) {
		if centrifugo.IsGRPC(address) {
			found = append(found, x.checkGRPCAddress(ctx, address))
		}
	}
	if len(found) == 0 {
		return passed("publications go by HTTP; a grpc:// address in --centrifugo-api-url costs Centrifugo less")
	}
	return combine(found)
}

func (x *examination) checkGRPCAddress(ctx context.Context, address string) finding {
	nodes, err := centrifugo.NodesByGRPC(ctx, address, x.API)
	if failed, ok := errors.AsType[*centrifugo.Error](err); ok {
		if failed.Status == http.StatusUnauthorized || failed.Status == http.StatusForbidden {
			return warning(failed.Error()+"; publications go to the other addresses",
				"set "+grpcKey+" to the key of http_api.key (v5: api_key)")
		}
		return warning(failed.Error()+"; publications go to the other addresses",
			"set "+grpcKey+" in Centrifugo's configuration, or correct the address in --centrifugo-api-url")
	}
	known := x.nodes[0].info.nodes
	if !slices.ContainsFunc(nodes, func(id string) bool { return slices.Contains(known, id) }) {
		return warning(
			fmt.Sprintf("Centrifugo at %s and Centrifugo at %s do not know each other; publications go to the latter",
				address, redactedURL(x.nodes[0].options.APIURL)),
			"correct --centrifugo-api-url, or connect the nodes by one broker",
		)
	}
	if x.API.APIKey != "" {
		open := x.API
		open.APIKey = ""
		if _, err := centrifugo.NodesByGRPC(ctx, address, open); err == nil {
			return failure(
				fmt.Sprintf("Centrifugo at %s accepts requests without an API key: "+
					"every program that reaches it can publish", address),
				"set grpc_api.key (v5: grpc_api_key) to the key of http_api.key (v5: api_key)",
			)
		}
	}
	return passed("Centrifugo accepts publications by gRPC at %s", strings.TrimSpace(address))
}
