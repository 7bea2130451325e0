package centrifugo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/centrifugal/gocent/v3"
)

// checkTimeout bounds a whole check, so that a daemon starts within a second
// even when nothing answers.
const checkTimeout = time.Second

// Problem is something to put right before publications can reach anybody.
type Problem struct {
	// Setting is the flag of ours to look at first; empty when the mistake is in
	// Centrifugo's own configuration.
	Setting string
	// Text says in a sentence what is wrong and what to change. It holds no secret.
	Text string
}

func (p Problem) String() string { return p.Text }

// The settings that problems name.
const (
	urlSetting = "--centrifugo-api-url"
	keySetting = "--centrifugo-api-key"
)

// Check tells what stands in the way of publishing to channels of these
// namespaces; nothing, if it returns none. The empty name stands for channels
// without a namespace. Check changes nothing on the server and returns within a
// second.
//
// A namespace is probed by asking for the history of a channel in it, limited to
// no publications: code 102 means that there is no such namespace, 108 that it
// keeps no history.
func (c *Client) Check(ctx context.Context, namespaces ...string) []Problem {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()

	pipe := c.api.Pipe()
	err := pipe.AddInfo()
	for _, namespace := range namespaces {
		err = errors.Join(err, pipe.AddHistory(namespace+":fanfare.check", gocent.WithLimit(0)))
	}
	var replies []gocent.Reply
	if err == nil {
		replies, err = c.api.SendPipe(ctx, pipe)
	}
	if err != nil {
		return []Problem{c.problem(classify(c.address, err))}
	}
	var found *Error
	if errors.As(c.checkInfo(replies[0]), &found) {
		return []Problem{c.problem(found)}
	}
	var problems []Problem
	for i, reply := range replies[1:] {
		if reply.Error != nil {
			problems = append(problems, c.namespaceProblem(namespaces[i], reply.Error))
		}
	}
	return problems
}

// problem turns a failed request into advice.
func (c *Client) problem(err *Error) Problem {
	var unknown *net.DNSError
	switch {
	case err.Status == http.StatusUnauthorized, err.Status == http.StatusForbidden:
		return Problem{keySetting, fmt.Sprintf(
			"Centrifugo at %s refuses the API key: set %s to Centrifugo's own api_key (http_api.key in v6).",
			c.address,
			keySetting,
		)}
	case err.Status >= http.StatusInternalServerError:
		return Problem{urlSetting, fmt.Sprintf(
			"%s is failing with HTTP %d: see Centrifugo's log, or that of the proxy in front of it, and check %s.",
			c.address,
			err.Status,
			urlSetting,
		)}
	case err.Status != 0:
		return Problem{urlSetting, fmt.Sprintf(
			"%s answers HTTP %d and is not Centrifugo's HTTP API: correct %s, which usually ends in /api, on Centrifugo's internal_port (http_server.internal_port in v6) if it has one.",
			c.address,
			err.Status,
			urlSetting,
		)}
	case err.Code != 0:
		return Problem{"", fmt.Sprintf(
			"Centrifugo at %s cannot describe itself (code %d): see its log.", c.address, err.Code)}
	case errors.As(err, &unknown):
		return Problem{urlSetting, fmt.Sprintf(
			"The host of %s is not known: correct %s.", c.address, urlSetting)}
	case errors.Is(err, context.DeadlineExceeded):
		return Problem{urlSetting, fmt.Sprintf(
			"Nothing at %s answered within %s: start Centrifugo, or correct %s.", c.address, checkTimeout, urlSetting)}
	case isAnswer(err):
		return Problem{urlSetting, fmt.Sprintf(
			"What answers at %s is not Centrifugo's HTTP API: correct %s, which usually ends in /api.",
			c.address,
			urlSetting,
		)}
	}
	return Problem{urlSetting, fmt.Sprintf(
		"Centrifugo at %s cannot be reached (%v): start it, or correct %s.", c.address, err.cause, urlSetting)}
}

// namespaceProblem turns the reply to a probe into advice.
func (c *Client) namespaceProblem(namespace string, reply *gocent.Error) Problem {
	switch reply.Code {
	case codeUnknownChannel:
		return Problem{"", fmt.Sprintf(
			"Centrifugo at %s has no namespace %q: add it to namespaces in Centrifugo's configuration (channel.namespaces in v6), or change the channel format that uses it.",
			c.address,
			namespace,
		)}
	case codeNotAvailable:
		return Problem{"", fmt.Sprintf(
			"The namespace %q of Centrifugo at %s keeps no history, so a client that reconnects misses what was sent meanwhile: set its history_size, history_ttl and force_recovery.",
			namespace,
			c.address,
		)}
	}
	return Problem{"", fmt.Sprintf(
		"Centrifugo at %s cannot read the history of the namespace %q (code %d): see its log and the state of its broker.",
		c.address,
		namespace,
		reply.Code,
	)}
}
