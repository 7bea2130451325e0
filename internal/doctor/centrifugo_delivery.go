package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// delivery publishes a message twice to the made-up principal's own channel, and another one behind
// it, and listens.
func delivery(ctx context.Context, x *examination) verdict {
	c, err := x.join(ctx, nil)
	if err != nil {
		return socketTrouble(ctx, x.SocketURL, err)
	}
	defer c.close()
	key, began, arrival := newKey(), time.Now(), x.Timeout/8
	for _, message := range []struct {
		probe probe
		key   string
	}{{probe{"delivery"}, key}, {probe{"delivery"}, key}, {probe{"end of delivery"}, newKey()}} {
		if err := x.send(ctx, message.probe, message.key, x.own()); err != nil {
			return fail(
				"Centrifugo does not take a message: "+err.Error(),
				"see Centrifugo's log and the state of its broker",
			)
		}
	}
	times, first, err := c.count(probe{"delivery"}, probe{"end of delivery"}, arrival)
	if err != nil && !isLate(err) {
		return socketTrouble(ctx, x.SocketURL, err)
	}
	return judgeDelivery(times, first.Sub(began), arrival)
}

// count listens until it hears the end, or for as long as a message may take, and returns how often
// it heard the message before, and when it heard it first.
func (c *client) count(message, end probe, arrival time.Duration) (times int, first time.Time, err error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(arrival))
	for {
		heard, err := c.hear()
		if err != nil {
			return times, first, err
		}
		var p probe
		if err := json.Unmarshal(heard.Pub.Data, &p); err != nil {
			continue // it is not ours
		}
		switch p {
		case message:
			if times++; times == 1 {
				first = time.Now()
			}
		case end:
			return times, first, nil
		}
	}
}

func judgeDelivery(times int, took, arrival time.Duration) verdict {
	switch times {
	case 0:
		return fail(
			fmt.Sprintf("a message that the API took did not arrive at the socket within %s", arrival),
			"see that --centrifugo-api-url and --centrifugo-ws-url lead to the same Centrifugo, and that several share one broker: "+engineKey+" redis",
		)
	case 1:
		return fine("published twice, received once, after %s", took.Round(100*time.Microsecond))
	}
	return warn(fmt.Sprintf("a message that was published twice with one idempotency key arrived %d times", times),
		"see the engine of Centrifugo: several nodes must share one broker, "+engineKey+" redis")
}
