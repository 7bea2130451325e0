package centrifugo

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/centrifugal/gocent/v3"

	"github.com/fanfarehq/fanfare/internal/wait"
)

// call is one call of Publish.
type call struct {
	client  *Client
	results []Result              // each written by one queue only
	down    atomic.Pointer[Error] // set once the server is unavailable
}

// retries are the waits before the further attempts of channels that failed with a Transient error.
// They are short, since the caller holds a transaction meanwhile and has a back-off of its own.
var retries = [...]time.Duration{20 * time.Millisecond, 100 * time.Millisecond}

// deliver sends commands in one request and records the result of each channel. It halves a request
// that the server rejects as a whole until the culprit is alone.
func (c *call) deliver(ctx context.Context, commands []command, attempt int) {
	replies, err := c.send(ctx, commands)
	if err == nil {
		c.settle(ctx, commands, replies, attempt)
		return
	}
	if err.Class == Permanent && len(commands) > 1 {
		half := len(commands) / 2
		c.deliver(ctx, commands[:half], attempt)
		c.deliver(ctx, commands[half:], attempt)
		return
	}
	switch {
	case err.Class == Permanent && !json.Valid(commands[0].data):
		err = classify(c.client.address, errNotJSON)
	case err.Class == Permanent && err.Status != 0:
		err = c.client.confirm(ctx, err)
	}
	if err.Class == Unavailable {
		c.down.Store(err)
	}
	for _, cmd := range commands {
		c.fail(cmd.broadcast, err, cmd.channels...)
	}
}

// confirm checks that a server which rejects a single command is Centrifugo: a web server answers
// every plain-text request on its TLS port with status 400, and that must not make one message
// after the other permanently undeliverable. The message is at fault only if the server accepts a
// command that is known to be valid.
func (c *Client) confirm(ctx context.Context, err *Error) *Error {
	if c.Ping(ctx) == nil {
		return err
	}
	unavailable := *err
	unavailable.Class = Unavailable
	return &unavailable
}

// settle reads the replies to commands, delivers again to the channels that may still accept, and
// fails the others.
func (c *call) settle(ctx context.Context, commands []command, replies []gocent.Reply, attempt int) {
	if replies == nil {
		return
	}
	var again []command
	for i, cmd := range commands {
		errs := c.client.read(cmd, replies[i])
		if errs == nil {
			continue
		}
		var open []string
		for j, err := range errs {
			switch {
			case err == nil:
			case err.Class == Transient && attempt < len(retries):
				open = append(open, cmd.channels[j])
			default:
				c.fail(cmd.broadcast, err, cmd.channels[j])
			}
		}
		if open != nil {
			cmd.channels = open
			again = append(again, cmd)
		}
	}
	if again == nil {
		return
	}
	pause := retries[attempt]
	_ = wait.Sleep(ctx, pause*3/4+rand.N(pause/2)) // a context that has ended fails the next request
	c.deliver(ctx, again, attempt+1)
}

// fail records err for channels of one broadcast.
func (c *call) fail(broadcast int, err *Error, channels ...string) {
	r := &c.results[broadcast]
	r.Failed = append(r.Failed, channels...)
	if was, ok := r.Err.(*Error); !ok || was.Class < err.Class {
		r.Err = err
	}
}

// send waits for a free slot and posts commands in one request, unless the server has become
// unavailable by then. It returns a reply for each command, or none if every channel accepted; the
// error holds for all of them.
func (c *call) send(ctx context.Context, commands []command) ([]gocent.Reply, *Error) {
	client := c.client
	if down := c.down.Load(); down != nil {
		return nil, down
	}
	select {
	case client.slots <- struct{}{}:
		defer func() { <-client.slots }()
	case <-ctx.Done():
		return nil, classify(client.address, ctx.Err())
	}
	if down := c.down.Load(); down != nil {
		return nil, down
	}
	replies, err := client.post(ctx, commands)
	if err != nil {
		return nil, classify(client.address, err)
	}
	return replies, nil
}

// read returns an error, or nil, for each channel of a command.
func (c *Client) read(cmd command, reply gocent.Reply) []*Error {
	errs := make([]*Error, len(cmd.channels))
	var result gocent.BroadcastResult
	malformed := reply.Error == nil &&
		(json.Unmarshal(reply.Result, &result) != nil || len(result.Responses) != len(cmd.channels))
	for i, name := range cmd.channels {
		switch {
		case reply.Error != nil:
			errs[i] = classifyReply(name, reply.Error)
		case malformed:
			errs[i] = classify(c.address, errMalformed)
		case result.Responses[i].Error != nil:
			errs[i] = classifyReply(name, result.Responses[i].Error)
		}
	}
	return errs
}
