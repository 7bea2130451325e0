package centrifugo

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

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

	// member reports that the endpoint named nodes of the same Centrifugo as an address by HTTP
	// when it was last asked, and has not failed since.
	member atomic.Bool
	late   atomic.Int64 // when a request got no answer in time; Unix time in nanoseconds
}

// lateFor is for how long after a request without an answer an endpoint is no member: such a server
// often answers the command info.
const lateFor = time.Minute

// isLate reports whether a request has got no answer lately.
func (e *endpoint) isLate() bool {
	late := e.late.Load()
	return late != 0 && time.Now().UnixNano()-late < int64(lateFor)
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

// byGRPC reports whether requests go by gRPC, for publications only.
func (e *endpoint) byGRPC() bool { return e.api == nil }

// ring is a list of endpoints, of which one is in use.
type ring struct {
	endpoints []*endpoint
	current   atomic.Int32
}

// endpoint returns the endpoint in use.
func (r *ring) endpoint() *endpoint { return r.endpoints[r.current.Load()] }

// order returns the endpoints, beginning with the one in use.
func (r *ring) order() []*endpoint {
	i := r.current.Load()
	return slices.Concat(r.endpoints[i:], r.endpoints[:i])
}

// members returns the endpoint in use and the members that carry requests by the same protocol: the
// queues of a call are spread over them.
func (r *ring) members() []*endpoint {
	order := r.order()
	if !order[0].member.Load() {
		return order[:1]
	}
	n := 1
	for _, e := range order[1:] {
		if e.member.Load() && e.byGRPC() == order[0].byGRPC() {
			order[n] = e
			n++
		}
	}
	return order[:n]
}

// use makes an endpoint of the ring the one in use.
func (r *ring) use(e *endpoint) {
	if i := slices.Index(r.endpoints, e); i >= 0 {
		r.current.Store(int32(i))
	}
}

// spread returns the endpoint for a queue of a call, by its number.
func (r *ring) spread(queue int) *endpoint {
	if queue == 0 || len(r.endpoints) == 1 {
		return r.endpoint()
	}
	members := r.members()
	return members[queue%len(members)]
}

// failOver returns the endpoint to use after e has failed, which is e if there is no other.
func (r *ring) failOver(e *endpoint) *endpoint {
	e.member.Store(false)
	i := slices.Index(r.endpoints, e)
	r.current.CompareAndSwap(int32(i), int32((i+1)%len(r.endpoints)))
	return r.endpoint()
}
