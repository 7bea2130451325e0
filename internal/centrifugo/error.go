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

	"github.com/centrifugal/gocent/v3"
)

// Class says what a failure means to whoever wanted to publish.
type Class uint8

// The classes, from the one that no repetition mends to the one that has nothing
// to do with the message.
const (
	// Permanent: this message will never be accepted on this channel.
	Permanent Class = iota + 1
	// Transient: the server is there and failed with this channel; later it may not.
	Transient
	// Unavailable: the server cannot be reached, does not answer in time, answers
	// for all with an error, or refuses our key. No message is to blame.
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

// Error is why a publication was not accepted, in words for a person. It never
// holds the API key. errors.Is and errors.As find the cause, such as
// context.DeadlineExceeded or syscall.ECONNREFUSED.
type Error struct {
	Class   Class
	Channel string // the channel it is about, when it is about one
	Code    int    // the error code of Centrifugo's reply, when there was one
	Status  int    // the HTTP status, when it is not 200

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

// classifyReply says what an error in the reply to a command or to one channel
// of it means. An unknown code counts as transient: a newer server may have
// meant anything by it, and a retry costs less than a lost message.
func classifyReply(channel string, reply *gocent.Error) *Error {
	e := &Error{Class: Transient, Channel: channel, Code: reply.Code}
	switch reply.Code {
	case codeInternal:
		e.reason = "Centrifugo had an internal error; its log and its broker's say more"
	case codeUnknownChannel:
		e.Class, e.reason = Permanent, "Centrifugo has no such namespace"
	case codeBadRequest:
		e.Class, e.reason = Permanent, "Centrifugo calls the request malformed"
	case codeNotAvailable:
		e.Class, e.reason = Permanent, "Centrifugo has this switched off"
	default:
		e.reason = fmt.Sprintf("Centrifugo answered %q", reply.Message)
	}
	e.reason += fmt.Sprintf(" (code %d)", reply.Code)
	return e
}

// classify says what it means that a whole pipe sent to address failed with err.
// Permanent is said of the pipe as one: it holds something that cannot be sent.
func classify(address string, err error) *Error {
	var unwrapped *url.Error
	if errors.As(err, &unwrapped) {
		err = unwrapped.Err // the rest of it is the URL, perhaps with a password
	}
	e := &Error{Class: Unavailable, cause: err}
	var status gocent.ErrStatusCode
	var encoding *json.MarshalerError
	switch {
	case errors.As(err, &encoding), errors.Is(err, errNotJSON):
		e.Class, e.reason = Permanent, "the payload is not valid JSON"
	case errors.As(err, &status):
		e.Status, e.cause = status.Code, nil // its body is anybody's
		e.Class, e.reason = classifyStatus(address, status.Code)
	case errors.Is(err, context.Canceled):
		e.reason = "publishing was interrupted"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		e.reason = fmt.Sprintf("Centrifugo at %s did not answer in time", address)
	case isAnswer(err):
		e.reason = fmt.Sprintf("the answer from %s is cut short or not Centrifugo's: %v", address, err)
	default:
		e.reason = fmt.Sprintf("Centrifugo at %s cannot be reached: %v", address, err)
	}
	return e
}

// classifyStatus says what an HTTP status other than 200 means.
func classifyStatus(address string, status int) (Class, string) {
	switch {
	case status == http.StatusBadRequest:
		return Permanent, fmt.Sprintf("Centrifugo at %s calls the request malformed (HTTP 400)", address)
	case status == http.StatusRequestEntityTooLarge:
		return Permanent, fmt.Sprintf("the message is too large for %s (HTTP 413)", address)
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Unavailable, fmt.Sprintf("Centrifugo at %s refuses the API key (HTTP %d)", address, status)
	case status >= http.StatusInternalServerError:
		return Unavailable, fmt.Sprintf(
			"Centrifugo at %s is failing (HTTP %d %s)",
			address,
			status,
			http.StatusText(status),
		)
	}
	return Unavailable, fmt.Sprintf(
		"%s is not Centrifugo's HTTP API (HTTP %d %s)",
		address,
		status,
		http.StatusText(status),
	)
}

// isAnswer tells whether err is about what was read rather than about reaching
// the server.
func isAnswer(err error) bool {
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	return errors.As(err, &syntax) || errors.As(err, &mismatch) ||
		errors.Is(err, gocent.ErrMalformedResponse) || errors.Is(err, errMalformed) ||
		errors.Is(err, io.ErrUnexpectedEOF)
}

// errMalformed is the cause when replies do not match their commands.
var errMalformed = errors.New("the replies do not match the commands")
