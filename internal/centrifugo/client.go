package centrifugo

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/centrifugal/gocent/v3"
)

// Options of a Client. A zero field is its default.
type Options struct {
	// APIURL is the HTTP API's endpoint; default http://localhost:9000/api. A list of endpoints of
	// nodes of one Centrifugo, separated by commas, is used one at a time: requests go to the next
	// one once the current one is unreachable.
	APIURL string
	// APIKey is Centrifugo's http_api.key (v5: api_key); empty for a server without one.
	APIKey string
	// Timeout bounds one request and its response; default 5 s.
	Timeout time.Duration

	// PipeSize is the maximum number of broadcasts in one request; default 100.
	PipeSize int
	// MaxInFlight is the maximum number of concurrent requests of all calls of Publish; default 8.
	MaxInFlight int
	// AudienceSize is the maximum number of channels in one broadcast; a wider one is sent as
	// several. Default 1000.
	AudienceSize int
	// MaxPipeBytes is the approximate maximum size of a request; default 1,000,000, below the 1 MiB
	// that nginx accepts. Centrifugo itself has no limit. A single broadcast may exceed it.
	MaxPipeBytes int
	// MaxMessageBytes is the maximum size of Broadcast.Data; default 512 KiB.
	MaxMessageBytes int

	// Proxy selects an HTTP proxy as http.Transport.Proxy does. If it is nil, requests are sent to
	// the server directly, whatever the environment.
	Proxy func(*http.Request) (*url.URL, error)
}

// withDefaults returns the options with defaults for the zero fields.
func (o Options) withDefaults() Options {
	o.APIURL = cmp.Or(o.APIURL, "http://localhost:9000/api")
	o.Timeout = cmp.Or(o.Timeout, 5*time.Second)
	o.PipeSize = cmp.Or(o.PipeSize, 100)
	o.MaxInFlight = cmp.Or(o.MaxInFlight, 8)
	o.AudienceSize = cmp.Or(o.AudienceSize, 1000)
	o.MaxPipeBytes = cmp.Or(o.MaxPipeBytes, 1_000_000)
	o.MaxMessageBytes = cmp.Or(o.MaxMessageBytes, 512<<10)
	return o
}

// validate returns an error with every violation.
func (o Options) validate() error {
	var errs []error
	report := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	for _, address := range SplitURLs(o.APIURL) {
		switch u, err := url.Parse(address); {
		case err != nil:
			report("API URL: %w", errors.Unwrap(err)) // the outer error repeats the URL, which may contain a password
		case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
			report("API URL %q: must have the form http://host:port/api or https://…", u.Redacted())
		}
	}
	for i := range len(o.APIKey) {
		if c := o.APIKey[i]; c <= ' ' || c > '~' {
			report("API key: must be printable ASCII without spaces")
			break
		}
	}
	for _, limit := range []struct {
		name  string
		value int
	}{
		{"timeout", int(o.Timeout)},
		{"pipe size", o.PipeSize},
		{"requests in flight", o.MaxInFlight},
		{"audience size", o.AudienceSize},
		{"pipe bytes", o.MaxPipeBytes},
		{"message bytes", o.MaxMessageBytes},
	} {
		if limit.value < 0 {
			report("%s: must not be negative", limit.name)
		}
	}
	return errors.Join(errs...)
}

// SplitURLs returns the elements of a list of URLs.
func SplitURLs(list string) []string {
	urls := strings.Split(list, ",")
	for i := range urls {
		urls[i] = strings.TrimSpace(urls[i])
	}
	return urls
}

// Client publishes to one Centrifugo. It is safe for concurrent use and should be shared: its limit
// on concurrent requests holds for all callers.
type Client struct {
	opts      Options
	http      *http.Transport
	poster    *http.Client
	endpoints []*endpoint
	current   atomic.Int32  // index of the endpoint in use
	limit     atomic.Int64  // see limitPublications
	slots     chan struct{} // one element per concurrent request
}

// endpoint is the HTTP API of one node.
type endpoint struct {
	index    int
	address  string // without secrets
	batchURL string
	api      *gocent.Client
}

// New validates the options and returns a client. It does not connect.
func New(o Options) (*Client, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("centrifugo: %w", err)
	}
	transport := &http.Transport{
		Proxy:       o.Proxy,
		DialContext: (&net.Dialer{Timeout: min(o.Timeout/2, dialTimeout)}).DialContext,
		// Shorter than the usual timeout of servers and balancers, so that the client closes an
		// idle connection and no request is sent on one that the server is closing.
		IdleConnTimeout:     20 * time.Second,
		MaxIdleConnsPerHost: o.MaxInFlight,
		TLSHandshakeTimeout: o.Timeout,
		DisableCompression:  true,
		WriteBufferSize:     64 << 10,
		ReadBufferSize:      32 << 10,
	}
	poster := &http.Client{
		Transport: transport,
		Timeout:   o.Timeout,
		// A redirected POST becomes a GET without its body.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c := &Client{opts: o, http: transport, poster: poster, slots: make(chan struct{}, o.MaxInFlight)}
	for i, apiURL := range SplitURLs(o.APIURL) {
		apiURL = trimSlash(apiURL)
		c.endpoints = append(c.endpoints, &endpoint{
			index:    i,
			address:  redactedURL(apiURL),
			batchURL: batchURL(apiURL),
			api:      gocent.New(gocent.Config{Addr: apiURL, Key: o.APIKey, HTTPClient: poster}),
		})
	}
	return c, nil
}

// dialTimeout bounds the time for connecting. It is shorter than that of a request: it
// distinguishes a host that does not answer from a slow server, and leaves time for the next
// endpoint.
const dialTimeout = 2 * time.Second

// endpoint returns the endpoint in use.
func (c *Client) endpoint() *endpoint { return c.endpoints[c.current.Load()] }

// failOver returns the endpoint to use after e has failed, which is e if there is no other.
func (c *Client) failOver(e *endpoint) *endpoint {
	c.current.CompareAndSwap(int32(e.index), int32((e.index+1)%len(c.endpoints)))
	return c.endpoint()
}

// Close closes the idle connections. Calls of Publish must have returned.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Ping runs the command info, and so checks that the server is reachable, is Centrifugo, and
// accepts the API key. The error is an *[Error].
func (c *Client) Ping(ctx context.Context) error {
	return c.endpoint().ping(ctx)
}

func (e *endpoint) ping(ctx context.Context) error {
	pipe := e.api.Pipe()
	if err := pipe.AddInfo(); err != nil {
		return classify(e.address, err)
	}
	replies, err := e.api.SendPipe(ctx, pipe)
	if err != nil {
		return classify(e.address, err)
	}
	return e.checkInfo(replies[0])
}

// checkInfo checks that the reply to the command info comes from Centrifugo.
func (e *endpoint) checkInfo(reply gocent.Reply) error {
	if reply.Error != nil {
		return classifyReply("", reply.Error)
	}
	var info gocent.InfoResult
	if err := json.Unmarshal(reply.Result, &info); err != nil || len(info.Nodes) == 0 {
		return classify(e.address, errMalformed)
	}
	return nil
}

// trimSlash removes a slash at the end of the path, under which Centrifugo serves no API.
func trimSlash(apiURL string) string {
	u, err := url.Parse(apiURL)
	if err != nil || u.RawQuery != "" {
		return apiURL
	}
	return strings.TrimRight(apiURL, "/")
}

// redactedURL returns a URL without the parts that may be secret: user, query and fragment.
func redactedURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "the configured address"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
