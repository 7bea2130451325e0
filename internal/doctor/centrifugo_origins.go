package doctor

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// foreignOrigin is an origin that no configuration lists: its domain is reserved (RFC 2606).
const foreignOrigin = "https://fanfare-doctor.invalid"

// checkOrigins checks from which web origins browsers can connect.
func checkOrigins(ctx context.Context, x *examination) finding {
	var rejected []string
	for _, origin := range x.Origins {
		accepted, err := acceptsOrigin(ctx, x.SocketURL, origin)
		if err != nil {
			return socketFailure(ctx, x.SocketURL, err)
		}
		if !accepted {
			rejected = append(rejected, origin)
		}
	}
	acceptsAny, err := acceptsOrigin(ctx, x.SocketURL, foreignOrigin)
	if err != nil {
		return socketFailure(ctx, x.SocketURL, err)
	}
	return evaluateOrigins(x.Origins, rejected, acceptsAny)
}

// acceptsOrigin reports whether the server accepts a WebSocket from a page of an origin.
func acceptsOrigin(ctx context.Context, address, origin string) (bool, error) {
	s, err := dial(ctx, address, origin)
	var handshake *handshakeError
	switch {
	case errors.As(err, &handshake) && handshake.status == http.StatusForbidden:
		return false, nil
	case err != nil:
		return false, err
	}
	s.close()
	return true, nil
}

// evaluateOrigins takes the required origins, those of them that Centrifugo rejects, and whether it
// accepts any origin.
func evaluateOrigins(required, rejected []string, acceptsAny bool) finding {
	switch {
	case len(rejected) > 0:
		return failure("browsers cannot connect from "+strings.Join(rejected, ", "), "add the origin to "+originsKey)
	case acceptsAny:
		return warning("browsers can connect from any origin", "list the origins of your application in "+originsKey)
	case len(required) > 0:
		return passed("browsers can connect from %s, and not from any origin", strings.Join(required, ", "))
	}
	return passed("browsers can connect from the origins in %s only; to check one, add --origin https://app.example",
		originsKey)
}
