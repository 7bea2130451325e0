package centrifugo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/centrifugal/gocent/v3"
)

// Options of a Client. A zero field is its default.
type Options struct {
	// APIURL is the server API of Centrifugo, or a list of the APIs of the nodes of one
	// Centrifugo, separated by commas: http://host:port/api and https://… by HTTP, of which there
	// is at least one, grpc://host:port and grpcs://… by gRPC. Requests go to one of the list, and
	// to the next once that is unreachable; those of a large call of Publish go to all that
	// [Client.Check] has found to belong to the same Centrifugo. Publications go by HTTP only while
	// no address by gRPC is available that belongs to it, see [Client.Route]; everything else goes
	// by HTTP. Default [DefaultURLs].
	APIURL string
	// APIKey is Centrifugo's http_api.key and grpc_api.key (v5: api_key, grpc_api_key); empty for a
	// server without one.
	APIKey string
	// Timeout bounds one request and its response; default 5 s.
	Timeout time.Duration

	// PipeSize is the maximum number of broadcasts in one request; default 250.
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

	// Proxy selects a proxy for the requests by HTTP, as http.Transport.Proxy does. If it is nil,
	// they are sent to the server directly, whatever the environment. Requests by gRPC always are.
	Proxy func(*http.Request) (*url.URL, error)
}

// withDefaults returns the options with defaults for the zero fields.
func (o Options) withDefaults() Options {
	o.APIURL = cmp.Or(o.APIURL, DefaultURLs)
	o.Timeout = cmp.Or(o.Timeout, 5*time.Second)
	o.PipeSize = cmp.Or(o.PipeSize, 250)
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

	if rule := CheckURLs(o.APIURL); rule != "" {
		report("API URL: %s", rule)
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

// Client publishes to one Centrifugo. It is safe for concurrent use and should be shared: its limit
// on concurrent requests holds for all callers.
type Client struct {
	opts   Options
	api    *ring         // by HTTP, for everything; see publishing
	byGRPC []*endpoint   // for publications
	limit  atomic.Int64  // see limitPublications
	slots  chan struct{} // one element per concurrent request

	routing  sync.Mutex            // held by what selects the route
	asked    time.Time             // when no address by HTTP answered; guarded by routing
	compared atomic.Pointer[ring]  // see publishing; nil until the addresses are compared
	avoided  atomic.Pointer[Error] // the latest reason not to use an address by gRPC
}

// New validates the options and returns a client. It does not connect.
func New(o Options) (*Client, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("centrifugo: %w", err)
	}
	poster := &http.Client{
		Transport: newTransport(o),
		Timeout:   o.Timeout,
		// A redirected POST becomes a GET without its body.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c := &Client{opts: o, api: &ring{}, slots: make(chan struct{}, o.MaxInFlight)}
	for _, apiURL := range SplitURLs(o.APIURL) {
		if u, err := url.Parse(apiURL); err == nil && IsGRPC(apiURL) {
			c.byGRPC = append(c.byGRPC, &endpoint{transport: newGRPCTransport(u, o), address: RedactedURL(apiURL)})
			continue
		}
		apiURL = trimSlash(apiURL)
		h := &httpTransport{
			batchURL: batchURL(apiURL), key: o.APIKey, poster: poster,
			api: gocent.New(gocent.Config{Addr: apiURL, Key: o.APIKey, HTTPClient: poster}),
		}
		c.api.endpoints = append(c.api.endpoints, &endpoint{transport: h, address: RedactedURL(apiURL), api: h.api})
	}
	return c, nil
}

// dialTimeout bounds the time for connecting. It is shorter than that of a request: it
// distinguishes a host that does not answer from a slow server, and leaves time for the next
// endpoint.
const dialTimeout = 2 * time.Second

func newTransport(o Options) *http.Transport {
	return &http.Transport{
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
}

// Close closes the idle connections. Calls of Publish must have returned.
func (c *Client) Close() {
	for _, e := range slices.Concat(c.byGRPC, c.api.endpoints) {
		e.close()
	}
}

// Ping runs the command info by HTTP, and so checks that the server is reachable, is Centrifugo,
// and accepts the API key. The error is an *[Error].
func (c *Client) Ping(ctx context.Context) error {
	if err := c.api.endpoint().ping(ctx); err != nil {
		return err // not as a nil *Error
	}
	return nil
}
