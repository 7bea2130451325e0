package centrifugo

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/fanfarehq/fanfare/internal/jsontext"
)

// Broadcast is one message for a list of channels.
type Broadcast struct {
	// Order keeps the order of the broadcasts of one call that share it. The zero value is not
	// shared.
	Order [16]byte
	// Channels receive the message. An empty list is not an error.
	Channels []string
	// Data is the payload, a JSON value. Clients receive an equal value; if it was sent by HTTP,
	// without white space between tokens and with "<", ">" and "&" escaped.
	Data []byte
	// IdempotencyKey makes Centrifugo drop a repetition on the same channel within five minutes.
	// Without it, an attempt after a lost response publishes twice.
	IdempotencyKey string
}

// Result is the result of one broadcast.
type Result struct {
	// Err is nil if every channel accepted the message, and an *[Error] otherwise. If channels
	// failed for different reasons, it has the class that promises most of another attempt:
	// Unavailable before Transient before Permanent.
	Err error
	// Failed lists the channels that are not known to have accepted the message.
	Failed []string
}

// Publish sends the broadcasts and returns once each has a result: result i belongs to broadcast i.
// It neither modifies nor keeps its arguments, and leaves no goroutine behind.
//
// Broadcasts of the same Order reach Centrifugo in the given order. Publish attempts a channel that
// fails with a Transient error twice more, shortly after; its message may then follow later ones of
// the same call. Once the server is unavailable, or too slow for a request, Publish does not
// attempt the remaining broadcasts; what the server has answered counts.
// When ctx ends, the pending ones are Unavailable.
//
// The first call may take a second more, to find out whether publications go by gRPC: see
// [Client.Route].
//
// A broadcast is part of one request at a time. A very wide audience is published faster as several
// broadcasts of about AudienceSize channels without an Order.
func (c *Client) Publish(ctx context.Context, broadcasts []Broadcast) []Result {
	c.ensureRoute(ctx)
	call := &call{
		client: c, results: make([]Result, len(broadcasts)),
		limit: c.limitPublications(), nodes: len(c.publishing().members()),
	}
	var wg sync.WaitGroup
	for i, q := range call.plan(broadcasts) {
		wg.Go(func() {
			for _, pipe := range c.opts.pipes(q.commands, call.limit) {
				call.deliverPipe(ctx, i, pipe)
			}
		})
	}
	wg.Wait()
	return call.results
}

// deliverPipe delivers commands of a queue in one request. A panic fails them: it must not end the
// process from a goroutine that no caller can recover.
func (c *call) deliverPipe(ctx context.Context, queue int, commands []command) {
	defer func() {
		if p := recover(); p != nil {
			c.failPanicked(commands, fmt.Sprintf("publishing panicked: %v\n%s", p, debug.Stack()))
		}
	}()
	c.deliver(ctx, queue, commands, 0)
}

// failPanicked fails the channels of commands that have not failed yet. The error is Transient: the
// caller attempts each broadcast again a limited number of times.
func (c *call) failPanicked(commands []command, reason string) {
	for _, cmd := range commands {
		failed := c.results[cmd.broadcast].Failed
		for _, name := range cmd.channels {
			if !slices.Contains(failed, name) {
				c.fail(cmd.broadcast, &Error{Class: Transient, reason: reason}, name)
			}
		}
	}
}

// command is a broadcast to its channels, or to a chunk of them.
type command struct {
	broadcast int // index in the call
	channels  []string
	data      []byte
	key       string
}

// bytes returns the approximate size of the command in a request.
func (c command) bytes() int {
	n := len(c.data) + 128
	for _, name := range c.channels {
		n += len(name) + 3
	}
	return n
}

// queue is a list of commands whose requests are sent one after the other. The queues of a call are
// spread over the nodes of Centrifugo.
type queue struct {
	commands []command
	bytes    int
}

