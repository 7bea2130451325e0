package centrifugo

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/centrifugal/gocent/v3"
)

// grpcTransport sends batches to a node by gRPC, which is a POST request over HTTP/2 whose status
// is in the trailers (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). All requests
// share a connection: over several, Centrifugo takes more time for the same requests.
type grpcTransport struct {
	url     string // of the method Batch, with the scheme http or https
	header  http.Header
	timeout time.Duration
	dial    func() *http.Transport

	mu      sync.Mutex
	current *http.Transport
	retired map[*http.Transport]*time.Timer
}

// batchMethod is the path of the method Batch, from Centrifugo's internal/apiproto/api.proto.
const batchMethod = "/centrifugal.centrifugo.api.CentrifugoApi/Batch"

func newGRPCTransport(address *url.URL, o Options) *grpcTransport {
	scheme := "http"
	if address.Scheme == "grpcs" {
		scheme = "https"
	}
	g := &grpcTransport{
		url:     (&url.URL{Scheme: scheme, Host: address.Host, Path: batchMethod}).String(),
		header:  http.Header{"Content-Type": {"application/grpc"}, "Te": {"trailers"}},
		timeout: o.Timeout,
		retired: map[*http.Transport]*time.Timer{},
	}
	if o.APIKey != "" {
		g.header.Set("Authorization", "apikey "+o.APIKey)
	}
	g.dial = func() *http.Transport {
		transport := newTransport(o)
		transport.Proxy = nil // which would have to support HTTP/2 without TLS
		transport.Protocols = new(http.Protocols)
		transport.Protocols.SetHTTP2(scheme == "https")
		transport.Protocols.SetUnencryptedHTTP2(scheme == "http")
		transport.HTTP2 = &http.HTTP2Config{WriteByteTimeout: o.Timeout}
		return transport
	}
	g.current = g.dial()
	return g
}

func (g *grpcTransport) protocol() string { return "gRPC" }

// post implements transport.
func (g *grpcTransport) post(ctx context.Context, commands []command) ([]reply, error) {
	request := make([]byte, messageHeader, messageHeader+batchSize(commands))
	answer, err := g.call(ctx, appendBatch(request, commands))
	if err != nil {
		return nil, err
	}
	return readBatch(answer, commands)
}

// nodes implements transport.
func (g *grpcTransport) nodes(ctx context.Context) ([]string, error) {
	answer, err := g.call(ctx, appendInfo(make([]byte, messageHeader)))
	if err != nil {
		return nil, err
	}
	nodes, refused, err := readInfo(answer)
	if err == nil && refused != nil {
		return nil, refused
	}
	return nodes, err
}

// messageHeader is the length of what precedes a message: whether it is compressed, and its length.
const messageHeader = 5

// maxAnswer limits the size of an answer. One to 250 broadcasts to 1,000 channels has some 10 MB.
const maxAnswer = 64 << 20

// call sends a message, whose header it writes into the first bytes, and returns the answer.
func (g *grpcTransport) call(ctx context.Context, message []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	binary.BigEndian.PutUint32(message[1:], uint32(len(message)-messageHeader))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url, bytes.NewReader(message))
	if err != nil {
		return nil, err
	}
	request.Header = g.header
	transport := g.transport()
	answer, err := exchange(transport, request)
	if errors.Is(err, context.DeadlineExceeded) {
		g.retire(transport)
	}
	return answer, err
}

// exchange sends a request and returns the message of the response.
func exchange(by http.RoundTripper, request *http.Request) ([]byte, error) {
	response, err := by.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, gocent.ErrStatusCode{Code: response.StatusCode}
	}
	if !strings.HasPrefix(response.Header.Get("Content-Type"), "application/grpc") {
		return nil, errNotGRPC
	}
	answer, err := readMessage(response.Body)
	if err != nil {
		return nil, err
	}
	status := response.Trailer
	if response.Header.Get("Grpc-Status") != "" {
		status = response.Header // of a response that has nothing else
	}
	text := status.Get("Grpc-Status")
	if text == "" {
		return nil, io.ErrUnexpectedEOF
	}
	code, err := strconv.ParseUint(text, 10, 31)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: its Grpc-Status is %.20q", errNotGRPC, text)
	case code != 0:
		return nil, &grpcError{code: int(code), message: status.Get("Grpc-Message")}
	case answer == nil:
		return nil, errMalformed
	}
	return answer, nil
}

// readMessage reads up to the end of a body with one message or, after an error, none.
func readMessage(body io.Reader) ([]byte, error) {
	var header [messageHeader]byte
	switch _, err := io.ReadFull(body, header[:]); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, err
	}
	size := binary.BigEndian.Uint32(header[1:])
	if header[0] != 0 || size > maxAnswer {
		return nil, errMalformed
	}
	message := make([]byte, size)
	if _, err := io.ReadFull(body, message); err != nil {
		return nil, noEOF(err)
	}
	// The trailers follow the end of the body.
	switch n, err := io.ReadFull(body, header[:1]); {
	case n > 0:
		return nil, errMalformed
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	return message, nil
}

// noEOF returns the error for a message of which the end is missing.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// errNotGRPC is the cause of the error for a response that is none of gRPC.
var errNotGRPC = errors.New("the response is not one of gRPC")

// grpcError is a status of gRPC other than OK.
type grpcError struct {
	code    int
	message string
}

func (e *grpcError) Error() string {
	text := fmt.Sprintf("gRPC status %d", e.code)
	if e.code < len(grpcNames) {
		text += " " + grpcNames[e.code]
	}
	return text
}

// The codes of statuses that have a meaning of their own here.
const (
	grpcInvalidArgument   = 3
	grpcDeadlineExceeded  = 4
	grpcPermissionDenied  = 7
	grpcResourceExhausted = 8
	grpcUnimplemented     = 12
	grpcUnavailable       = 14
	grpcUnauthenticated   = 16
)

// grpcNames are the names of the statuses, by code
// (https://grpc.github.io/grpc/core/md_doc_statuscodes.html).
var grpcNames = [...]string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
	"INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}

// httpStatus returns the HTTP status that means the same.
func (e *grpcError) httpStatus() int {
	switch e.code {
	case grpcInvalidArgument:
		return http.StatusBadRequest
	case grpcDeadlineExceeded:
		return http.StatusGatewayTimeout
	case grpcPermissionDenied:
		return http.StatusForbidden
	case grpcResourceExhausted:
		// Go's servers reply "grpc: received message larger than max"; others limit rates.
		if strings.Contains(e.message, "larger than max") {
			return http.StatusRequestEntityTooLarge
		}
		return http.StatusServiceUnavailable
	case grpcUnimplemented:
		return http.StatusNotFound
	case grpcUnavailable:
		return http.StatusServiceUnavailable
	case grpcUnauthenticated:
		return http.StatusUnauthorized
	}
	return http.StatusInternalServerError
}

// transport returns what carries the next request.
func (g *grpcTransport) transport() *http.Transport {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.current
}

// retire replaces a connection on which a request got no answer in time: it may be dead, which TCP
// reports only after many minutes. The other requests on it continue until their timeout.
func (g *grpcTransport) retire(old *http.Transport) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.current != old {
		return
	}
	g.current = g.dial()
	g.retired[old] = time.AfterFunc(g.timeout, func() {
		old.CloseIdleConnections()
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.retired, old)
	})
}

// close implements transport.
func (g *grpcTransport) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.current.CloseIdleConnections()
	for old, timer := range g.retired {
		timer.Stop()
		old.CloseIdleConnections()
	}
}
