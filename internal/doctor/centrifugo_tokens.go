package doctor

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

// codeTokenExpired is Centrifugo's code for just that.
const codeTokenExpired = 109

// goodToken checks that Centrifugo and we sign with the same secret.
func goodToken(ctx context.Context, x *examination) verdict {
	if x.tokens == nil {
		return skipped("not checked, nor is anything that clients do: there is no token secret",
			"set FANFARE_CENTRIFUGO_TOKEN_SECRET or --centrifugo-token-secret-file")
	}
	c, err := x.join(ctx, nil)
	if err != nil {
		return judgeGoodToken(ctx, x, err)
	}
	defer c.close()
	// A subscription's token may have a secret of its own in Centrifugo.
	for _, channel := range x.shared() {
		if _, err := x.subscribe(c, channel, nil); err != nil {
			if !refused(err) {
				return socketTrouble(ctx, x.SocketURL, err)
			}
			return fail(fmt.Sprintf("Centrifugo takes our tokens for connections, but not for subscriptions: %v", err),
				"switch "+subscriptionKey+" off: both kinds are signed with one secret")
		}
	}
	if !c.state.Expires {
		return warn(
			"Centrifugo lets a connection outlive its token",
			"upgrade Centrifugo, or remove what refreshes connections in its place",
		)
	}
	return fine("Centrifugo takes our tokens for connections and subscriptions")
}

func judgeGoodToken(ctx context.Context, x *examination, err error) verdict {
	var reply *replyError
	switch {
	case errors.As(err, &reply) && reply.Code == codeTokenExpired:
		return fail(
			"Centrifugo takes a token that was made this moment for expired",
			"set the clocks of both machines by NTP",
		)
	case refused(err):
		return fail(fmt.Sprintf("Centrifugo refuses our token: %v", err),
			"set FANFARE_CENTRIFUGO_TOKEN_SECRET (or --centrifugo-token-secret-file) to Centrifugo's "+secretKey)
	}
	return socketTrouble(ctx, x.SocketURL, err)
}

// badToken is one that must open nothing.
type badToken struct {
	what, token, remedy string
}

// badTokens checks that nobody gets in without a token of ours that holds.
func badTokens(ctx context.Context, x *examination) verdict {
	all, err := x.badTokens()
	if err != nil {
		return fail(err.Error(), "see the settings of tokens")
	}
	var found []verdict
	for _, bad := range all {
		c, err := x.joinWith(ctx, bad.token, nil)
		switch {
		case err == nil:
			c.close()
			found = append(found, fail("Centrifugo lets a client in "+bad.what, bad.remedy))
		case !refused(err):
			return socketTrouble(ctx, x.SocketURL, err)
		}
	}
	if len(found) > 0 {
		return worst(found)
	}
	return fine("no client gets in without a token, with an expired one or with one of another secret")
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
	forged, _ := forging.Connection(x.who.tenant, x.who.id)
	expired, _ := past.Connection(x.who.tenant, x.who.id)
	return []badToken{
		{"with a token of another secret", forged, "switch " + unverifiedKey + " and " + insecureKey + " off"},
		{"with an expired token", expired, "switch " + insecureKey + " off"},
		{"without a token", "", "switch " + anonymousKey + " and " + insecureKey + " off"},
	}, nil
}
