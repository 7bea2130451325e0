package centrifugo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/fanfarehq/fanfare/internal/wait"
)

// call is one call of Publish.
type call struct {
	client  *Client
	results []Result              // each written by one queue only
	limit   int                   // maximum number of publications in a request; 0 for none
	nodes   int                   // number of endpoints that wide audiences are spread over
	down    atomic.Pointer[Error] // set once the server is unavailable
}

// retries are the waits before the further attempts of channels that failed with a Transient error.
// They are short, since the caller holds a transaction meanwhile and has a back-off of its own.
var retries = [...]time.Duration{20 * time.Millisecond, 100 * time.Millisecond}

// deliver sends commands of a queue in one request and records the result of each channel. It
// halves a request that the server rejects as a whole until the culprit is alone.
func (c *call) deliver(ctx context.Context, queue int, commands []command, attempt int) {
	replies, e, err := c.send(ctx, queue, commands)
	if err == nil {
		c.settle(ctx, queue, e, commands, replies, attempt)
		return
	}
	if err.Class == Permanent && len(commands) > 1 {
		half := len(commands) / 2
		c.deliver(ctx, queue, commands[:half], attempt)
		c.deliver(ctx, queue, commands[half:], attempt)
		return
	}
	if err.Class == Permanent {
		err = confirm(ctx, e, err)
	}
	if err.Class == Unavailable {
		c.down.Store(err)
	}
	for _, cmd := range commands {
		c.fail(cmd.broadcast, err, cmd.channels...)
	}
}

// confirm checks that the endpoint which rejects a single command is Centrifugo: a web server
// answers every plain-text request on its TLS port with status 400, and that must not make one
// message after the other permanently undeliverable. The message is at fault only if the endpoint
// accepts a command that is known to be valid.
func confirm(ctx context.Context, e *endpoint, err *Error) *Error {
	if e.ping(ctx) == nil {
		return err
	}
	unavailable := *err
	unavailable.Class = Unavailable
	return &unavailable
}

// settle reads the replies of an endpoint to commands, delivers again to the channels that may
// still accept, and fails the others.
func (c *call) settle(
	ctx context.Context, queue int, e *endpoint, commands []command, replies []reply, attempt int,
) {
	if replies == nil {
		return
	}
	var again []command
	for i, cmd := range commands {
		if replies[i].accepted() {
			continue
		}
		errs := e.read(cmd, replies[i])
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
	c.deliver(ctx, queue+1, again, attempt+1)      // by another node, if there are several
}

// fail records err for channels of one broadcast.
func (c *call) fail(broadcast int, err *Error, channels ...string) {
	r := &c.results[broadcast]
	r.Failed = append(r.Failed, channels...)
	if was, ok := r.Err.(*Error); !ok || was.Class < err.Class {
		r.Err = err
	}
}

// send waits for a free slot and posts commands of a queue in one request, unless the server has
// become unavailable by then. It returns a reply for each command, or none if every channel
// accepted, and the endpoint that replied; the error holds for all of them, and is that of the
// endpoint.
func (c *call) send(ctx context.Context, queue int, commands []command) ([]reply, *endpoint, *Error) {
	client := c.client
	if down := c.down.Load(); down != nil {
		return nil, nil, down
	}
	select {
	case client.slots <- struct{}{}:
		defer func() { <-client.slots }()
	case <-ctx.Done():
		e := client.publishing().endpoint()
		return nil, e, classify(e.address, ctx.Err())
	}
	if down := c.down.Load(); down != nil {
		return nil, nil, down
	}
	endpoints := client.publishing()
	e, attempts := endpoints.spread(queue), len(endpoints.endpoints)
	if e != endpoints.endpoint() {
		attempts++
	}
	for attempt := 1; ; attempt++ {
		spare := e != endpoints.endpoint()
		replies, err := client.request(ctx, e, commands, spare)
		if err == nil || err.Class != Unavailable || err.Slow || ctx.Err() != nil {
			return replies, e, err
		}
		if e.byGRPC() {
			client.avoided.Store(err)
		}
		next := endpoints.failOver(e)
		if attempt == attempts {
			return nil, e, err
		}
		e = next
	}
}

// request posts commands to one endpoint, and adapts the size of requests to the time it takes. A
// spare endpoint, which is not the one in use, is not slow but unavailable if it does not answer.
func (c *Client) request(ctx context.Context, e *endpoint, commands []command, spare bool) ([]reply, *Error) {
	publications := 0
	for _, cmd := range commands {
		publications += len(cmd.channels)
	}
	limit, began := c.limit.Load(), time.Now()
	replies, err := e.post(ctx, commands)
	if err == nil {
		c.grow(limit, publications, time.Since(began))
		return replies, nil
	}
	failed := classify(e.address, err)
	late := isTimeout(err) && time.Since(began) >= c.opts.Timeout/2 && !errors.Is(ctx.Err(), context.Canceled)
	if failed.Class == Unavailable && late && spare {
		e.late.Store(time.Now().UnixNano())
	} else if failed.Class == Unavailable && late {
		c.shrink(publications)
		pinging, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
		defer cancel()
		if e.ping(pinging) == nil {
			failed.Slow = true
			failed.reason = fmt.Sprintf("Centrifugo at %s is slow: no answer to a request of %d publications within %s",
				e.address, publications, c.opts.Timeout)
		}
	}
	return nil, failed
}

// isTimeout reports whether a request that was sent got no answer in time.
func isTimeout(err error) bool {
	if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" {
		return false
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}

// limitPublications returns the maximum number of publications in a request, 0 for no limit but
// those of the options. It is halved after a request that took too long, and grows again.
func (c *Client) limitPublications() int { return int(c.limit.Load()) }

// shrink halves the limit after a request with this number of publications got no answer in time.
func (c *Client) shrink(publications int) {
	half := int64(max(publications/2, 1))
	for {
		limit := c.limit.Load()
		if limit > 0 && limit <= half || c.limit.CompareAndSwap(limit, half) {
			return
		}
	}
}

// grow doubles the limit that a request was planned with, if the request was about as large and was
// answered so soon that twice as much will be in time.
func (c *Client) grow(limit int64, publications int, took time.Duration) {
	if limit == 0 || int64(publications)*2 < limit || took > c.opts.Timeout/4 {
		return
	}
	double := limit * 2
	if double >= int64(c.opts.PipeSize)*int64(c.opts.AudienceSize) {
		double = 0
	}
	c.limit.CompareAndSwap(limit, double)
}

// read returns an error, or nil, for each channel of a command.
func (e *endpoint) read(cmd command, r reply) []*Error {
	errs := make([]*Error, len(cmd.channels))
	for i, name := range cmd.channels {
		switch {
		case r.malformed:
			errs[i] = classify(e.address, errMalformed)
		case r.err != nil:
			errs[i] = classifyReply(name, r.err)
		case r.channels != nil && r.channels[i] != nil:
			errs[i] = classifyReply(name, r.channels[i])
		}
	}
	return errs
}
