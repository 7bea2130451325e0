package centrifugo

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/centrifugal/gocent/v3"
)

// transport sends requests to one address of Centrifugo's server API.
type transport interface {
	// protocol returns the name of what carries the requests.
	protocol() string
	// post sends broadcasts in one request. It returns a reply for each, or none if every channel
	// accepted.
	post(ctx context.Context, commands []command) ([]reply, error)
	// nodes runs the command info, and returns the ids of the nodes of Centrifugo, at least one.
	// The error is a *gocent.Error if Centrifugo refuses it.
	nodes(ctx context.Context) ([]string, error)
	// close closes the idle connections.
	close()
}

// reply is the reply to a broadcast. If all channels accepted, it is zero.
type reply struct {
	err       *gocent.Error   // of the broadcast
	channels  []*gocent.Error // of each channel, nil if it accepted; none if all accepted
	malformed bool            // it is not a reply to the broadcast
}

func (r *reply) accepted() bool { return r.err == nil && r.channels == nil && !r.malformed }

// fail records the error of one of the channels.
func (r *reply) fail(channel, channels int, err *gocent.Error) {
	if r.channels == nil {
		r.channels = make([]*gocent.Error, channels)
	}
	r.channels[channel] = err
}

// endpoint is one address of Centrifugo's server API.
type endpoint struct {
	transport
	address string         // without secrets
	api     *gocent.Client // for info and history; nil by gRPC
}

// ping checks that the server is reachable, is Centrifugo, and accepts the API key.
func (e *endpoint) ping(ctx context.Context) *Error {
	if _, err := e.nodes(ctx); err != nil {
		return e.classify(err)
	}
	return nil
}

// classify returns the error for a request that failed with err.
func (e *endpoint) classify(err error) *Error {
	if refused, ok := errors.AsType[*gocent.Error](err); ok {
		return classifyReply("", refused)
	}
	return classify(e.address, err)
}

// ring is a list of endpoints, of which one is in use.
type ring struct {
	endpoints []*endpoint
	current   atomic.Int32
	failure   atomic.Pointer[Error] // of the endpoint that was in use before
}

// endpoint returns the endpoint in use.
func (r *ring) endpoint() *endpoint { return r.endpoints[r.current.Load()] }

// failOver returns the endpoint to use after e has failed with err, which is e if there is no
// other.
func (r *ring) failOver(e *endpoint, err *Error) *endpoint {
	i := slices.Index(r.endpoints, e)
	if r.current.CompareAndSwap(int32(i), int32((i+1)%len(r.endpoints))) {
		r.failure.Store(err)
	}
	return r.endpoint()
}

// use makes e the endpoint in use.
func (r *ring) use(e *endpoint) { r.current.Store(int32(slices.Index(r.endpoints, e))) }

// SplitURLs returns the elements of a list of URLs.
func SplitURLs(list string) []string {
	urls := strings.Split(list, ",")
	for i := range urls {
		urls[i] = strings.TrimSpace(urls[i])
	}
	return urls
}

// CheckURLs returns the rule that a list of URLs of Centrifugo's server API violates, or "".
func CheckURLs(list string) string {
	byHTTP := false
	for _, element := range SplitURLs(list) {
		u, err := url.Parse(element)
		switch {
		case err != nil:
			return "must be a URL, such as http://host:port/api, or several separated by commas"
		case IsGRPC(element):
			if u.Port() == "" || u.Path != "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
				return "must have the form grpc://host:port or grpcs://host:port"
			}
		case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
			return "must have the form http://host:port/api or https://…, or grpc://host:port or grpcs://…"
		default:
			byHTTP = true
		}
	}
	if !byHTTP {
		return "must contain an HTTP URL, such as http://host:port/api, for what does not go by gRPC"
	}
	return ""
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
