package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// ownChannel checks that a connection brings its principal's own channel, and nothing besides.
func ownChannel(ctx context.Context, x *examination) verdict {
	c, err := x.join(ctx, nil)
	if err != nil {
		return socketTrouble(ctx, x.SocketURL, err)
	}
	defer c.close()
	var brought []string
	for channel := range c.state.Subs {
		brought = append(brought, channel)
	}
	slices.Sort(brought)
	return judgeOwnChannel(brought, x.own())
}

func judgeOwnChannel(brought []string, own string) verdict {
	namespace, _, _ := strings.Cut(own, ":")
	switch {
	case len(brought) == 0:
		return fail(
			"a connection does not bring its principal's own channel",
			fmt.Sprintf("switch %s on and set %s to %q", personalKey, personalNameKey, namespace),
		)
	case !slices.Contains(brought, own):
		return fail(
			fmt.Sprintf("a connection brings %s in place of %s", strings.Join(brought, ", "), own),
			fmt.Sprintf(
				"set %s to %q, and --channel-user to %s:#{tenant}.{principal}",
				personalNameKey,
				namespace,
				namespace,
			),
		)
	case len(brought) > 1:
		return warn(
			"a connection brings more than its principal's own channel: "+strings.Join(brought, ", "),
			"see what adds channels: a connect proxy of Centrifugo's?",
		)
	}
	return fine("a connection brings its principal's own channel")
}

// subscribing checks that no channel opens to a client without a token for it.
func subscribing(ctx context.Context, x *examination) verdict {
	other := somebody()
	var found []verdict
	for _, channel := range append(x.shared(), x.channels.User(x.who.tenant, other.id), x.channels.Tenant(other.tenant)) {
		opened, err := x.admits(ctx, channel)
		if err != nil {
			return socketTrouble(ctx, x.SocketURL, err)
		}
		if opened {
			namespace, _, _ := strings.Cut(channel, ":")
			found = append(
				found,
				fail(
					fmt.Sprintf("clients may subscribe to any channel of the namespace %s", namespace),
					"remove "+inNamespace(
						namespace,
						"allow_subscribe_for_client, allow_subscribe_for_anonymous and subscribe_proxy settings",
					)+
						", and switch "+insecureKey+" off",
				),
			)
		}
	}
	if len(found) > 0 {
		return worst(found)
	}
	return fine("no channel opens to a client without a token for it")
}

// admits tells whether a client gets into a channel without a token for it. The connection is its
// own, for Centrifugo may take the attempt for an attack and end it.
func (x *examination) admits(ctx context.Context, channel string) (bool, error) {
	c, err := x.join(ctx, nil)
	if err != nil {
		return false, err
	}
	defer c.close()
	_, err = c.subscribe(channel, "", nil)
	if err != nil && !refused(err) {
		return false, err
	}
	return err == nil, nil
}

// publishing checks that what clients hear can only come from Fanfare.
func publishing(ctx context.Context, x *examination) verdict {
	c, err := x.join(ctx, nil)
	if err != nil {
		return socketTrouble(ctx, x.SocketURL, err)
	}
	defer c.close()
	for _, channel := range x.shared() {
		if _, err := x.subscribe(c, channel, nil); err != nil {
			return socketTrouble(ctx, x.SocketURL, err)
		}
	}
	var found []verdict
	for _, channel := range append(x.shared(), x.own()) {
		switch err := c.publish(channel, probe{"publishing"}); {
		case err == nil:
			namespace, _, _ := strings.Cut(channel, ":")
			found = append(
				found,
				fail(
					fmt.Sprintf("clients may publish to the namespace %s, and so forge activities", namespace),
					"remove "+inNamespace(
						namespace,
						"allow_publish_for_client, allow_publish_for_subscriber and allow_publish_for_anonymous",
					)+
						", and switch "+insecureKey+" off",
				),
			)
		case !refused(err):
			return socketTrouble(ctx, x.SocketURL, err)
		}
	}
	if len(found) > 0 {
		return worst(found)
	}
	return fine("no client may publish")
}
