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
	"time"

	"github.com/centrifugal/gocent/v3"
)

// Options say where Centrifugo is and how hard to drive it. A zero field means
// its default.
type Options struct {
	// APIURL is the HTTP API's endpoint; default http://localhost:8000/api.
	APIURL string
	// APIKey is Centrifugo's api_key (v6: http_api.key). Empty only suits a server
	// that asks for none.
	APIKey string
	// Timeout bounds one request, the wait for its answer included; default 5 s.
	Timeout time.Duration

	// PipeSize is the most broadcasts in one request; default 100.
	PipeSize int
	// MaxInFlight is the most requests under way at once, over all calls of
	// Publish; default 8.
	MaxInFlight int
	// AudienceSize is the most channels in one broadcast; wider ones are sent as
	// several. Default 1000.
	AudienceSize int
	// MaxPipeBytes is about the largest request; default 1,000,000, which passes
	// the 1 MiB that nginx allows. Centrifugo itself sets no limit. A single
	// broadcast may exceed it.
	MaxPipeBytes int
	// MaxMessageBytes is the largest Broadcast.Data; default 512 KiB.
	MaxMessageBytes int

	// Proxy, when set, chooses an HTTP proxy as http.Transport.Proxy does. Without
	// it requests go straight to the server, whatever the environment says.
	Proxy func(*http.Request) (*url.URL, error)
}

// withDefaults fills the zero fields in.
func (o Options) withDefaults() Options {
	o.APIURL = cmp.Or(o.APIURL, "http://localhost:8000/api")
	o.Timeout = cmp.Or(o.Timeout, 5*time.Second)
	o.PipeSize = cmp.Or(o.PipeSize, 100)
	o.MaxInFlight = cmp.Or(o.MaxInFlight, 8)
	o.AudienceSize = cmp.Or(o.AudienceSize, 1000)
	o.MaxPipeBytes = cmp.Or(o.MaxPipeBytes, 1_000_000)
	o.MaxMessageBytes = cmp.Or(o.MaxMessageBytes, 512<<10)
	return o
}

// validate reports every mistake at once.
func (o Options) validate() error {
	var errs []error
	refuse := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	switch u, err := url.Parse(o.APIURL); {
	case err != nil:
		refuse("API URL: %w", errors.Unwrap(err)) // the outer error repeats the URL, perhaps with a password
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		refuse("API URL %q: must read http://host:port/api or https://…", u.Redacted())
	}
	for i := range len(o.APIKey) {
		if c := o.APIKey[i]; c <= ' ' || c > '~' {
			refuse("API key: must be printable ASCII without spaces")
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
			refuse("%s: must not be negative", limit.name)
		}
	}
	return errors.Join(errs...)
}

// Client publishes to one Centrifugo. It is safe for concurrent use, and meant
// to be shared: its bound on requests in flight holds over all who use it.
type Client struct {
	opts    Options
	address string // of the API, fit to be shown
	api     *gocent.Client
	http    *http.Transport
	poster  *http.Client

	batchURL string
	slots    chan struct{} // one taken per request in flight
}

// New checks the options and returns a client. It does not connect.
func New(o Options) (*Client, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("centrifugo: %w", err)
	}
	o.APIURL = trimSlash(o.APIURL)
	transport := &http.Transport{
		Proxy:       o.Proxy,
		DialContext: (&net.Dialer{Timeout: o.Timeout}).DialContext,
		// Shorter than what servers and balancers commonly grant, so that it is we who
		// close an idle connection and no request meets one being closed.
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
		// A redirected POST would arrive as a GET without its body.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &Client{
		opts:     o,
		address:  shownURL(o.APIURL),
		http:     transport,
		batchURL: batchURL(o.APIURL),
		poster:   poster,
		slots:    make(chan struct{}, o.MaxInFlight),
		api:      gocent.New(gocent.Config{Addr: o.APIURL, Key: o.APIKey, HTTPClient: poster}),
	}, nil
}

// Close closes the idle connections. Calls of Publish must have returned.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Ping asks the server for its own description, and so tells whether it can be
// reached, is Centrifugo, and accepts our key. The error is an *[Error].
func (c *Client) Ping(ctx context.Context) error {
	pipe := c.api.Pipe()
	if err := pipe.AddInfo(); err != nil {
		return classify(c.address, err)
	}
	replies, err := c.api.SendPipe(ctx, pipe)
	if err != nil {
		return classify(c.address, err)
	}
	return c.checkInfo(replies[0])
}

// checkInfo tells whether a reply to an info command comes from Centrifugo.
func (c *Client) checkInfo(reply gocent.Reply) error {
	if reply.Error != nil {
		return classifyReply("", reply.Error)
	}
	var info gocent.InfoResult
	if err := json.Unmarshal(reply.Result, &info); err != nil || len(info.Nodes) == 0 {
		return classify(c.address, errMalformed)
	}
	return nil
}

// trimSlash removes a slash at the end of the path, under which Centrifugo
// serves nothing.
func trimSlash(apiURL string) string {
	u, err := url.Parse(apiURL)
	if err != nil || u.RawQuery != "" {
		return apiURL
	}
	return strings.TrimRight(apiURL, "/")
}

// shownURL returns a URL without what may be secret: user, query and fragment.
func shownURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "the configured address"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
