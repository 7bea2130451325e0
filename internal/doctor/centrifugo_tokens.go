package doctor

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

// codeTokenExpired is Centrifugo's error code for an expired token.
const codeTokenExpired = 109

// checkToken checks that Centrifugo accepts Fanfare's tokens, for connections and for
// subscriptions.
func checkToken(ctx context.Context, x *examination) finding {
	if x.tokens == nil {
		return skipped(
			"skipped, as are all checks that connect as a client: the token secret is not set",
			"set FANFARE_CENTRIFUGO_TOKEN_SECRET or --centrifugo-token-secret-file",
		)
	}
	c, err := x.join(ctx, nil)
	if err != nil {
		return connectFailure(ctx, x, err)
	}
	defer c.close()
	// Centrifugo may be configured with another secret for subscription tokens.
	for _, channel := range x.shared() {
		if _, err := x.subscribe(c, channel, nil); err != nil {
			if !isRejection(err) {
				return socketFailure(ctx, x.SocketURL, err)
			}
			return failure(
				fmt.Sprintf("Centrifugo accepts the tokens of connections and rejects those of subscriptions: %v", err),
				"disable "+subscriptionKey+": Fanfare signs both with one secret",
			)
		}
	}
	if !c.state.Expires {
		return warning(
			"connections outlive their tokens",
			"upgrade Centrifugo, or remove the refresh proxy from its configuration",
		)
	}
	return passed("Centrifugo accepts the tokens of connections and subscriptions")
}

// connectFailure returns the finding on an error of connecting with a valid token.
func connectFailure(ctx context.Context, x *examination, err error) finding {
	var reply *replyError
	switch {
	case errors.As(err, &reply) && reply.Code == codeTokenExpired:
		return failure(
			"Centrifugo treats a new token as expired",
			"synchronize the clocks of both machines by NTP",
		)
	case isRejection(err):
		return failure(
			fmt.Sprintf("Centrifugo rejects the token: %v", err),
			"set FANFARE_CENTRIFUGO_TOKEN_SECRET (or --centrifugo-token-secret-file) to Centrifugo's "+secretKey,
		)
	}
	return socketFailure(ctx, x.SocketURL, err)
}

// badToken is a token that Centrifugo must reject.
type badToken struct {
	description, token, remedy string
}

// checkBadTokens checks that clients cannot connect without a valid token.
func checkBadTokens(ctx context.Context, x *examination) finding {
	all, err := x.badTokens()
	if err != nil {
		return failure(err.Error(), "correct the settings of tokens")
	}
	var found []finding
	for _, bad := range all {
		c, err := x.joinWith(ctx, bad.token, nil)
		switch {
		case err == nil:
			c.close()
			found = append(found, failure("clients can connect "+bad.description, bad.remedy))
		case !isRejection(err):
			return socketFailure(ctx, x.SocketURL, err)
		}
	}
	if len(found) > 0 {
		return combine(found)
	}
	return passed("clients cannot connect without a token, with an expired one, or with one of another secret")
}

func (x *examination) badTokens() ([]badToken, error) {
	options := x.Tokens
	options.Secret = rand.Text() + rand.Text()
	forging, err := centrifugo.NewTokens(options)
	if err != nil {
		return nil, err
	}
	options.Secret = x.Tokens.Secret
	options.Now = func() time.Time { return time.Now().Add(-25 * time.Hour) }
	past, err := centrifugo.NewTokens(options)
	if err != nil {
		return nil, err
	}
	forged, _ := forging.Connection(x.principal)
	expired, _ := past.Connection(x.principal)
	return []badToken{
		{"with a token of another secret", forged, "disable " + unverifiedKey + " and " + insecureKey},
		{"with an expired token", expired, "disable " + insecureKey},
		{"without a token", "", "disable " + anonymousKey + " and " + insecureKey},
	}, nil
}
