package centrifugo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/centrifugal/gocent/v3"
)

// Class tells the caller whether another attempt can help.
type Class uint8

// The classes, in ascending order of what another attempt promises.
const (
	// Permanent: the channel will never accept this message.
	Permanent Class = iota + 1
	// Transient: the server is available and failed for this channel; another attempt may succeed.
	Transient
	// Unavailable: the server is unreachable, does not respond in time, fails every request, or
	// rejects the API key. No message is at fault.
	Unavailable
)

func (c Class) String() string {
	switch c {
	case Permanent:
		return "permanent"
	case Transient:
		return "transient"
	case Unavailable:
		return "unavailable"
	}
	return fmt.Sprintf("class %d", uint8(c))
}

// Error describes why a publication was not accepted. It never contains the API key. errors.Is and
// errors.As find its cause, such as context.DeadlineExceeded or syscall.ECONNREFUSED.
type Error struct {
	Class   Class
	Channel string // the failed channel; empty if the request failed
	Code    int    // the error code of Centrifugo's reply; 0 without one
	Status  int    // the HTTP status, or that for which a status of gRPC stands; 0 for 200 or no response
	Slow    bool   // the server is available, and did not answer this request in time

	reason string
	cause  error
}

func (e *Error) Error() string {
	if e.Channel != "" {
		return fmt.Sprintf("channel %q: %s", e.Channel, e.reason)
	}
	return e.reason
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// The codes of replies, from Centrifugo's internal/apiproto/errors.go.
const (
	codeInternal       = 100
	codeUnknownChannel = 102
	codeBadRequest     = 107
	codeNotAvailable   = 108
)

// classifyReply returns the error for an error in the reply to a command or to one of its channels.
// An unknown code is Transient: its meaning is up to a newer server, and another attempt costs less
// than a lost message.
func classifyReply(channel string, reply *gocent.Error) *Error {
	e := &Error{Class: Transient, Channel: channel, Code: reply.Code}
	switch reply.Code {
	case codeInternal:
		e.reason = "Centrifugo failed with an internal error; see its log and its broker's"
	case codeUnknownChannel:
		e.Class, e.reason = Permanent, "Centrifugo has no such namespace"
	case codeBadRequest:
		e.Class, e.reason = Permanent, "Centrifugo rejects the request as malformed"
	case codeNotAvailable:
		e.Class, e.reason = Permanent, "Centrifugo has this feature disabled"
	default:
		e.reason = fmt.Sprintf("Centrifugo replied %q", reply.Message)
	}
	e.reason += fmt.Sprintf(" (code %d)", reply.Code)
	return e
}

// classify returns the error for a request to address that failed with err. Permanent means that
// the request contains something that cannot be sent.
func classify(address string, err error) *Error {
	var unwrapped *url.Error
	if errors.As(err, &unwrapped) {
		err = unwrapped.Err // the outer error repeats the URL, which may contain a password
	}
	e := &Error{Class: Unavailable, cause: err}
	var status gocent.ErrStatusCode
	var refused *grpcError
	switch {
	case errors.As(err, &status):
		e.Status, e.cause = status.Code, nil // its body may come from any server
		e.Class, e.reason = classifyStatus(address, status.Code, httpStatus(status.Code))
	case errors.As(err, &refused):
		e.Status, e.cause = refused.httpStatus(), nil
		e.Class, e.reason = classifyStatus(address, e.Status, refused.Error())
	case errors.Is(err, context.Canceled):
		e.reason = "publishing was cancelled"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		e.reason = fmt.Sprintf("Centrifugo at %s did not respond in time", address)
	case isResponse(err):
		e.reason = fmt.Sprintf("the response of %s is truncated or not Centrifugo's: %v", address, err)
	default:
		e.reason = fmt.Sprintf("Centrifugo at %s is unreachable: %v", address, err)
	}
	return e
}

// httpStatus returns the text for an HTTP status, such as "HTTP 404 Not Found".
func httpStatus(code int) string {
	return strings.TrimSpace(fmt.Sprintf("HTTP %d %s", code, http.StatusText(code)))
}

// classifyStatus returns the class and the reason for an HTTP status other than 200 or for a status
// of gRPC that means the same. text names the status that was received.
func classifyStatus(address string, status int, text string) (Class, string) {
	switch {
	case status == http.StatusBadRequest:
		return Permanent, fmt.Sprintf("Centrifugo at %s rejects the request as malformed (%s)", address, text)
	case status == http.StatusRequestEntityTooLarge:
		return Permanent, fmt.Sprintf("the message is too large for %s (%s)", address, text)
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Unavailable, fmt.Sprintf("Centrifugo at %s rejects the API key (%s)", address, text)
	case status >= http.StatusInternalServerError:
		return Unavailable, fmt.Sprintf("Centrifugo at %s is failing (%s)", address, text)
	}
	return Unavailable, fmt.Sprintf("%s is not Centrifugo's %s (%s)", address, apiName(address), text)
}

// apiName returns the name of the API that an address has to be.
func apiName(address string) string {
	if IsGRPC(address) {
		return "gRPC API"
	}
	return "HTTP API"
}

// isResponse reports whether err concerns the content of a response, not the connection.
func isResponse(err error) bool {
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	return errors.As(err, &syntax) || errors.As(err, &mismatch) ||
		errors.Is(err, gocent.ErrMalformedResponse) || errors.Is(err, errMalformed) || errors.Is(err, errNotGRPC) ||
		errors.Is(err, io.ErrUnexpectedEOF)
}

// errMalformed is the cause of the error for replies that do not match their commands.
var errMalformed = errors.New("the replies do not match the commands")
