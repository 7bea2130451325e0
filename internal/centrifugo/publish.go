package centrifugo

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// Broadcast is one message for a list of channels.
type Broadcast struct {
	// Order, unless it is zero, keeps this broadcast behind those of the same Order
	// that stand before it in the same call.
	Order [16]byte
	// Channels get the message. None is no error: there is nothing to do.
	Channels []string
	// Data is the payload, a JSON value. Clients get an equal one, without white
	// space between tokens and with "<", ">" and "&" escaped.
	Data []byte
	// IdempotencyKey makes Centrifugo drop a repetition on the same channel within
	// five minutes. Without one, sending again after a lost answer tells twice.
	IdempotencyKey string
}

// Result is what became of one broadcast.
type Result struct {
	// Err is nil when every channel accepted the message, and an *[Error] otherwise.
	// When channels failed for different reasons, it is of the class that gives the
	// most hope: Unavailable before Transient before Permanent.
	Err error
	// Failed names the channels that are not known to have accepted the message.
	Failed []string
}

// Publish sends the broadcasts and returns when each is answered for: result i
// belongs to broadcast i. It never modifies or keeps what it is given.
//
// Broadcasts of the same Order reach Centrifugo in the order given. A single
// channel that fails for a passing reason is tried twice again, briefly, and may
// then see its message after later ones from the same call. When the server turns
// out to be unavailable, what has not been sent is not tried. Cancelling ctx
// makes what is still open Unavailable.
//
// One broadcast travels within one request at a time. A very wide audience is
// sent faster as several broadcasts of about AudienceSize channels and no Order.
func (c *Client) Publish(ctx context.Context, broadcasts []Broadcast) []Result {
	call := &call{client: c, results: make([]Result, len(broadcasts))}
	strands := call.plan(broadcasts)
	var wg sync.WaitGroup
	for _, s := range strands {
		wg.Go(func() {
			for _, pipe := range c.opts.pipes(s.commands) {
				call.deliver(ctx, pipe, 0)
			}
		})
	}
	wg.Wait()
	return call.results
}

// A command is a broadcast, or a part of its audience, as it is sent.
type command struct {
	broadcast int // index in the call
	channels  []string
	data      []byte
	key       string
}

// bytes is about what the command takes in a request.
func (c command) bytes() int {
	n := len(c.data) + 128
	for _, name := range c.channels {
		n += len(name) + 3
	}
	return n
}

// A strand is a list of commands whose pipes are sent one after the other.
type strand struct {
	commands []command
	bytes    int
}

// plan vets the broadcasts, cuts them into commands and spreads those over
// strands. All of one Order share a strand, in the order given, so no two
// strands touch the same result.
func (c *call) plan(broadcasts []Broadcast) []strand {
	o := c.client.opts
	strands := make([]strand, o.strandsFor(broadcasts))
	if len(strands) == 0 {
		return nil
	}
	homes := make(map[[16]byte]*strand, len(broadcasts))
	for i, b := range broadcasts {
		channels := c.vet(i, b)
		if len(channels) == 0 {
			continue
		}
		home := homes[b.Order]
		if home == nil || b.Order == [16]byte{} {
			home = lightest(strands)
			homes[b.Order] = home
		}
		for len(channels) > 0 {
			n := min(len(channels), o.AudienceSize)
			cmd := command{broadcast: i, channels: channels[:n], data: b.Data, key: b.IdempotencyKey}
			home.commands = append(home.commands, cmd)
			home.bytes += cmd.bytes()
			channels = channels[n:]
		}
	}
	return strands
}

// strandsFor returns how many strands give full pipes and no more of them at
// once than may be in flight.
func (o Options) strandsFor(broadcasts []Broadcast) int {
	commands, bytes := 0, 0
	for _, b := range broadcasts {
		n := ceilDiv(len(b.Channels), o.AudienceSize)
		commands += n
		bytes += n * len(b.Data)
	}
	return min(o.MaxInFlight, max(ceilDiv(commands, o.PipeSize), ceilDiv(bytes, o.MaxPipeBytes)))
}

// pipes cuts a strand into requests of about equal length within the limits.
func (o Options) pipes(commands []command) [][]command {
	if len(commands) == 0 {
		return nil
	}
	size := ceilDiv(len(commands), ceilDiv(len(commands), o.PipeSize))
	var pipes [][]command
	start, bytes := 0, 0
	for i, cmd := range commands {
		n := cmd.bytes()
		if i > start && (i-start == size || bytes+n > o.MaxPipeBytes) {
			pipes = append(pipes, commands[start:i])
			start, bytes = i, 0
		}
		bytes += n
	}
	return append(pipes, commands[start:])
}

// vet fails what can never be sent and returns the channels that remain.
func (c *call) vet(i int, b Broadcast) []string {
	if len(b.Channels) == 0 {
		return nil
	}
	if limit := c.client.opts.MaxMessageBytes; len(b.Data) == 0 || len(b.Data) > limit {
		reason := "the payload is empty"
		if len(b.Data) > 0 {
			reason = fmt.Sprintf("the payload is too large: %d bytes, %d are allowed", len(b.Data), limit)
		}
		c.fail(i, &Error{Class: Permanent, reason: reason}, b.Channels...)
		return nil
	}
	if !slices.ContainsFunc(b.Channels, unfit) {
		return b.Channels
	}
	var good []string
	for _, name := range b.Channels {
		if rule := channelRule(name); rule != "" {
			c.fail(i, &Error{Class: Permanent, Channel: name, reason: rule}, name)
		} else {
			good = append(good, name)
		}
	}
	return good
}

func unfit(channel string) bool { return channelRule(channel) != "" }

func lightest(strands []strand) *strand {
	best := &strands[0]
	for i := range strands {
		if strands[i].bytes < best.bytes {
			best = &strands[i]
		}
	}
	return best
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
