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

// A call is one call of Publish.
type call struct {
	client  *Client
	results []Result              // each touched by one strand only
	down    atomic.Pointer[Error] // set once the server has turned out unavailable
}

// retries are the waits before each further try of channels that failed for a
// passing reason. They are short: the caller holds a transaction meanwhile, and
// tries again on its own terms.
var retries = [...]time.Duration{20 * time.Millisecond, 100 * time.Millisecond}

// deliver sends commands as one request and records what became of each channel.
// A request refused as a whole is halved until the culprit stands alone.
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

// confirm doubts that a server which refuses a single command is Centrifugo at
// all: a web server answers 400 to everything when it is spoken to in plain text
// on its TLS port, and that must not condemn one message after the other. So
// the blame is the message's only if the server accepts a command known to be
// good.
func (c *Client) confirm(ctx context.Context, err *Error) *Error {
	if c.Ping(ctx) == nil {
		return err
	}
	doubted := *err
	doubted.Class = Unavailable
	return &doubted
}

// settle reads the replies to commands, tries those channels again that may
// still accept, and fails the others.
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

// send waits for a free slot and posts commands as one request, unless the
// server is known to be down by then. As many replies come back as commands went
// out, or none when every channel accepted, or an error for all.
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

// read returns an error, or nil, for each channel of a command; nil when there is
// none at all.
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
