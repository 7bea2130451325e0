package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// missed is how many messages a client must be able to miss without losing one.
const missed = 10

// recovery has a client leave, miss a few messages, and come back for them.
func recovery(ctx context.Context, x *examination) verdict {
	before, err := x.stand(ctx, nil)
	if err != nil {
		return socketTrouble(ctx, x.SocketURL, err)
	}
	if v := judgeRecoverable(before); v.status != OK {
		return v
	}
	for range missed {
		if err := x.send(ctx, probe{"recovery"}, newKey(), slices.Collect(maps.Keys(before))...); err != nil {
			return fail(
				"Centrifugo does not take a message: "+err.Error(),
				"see Centrifugo's log and the state of its broker",
			)
		}
	}
	after, err := x.stand(ctx, before)
	if err != nil {
		return socketTrouble(ctx, x.SocketURL, err)
	}
	return judgeRecovered(after)
}

// stand connects, subscribes to a channel of each kind, from where had stands if it is not nil, and
// returns where each stands now.
func (x *examination) stand(ctx context.Context, had map[string]subscription) (map[string]subscription, error) {
	own := map[string]subscription{}
	if s, ok := had[x.own()]; ok {
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
		if s, ok := had[channel]; ok {
			from = &s
		}
		if now[channel], err = x.subscribe(c, channel, from); err != nil {
			return nil, err
		}
	}
	return now, nil
}

func judgeRecoverable(channels map[string]subscription) verdict {
	var found []verdict
	for _, channel := range slices.Sorted(maps.Keys(channels)) {
		if !channels[channel].Recoverable {
			namespace, _, _ := strings.Cut(channel, ":")
			found = append(
				found,
				fail(fmt.Sprintf("a client that reconnects misses what was sent on %s channels meanwhile", namespace),
					"switch on "+inNamespace(namespace, "force_recovery")),
			)
		}
	}
	if len(found) > 0 {
		return worst(found)
	}
	return fine("channels are recoverable")
}

func judgeRecovered(channels map[string]subscription) verdict {
	var found []verdict
	for _, channel := range slices.Sorted(maps.Keys(channels)) {
		if s := channels[channel]; !s.Recovered || len(s.Publications) != missed {
			namespace, _, _ := strings.Cut(channel, ":")
			found = append(
				found,
				warn(fmt.Sprintf("the history of %s channels does not keep %d messages", namespace, missed),
					"raise "+inNamespace(namespace, "history_size and history_ttl")),
			)
		}
	}
	if len(found) > 0 {
		return worst(found)
	}
	return fine("a client that missed %d messages got them when it came back, on each kind of channel", missed)
}
