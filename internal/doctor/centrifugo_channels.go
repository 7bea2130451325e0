package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// checkOwnChannel checks that Centrifugo subscribes a connection to its principal's own channel,
// and to no other.
func checkOwnChannel(ctx context.Context, x *examination) finding {
	c, err := x.join(ctx, nil)
	if err != nil {
		return socketFailure(ctx, x.SocketURL, err)
	}
	defer c.close()
	return evaluateOwnChannel(slices.Sorted(maps.Keys(c.state.Subs)), x.own())
}

// evaluateOwnChannel compares the channels of a new connection with the principal's own channel.
func evaluateOwnChannel(subscribed []string, own string) finding {
	namespace, _, _ := strings.Cut(own, ":")
	switch {
	case len(subscribed) == 0:
		return failure(
			"Centrifugo does not subscribe a connection to its principal's own channel",
			fmt.Sprintf("enable %s and set %s to %q", personalKey, personalNameKey, namespace),
		)
	case !slices.Contains(subscribed, own):
		return failure(
			fmt.Sprintf("Centrifugo subscribes a connection to %s instead of %s", strings.Join(subscribed, ", "), own),
			fmt.Sprintf("set %s to %q, and --channel-user to %s:#{tenant}.{principal}",
				personalNameKey, namespace, namespace),
		)
	case len(subscribed) > 1:
		return warning(
			"Centrifugo subscribes a connection to more than its principal's own channel: "+strings.Join(
				subscribed, ", ",
			),
			"find out what adds channels, such as a connect proxy of Centrifugo",
		)
	}
	return passed("Centrifugo subscribes a connection to its principal's own channel")
}

// checkSubscribing checks that clients cannot subscribe to a channel without a subscription token.
func checkSubscribing(ctx context.Context, x *examination) finding {
	colleague, other := randomPrincipal(), randomPrincipal()
	colleague.TenantID = x.principal.TenantID
	foreign := []string{x.channels.User(colleague), x.channels.Tenant(other.TenantID)}
	var found []finding
	for _, channel := range append(x.shared(), foreign...) {
		subscribed, err := x.canSubscribe(ctx, channel)
		if err != nil {
			return socketFailure(ctx, x.SocketURL, err)
		}
		if subscribed {
			const options = "allow_subscribe_for_client, allow_subscribe_for_anonymous and subscribe_proxy settings"
			namespace, _, _ := strings.Cut(channel, ":")
			found = append(found, failure(
				fmt.Sprintf("clients can subscribe to any channel of the namespace %s without a token", namespace),
				"remove "+inNamespace(namespace, options)+", and disable "+insecureKey,
			))
		}
	}
	if len(found) > 0 {
		return combine(found)
	}
	return passed("clients cannot subscribe to a channel without a token for it")
}

// canSubscribe reports whether a client can subscribe to a channel without a token for it. It uses
// a connection of its own, because Centrifugo may disconnect a client for the attempt.
func (x *examination) canSubscribe(ctx context.Context, channel string) (bool, error) {
	c, err := x.join(ctx, nil)
	if err != nil {
		return false, err
	}
	defer c.close()
	_, err = c.subscribe(channel, "", nil)
	if err != nil && !isRejection(err) {
		return false, err
	}
	return err == nil, nil
}

// checkPublishing checks that clients cannot publish.
func checkPublishing(ctx context.Context, x *examination) finding {
	c, err := x.join(ctx, nil)
	if err != nil {
		return socketFailure(ctx, x.SocketURL, err)
	}
	defer c.close()
	for _, channel := range x.shared() {
		if _, err := x.subscribe(c, channel, nil); err != nil {
			return socketFailure(ctx, x.SocketURL, err)
		}
	}
	var found []finding
	for _, channel := range append(x.shared(), x.own()) {
		switch err := c.publish(channel, probe{"publishing"}); {
		case err == nil:
			namespace, _, _ := strings.Cut(channel, ":")
			const options = "allow_publish_for_client, allow_publish_for_subscriber and allow_publish_for_anonymous"
			found = append(found, failure(
				fmt.Sprintf("clients can publish to the namespace %s, and so forge activities", namespace),
				"remove "+inNamespace(namespace, options)+", and disable "+insecureKey,
			))
		case !isRejection(err):
			return socketFailure(ctx, x.SocketURL, err)
		}
	}
	if len(found) > 0 {
		return combine(found)
	}
	return passed("clients cannot publish")
}
