package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// missed is the number of messages that a client must be able to recover.
const missed = 10

// checkRecovery disconnects a client, publishes messages, and reconnects the client to recover
// them.
func checkRecovery(ctx context.Context, x *examination) finding {
	before, err := x.resubscribe(ctx, nil)
	if err != nil {
		return socketFailure(ctx, x.SocketURL, err)
	}
	if f := evaluateRecoverable(before); f.status != OK {
		return f
	}
	for range missed {
		if err := x.send(ctx, probe{"recovery"}, newKey(), slices.Collect(maps.Keys(before))...); err != nil {
			return failure(
				"Centrifugo does not accept a publication: "+err.Error(),
				"read Centrifugo's log, and check the state of its broker",
			)
		}
	}
	after, err := x.resubscribe(ctx, before)
	if err != nil {
		return socketFailure(ctx, x.SocketURL, err)
	}
	return evaluateRecovered(after)
}

// resubscribe connects and subscribes to a channel of each kind. It recovers from the state of
// previous, unless that is nil, and returns the new state by channel.
func (x *examination) resubscribe(ctx context.Context, previous map[string]subscription) (
	map[string]subscription, error,
) {
	own := map[string]subscription{}
	if s, ok := previous[x.own()]; ok {
		own[x.own()] = s
	}
	c, err := x.join(ctx, own)
	if err != nil {
		return nil, err
	}
	defer c.close()
	now := maps.Clone(c.state.Subs)
	if now == nil {
		now = map[string]subscription{}
	}
	for _, channel := range x.shared() {
		var from *subscription
		if s, ok := previous[channel]; ok {
			from = &s
		}
		if now[channel], err = x.subscribe(c, channel, from); err != nil {
			return nil, err
		}
	}
	return now, nil
}

func evaluateRecoverable(channels map[string]subscription) finding {
	var found []finding
	for _, channel := range slices.Sorted(maps.Keys(channels)) {
		if !channels[channel].Recoverable {
			namespace, _, _ := strings.Cut(channel, ":")
			found = append(found, failure(
				fmt.Sprintf("a client that reconnects misses the messages sent meanwhile on %s channels", namespace),
				"enable "+inNamespace(namespace, "force_recovery"),
			))
		}
	}
	if len(found) > 0 {
		return combine(found)
	}
	return passed("channels are recoverable")
}

func evaluateRecovered(channels map[string]subscription) finding {
	var found []finding
	for _, channel := range slices.Sorted(maps.Keys(channels)) {
		if s := channels[channel]; !s.Recovered || len(s.Publications) != missed {
			namespace, _, _ := strings.Cut(channel, ":")
			found = append(found, warning(
				fmt.Sprintf("the history of %s channels does not keep %d messages", namespace, missed),
				"raise "+inNamespace(namespace, "history_size and history_ttl"),
			))
		}
	}
	if len(found) > 0 {
		return combine(found)
	}
	return passed("a client that missed %d messages recovered them on reconnecting, on each kind of channel", missed)
}
