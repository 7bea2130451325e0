package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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

// sameGRPCKey is the remedy for an API by gRPC that has no key, or another one.
const sameGRPCKey = "set " + grpcKey + " to the key of " + apiKey

func (x *examination) checkGRPCAddress(ctx context.Context, address string) finding {
	nodes, err := centrifugo.NodesByGRPC(ctx, address, x.API)
	if failed, ok := errors.AsType[*centrifugo.Error](err); ok {
		remedy := "set " + grpcEnabled + " and " + grpcKey + ", or correct the address in --centrifugo-api-url"
		if failed.Status == http.StatusUnauthorized || failed.Status == http.StatusForbidden {
			remedy = sameGRPCKey
		}
		return warning(failed.Error()+"; publications go to the other addresses", remedy)
	}
	if !centrifugo.ShareNode(nodes, x.nodes[0].info.nodes) {
		return warning(
			fmt.Sprintf("Centrifugo at %s and Centrifugo at %s do not know each other; publications go to the latter",
				address, centrifugo.RedactedURL(x.nodes[0].options.APIURL)),
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
				sameGRPCKey,
			)
		}
	}
	return passed("Centrifugo accepts publications by gRPC at %s", strings.TrimSpace(address))
}