// plan validates the broadcasts, cuts them into commands and distributes these over queues. The
// commands of one Order, and those of one broadcast, share a queue, in order; so no two queues
// write to the same result.
func (c *call) plan(broadcasts []Broadcast) []queue {
	o := c.client.opts
	audience := o.AudienceSize
	if c.limit > 0 {
		audience = min(audience, c.limit)
	}
	queues := make([]queue, o.queueCount(broadcasts, c.limit, c.nodes))
	if len(queues) == 0 {
		return nil
	}
	byOrder := make(map[[16]byte]*queue, len(broadcasts))
	for i, b := range broadcasts {
		channels := c.validate(i, b)
		if len(channels) == 0 {
			continue
		}
		q := byOrder[b.Order]
		if q == nil || b.Order == [16]byte{} {
			q = shortest(queues)
			byOrder[b.Order] = q
		}
		for len(channels) > 0 {
			n := min(len(channels), audience)
			cmd := command{broadcast: i, channels: channels[:n], data: b.Data, key: b.IdempotencyKey}
			q.commands = append(q.commands, cmd)
			q.bytes += cmd.bytes()
			channels = channels[n:]
		}
	}
	return queues
}

// queueCount returns the number of queues that fill their requests, up to MaxInFlight; for wide
// audiences, one for each of the nodes that they are spread over. A limit of 0 does not limit the
// publications in a request.
func (o Options) queueCount(broadcasts []Broadcast, limit, nodes int) int {
	commands, bytes, publications := 0, 0, 0
	for _, b := range broadcasts {
		publications += len(b.Channels)
		n := ceilDiv(len(b.Channels), o.AudienceSize)
		commands += n
		bytes += n * len(b.Data)
	}
	count := max(ceilDiv(commands, o.PipeSize), ceilDiv(bytes, o.MaxPipeBytes),
		min(nodes, ceilDiv(publications, o.AudienceSize)))
	if limit > 0 {
		count = max(count, ceilDiv(publications, limit))
	}
	return min(o.MaxInFlight, count)
}

// pipes cuts the commands of a queue into requests of about equal length within the limits.
func (o Options) pipes(commands []command, limit int) [][]command {
	if len(commands) == 0 {
		return nil
	}
	size := ceilDiv(len(commands), ceilDiv(len(commands), o.PipeSize))
	var pipes [][]command
	start, bytes, publications := 0, 0, 0
	for i, cmd := range commands {
		n := cmd.bytes()
		full := i-start == size || bytes+n > o.MaxPipeBytes || limit > 0 && publications+len(cmd.channels) > limit
		if i > start && full {
			pipes = append(pipes, commands[start:i])
			start, bytes, publications = i, 0, 0
		}
		bytes, publications = bytes+n, publications+len(cmd.channels)
	}
	return append(pipes, commands[start:])
}

// validate fails the channels of a broadcast that can never accept it, and returns the others.
func (c *call) validate(i int, b Broadcast) []string {
	if len(b.Channels) == 0 {
		return nil
	}
	if reason := c.client.payloadRule(b.Data); reason != "" {
		c.fail(i, &Error{Class: Permanent, reason: reason}, b.Channels...)
		return nil
	}
	if !slices.ContainsFunc(b.Channels, isInvalid) {
		return b.Channels
	}
	var valid []string
	for _, name := range b.Channels {
		if rule := channelRule(name); rule != "" {
			c.fail(i, &Error{Class: Permanent, Channel: name, reason: rule}, name)
		} else {
			valid = append(valid, name)
		}
	}
	return valid
}

// payloadRule returns the rule that a payload violates, or "". By HTTP, an invalid payload would
// change the request around it. By gRPC, Centrifugo does not validate it, and a client that
// receives it disconnects.
func (c *Client) payloadRule(data []byte) string {
	switch limit := c.opts.MaxMessageBytes; {
	case len(data) == 0:
		return "the payload is empty"
	case len(data) > limit:
		return fmt.Sprintf("the payload has %d bytes; the maximum is %d", len(data), limit)
	case !jsontext.Valid(data):
		return "the payload is not valid JSON"
	}
	return ""
}

func isInvalid(channel string) bool { return channelRule(channel) != "" }

func shortest(queues []queue) *queue {
	best := &queues[0]
	for i := range queues {
		if queues[i].bytes < best.bytes {
			best = &queues[i]
		}
	}
	return best
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
