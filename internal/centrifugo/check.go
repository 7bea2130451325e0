package centrifugo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/centrifugal/gocent/v3"
)

// checkTimeout bounds a check, so that a daemon starts within a second even if no server responds.
const checkTimeout = time.Second

// Diagnostic describes a condition that keeps publications from clients.
type Diagnostic struct {
	// Setting is the flag to correct; empty if Centrifugo's own configuration has to change.
	Setting string
	// Detail describes the condition and Remedy what to change. They begin without a capital, end
	// without a period, and contain no secret.
	Detail, Remedy string
}

// String returns a sentence of the detail and the remedy.
func (d Diagnostic) String() string { return d.Detail + ": " + d.Remedy + "." }

// The settings that diagnostics name.
const (
	urlSetting = "--centrifugo-api-url"
	keySetting = "--centrifugo-api-key"
)

// Check returns a diagnostic for each condition that keeps publications from channels of these
// namespaces; none if there is no such condition. The empty name stands for channels without a
// namespace. Check changes nothing on the server and returns within a second. If the endpoint in
// use is unavailable, it checks the others too, and the client uses the first available one. It
// also selects the endpoint of publications: see [Client.Route].
//
// It probes a namespace by reading the history of a channel in it, limited to no publications: code
// 102 means that the namespace does not exist, 108 that it keeps no history.
func (c *Client) Check(ctx context.Context, namespaces ...string) []Diagnostic {
	var selecting sync.WaitGroup
	selecting.Go(func() { c.reviewRoute(ctx) })
	defer selecting.Wait()
	var all []Diagnostic
	e := c.api.endpoint()
	for range c.api.endpoints {
		found, available := e.check(ctx, namespaces)
		if available {
			return found
		}
		all, e = append(all, found...), c.api.failOver(e)
	}
	return all
}

// check is Check for one endpoint. It also reports whether the endpoint is available.
func (e *endpoint) check(ctx context.Context, namespaces []string) (found []Diagnostic, available bool) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()

	pipe := e.api.Pipe()
	err := pipe.AddInfo()
	for _, namespace := range namespaces {
		err = errors.Join(err, pipe.AddHistory(namespace+":fanfare.check", gocent.WithLimit(0)))
	}
	var replies []gocent.Reply
	if err == nil {
		replies, err = e.api.SendPipe(ctx, pipe)
	}
	if err != nil {
		return []Diagnostic{e.diagnose(e.classify(err))}, false
	}
	if _, err := nodesOf(replies[0]); err != nil {
		return []Diagnostic{e.diagnose(e.classify(err))}, false
	}
	for i, reply := range replies[1:] {
		if reply.Error != nil {
			found = append(found, e.diagnoseNamespace(namespaces[i], reply.Error))
		}
	}
	return found, true
}

// diagnose returns the diagnostic of a failed request.
func (e *endpoint) diagnose(err *Error) Diagnostic {
	var unresolved *net.DNSError
	switch {
	case err.Status == http.StatusUnauthorized, err.Status == http.StatusForbidden:
		return Diagnostic{
			keySetting,
			fmt.Sprintf("Centrifugo at %s rejects the API key", e.address),
			fmt.Sprintf("set %s to Centrifugo's own http_api.key (v5: api_key)", keySetting),
		}
	case err.Status >= http.StatusInternalServerError:
		return Diagnostic{
			urlSetting,
			fmt.Sprintf("Centrifugo at %s is failing (%s)", e.address, httpStatus(err.Status)),
			fmt.Sprintf("read the log of Centrifugo, or of the proxy in front of it, and check %s", urlSetting),
		}
	case err.Status != 0:
		return Diagnostic{
			urlSetting,
			fmt.Sprintf("%s is not Centrifugo's HTTP API (%s)", e.address, httpStatus(err.Status)),
			fmt.Sprintf("correct %s, which usually ends in /api, and has the port "+
				"http_server.internal_port (v5: internal_port) if Centrifugo has one", urlSetting),
		}
	case err.Code != 0:
		return Diagnostic{
			"",
			fmt.Sprintf("Centrifugo at %s fails the command info with code %d", e.address, err.Code),
			"read Centrifugo's log",
		}
	case errors.As(err, &unresolved):
		return Diagnostic{
			urlSetting,
			fmt.Sprintf("the host of %s cannot be resolved", e.address),
			"correct " + urlSetting,
		}
	case errors.Is(err, context.DeadlineExceeded):
		return Diagnostic{
			urlSetting,
			fmt.Sprintf("Centrifugo at %s does not respond within %s", e.address, checkTimeout),
			"start Centrifugo, or correct " + urlSetting,
		}
	case isResponse(err):
		return Diagnostic{
			urlSetting,
			fmt.Sprintf("%s is not Centrifugo's HTTP API", e.address),
			fmt.Sprintf("correct %s, which usually ends in /api", urlSetting),
		}
	}
	return Diagnostic{
		urlSetting,
		fmt.Sprintf("Centrifugo at %s is unreachable (%v)", e.address, err.cause),
		"start Centrifugo, or correct " + urlSetting,
	}
}

// diagnoseNamespace returns the diagnostic of a failed probe of a namespace.
func (e *endpoint) diagnoseNamespace(namespace string, reply *gocent.Error) Diagnostic {
	switch reply.Code {
	case codeUnknownChannel:
		return Diagnostic{
			"",
			fmt.Sprintf("Centrifugo at %s has no namespace %q", e.address, namespace),
			"add it to channel.namespaces in Centrifugo's configuration (v5: namespaces), " +
				"or change the channel format that uses it",
		}
	case codeNotAvailable:
		return Diagnostic{
			"",
			fmt.Sprintf("the namespace %q of Centrifugo at %s keeps no history, "+
				"so a client that reconnects misses the messages sent meanwhile", namespace, e.address),
			"set its history_size, history_ttl and force_recovery",
		}
	}
	return Diagnostic{
		"",
		fmt.Sprintf("Centrifugo at %s cannot read the history of the namespace %q (code %d)",
			e.address, namespace, reply.Code),
		"read Centrifugo's log, and check the state of its broker",
	}
}
