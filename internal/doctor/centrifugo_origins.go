package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// stranger is a page that nobody can have allowed by name (RFC 2606).
const stranger = "https://fanfare-doctor.invalid"

// origins checks from which pages a browser may connect.
func origins(ctx context.Context, x *examination) verdict {
	var shut []string
	for _, origin := range x.Origins {
		open, err := welcomes(ctx, x.SocketURL, origin)
		if err != nil {
			return socketTrouble(ctx, x.SocketURL, err)
		}
		if !open {
			shut = append(shut, origin)
		}
	}
	anyone, err := welcomes(ctx, x.SocketURL, stranger)
	if err != nil {
		return socketTrouble(ctx, x.SocketURL, err)
	}
	return judgeOrigins(x.Origins, shut, anyone)
}

// welcomes tells whether the server opens a WebSocket to a page of this origin.
func welcomes(ctx context.Context, address, origin string) (bool, error) {
	s, err := dial(ctx, address, origin)
	var answered *handshakeError
	switch {
	case errors.As(err, &answered) && answered.status == http.StatusForbidden:
		return false, nil
	case err != nil:
		return false, err
	}
	s.close()
	return true, nil
}

func judgeOrigins(asked, shut []string, anyone bool) verdict {
	switch {
	case len(shut) > 0:
		return fail("browsers cannot connect from "+strings.Join(shut, ", "), "add it to "+originsKey)
	case anyone:
		return warn(
			"browsers may connect from any page",
			fmt.Sprintf("name the pages of your application in %s", originsKey),
		)
	case len(asked) > 0:
		return fine("browsers may connect from %s, and not from any page", strings.Join(asked, ", "))
	}
	return fine(
		"browsers may connect only from the pages that %s names; --origin https://app.example tells whether yours is among them",
		originsKey,
	)
}
