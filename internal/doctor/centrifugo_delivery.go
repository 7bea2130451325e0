package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// checkDelivery publishes a message twice to the principal's own channel, with one idempotency key,
// and counts how often it arrives before the message that follows it.
func checkDelivery(ctx context.Context, x *examination) finding {
	c, err := x.join(ctx, nil)
	if err != nil {
		return socketFailure(ctx, x.SocketURL, err)
	}
	defer c.close()
	key, start, timeout := newKey(), time.Now(), x.Timeout/8
	for _, message := range []struct {
		probe probe
		key   string
	}{{probe{"delivery"}, key}, {probe{"delivery"}, key}, {probe{"end of delivery"}, newKey()}} {
		if err := x.send(ctx, message.probe, message.key, x.own()); err != nil {
			return failure(
				"Centrifugo does not accept a publication: "+err.Error(),
				"read Centrifugo's log, and check the state of its broker",
			)
		}
	}
	times, first, err := c.count(probe{"delivery"}, probe{"end of delivery"}, timeout)
	if err != nil && !isTimeout(err) {
		return socketFailure(ctx, x.SocketURL, err)
	}
	return evaluateDelivery(times, first.Sub(start), timeout)
}

// count receives messages until end arrives or the timeout expires. It returns how often message
// arrived before that, and when it arrived first.
func (c *client) count(want, end probe, timeout time.Duration) (times int, first time.Time, err error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(timeout))
	for {
		message, err := c.receive()
		if err != nil {
			return times, first, err
		}
		var p probe
		if err := json.Unmarshal(message.Pub.Data, &p); err != nil {
			continue // not a probe
		}
		switch p {
		case want:
			if times++; times == 1 {
				first = time.Now()
			}
		case end:
			return times, first, nil
		}
	}
}

func evaluateDelivery(times int, took, timeout time.Duration) finding {
	switch times {
	case 0:
		return failure(
			fmt.Sprintf("a publication that the API accepted did not arrive at the WebSocket within %s", timeout),
			"point --centrifugo-api-url and --centrifugo-ws-url to the same Centrifugo; "+
				"several nodes must share one broker: "+engineKey+" redis",
		)
	case 1:
		return passed("a message was published twice and received once, after %s", took.Round(100*time.Microsecond))
	}
	return warning(
		fmt.Sprintf("a message that was published twice with one idempotency key arrived %d times", times),
		"check Centrifugo's engine; several nodes must share one broker: "+engineKey+" redis",
	)
}
