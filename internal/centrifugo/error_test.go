package centrifugo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/centrifugal/gocent/v3"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	viaHTTP := func(err error) error {
		return &url.Error{Op: "Post", URL: "http://host/api?api_key=hidden", Err: err}
	}
	tests := map[string]struct {
		err   error
		class Class
		words string
	}{
		"400": {gocent.ErrStatusCode{Code: 400}, Permanent, "malformed (HTTP 400 Bad Request)"},
		"413": {gocent.ErrStatusCode{Code: 413}, Permanent, "too large"},
		"401": {gocent.ErrStatusCode{Code: 401, Body: []byte("hidden")}, Unavailable, "rejects the API key"},
		"403": {gocent.ErrStatusCode{Code: 403}, Unavailable, "rejects the API key"},
		"302": {gocent.ErrStatusCode{Code: 302}, Unavailable, "is not Centrifugo's HTTP API"},
		"404": {gocent.ErrStatusCode{Code: 404}, Unavailable, "is not Centrifugo's HTTP API"},
		"429": {gocent.ErrStatusCode{Code: 429}, Unavailable, "(HTTP 429 Too Many Requests)"},
		"500": {gocent.ErrStatusCode{Code: 500}, Unavailable, "is failing"},
		"599": {gocent.ErrStatusCode{Code: 599}, Unavailable, "is failing (HTTP 599)"},
		"503": {gocent.ErrStatusCode{Code: 503}, Unavailable, "is failing"},
		"refused": {
			viaHTTP(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}),
			Unavailable,
			"is unreachable",
		},
		"timeout":   {viaHTTP(context.DeadlineExceeded), Unavailable, "did not respond in time"},
		"cancelled": {viaHTTP(context.Canceled), Unavailable, "cancelled"},
		"closed":    {viaHTTP(io.EOF), Unavailable, "is unreachable"},
		"truncated": {io.ErrUnexpectedEOF, Unavailable, "truncated"},
		"not JSON":  {&json.SyntaxError{}, Unavailable, "truncated or not Centrifugo's"},
		"gRPC 3":    {&grpcError{code: 3}, Permanent, "malformed (gRPC status 3 INVALID_ARGUMENT)"},
		"gRPC 4":    {&grpcError{code: 4}, Unavailable, "is failing (gRPC status 4 DEADLINE_EXCEEDED)"},
		"gRPC 7":    {&grpcError{code: 7}, Unavailable, "rejects the API key (gRPC status 7 PERMISSION_DENIED)"},
		"gRPC 8": {
			&grpcError{code: 8, message: "rate limit"}, Unavailable, "is failing (gRPC status 8 RESOURCE_EXHAUSTED)",
		},
		"gRPC 8, large": {
			&grpcError{code: 8, message: "grpc: received message larger than max (5 vs. 4)"}, Permanent, "too large",
		},
		"gRPC 12":       {&grpcError{code: 12, message: "hidden"}, Unavailable, "is not Centrifugo's HTTP API"},
		"gRPC 13":       {&grpcError{code: 13, message: "hidden"}, Unavailable, "is failing (gRPC status 13 INTERNAL)"},
		"gRPC 16":       {&grpcError{code: 16}, Unavailable, "rejects the API key (gRPC status 16 UNAUTHENTICATED)"},
		"gRPC 17":       {&grpcError{code: 17}, Unavailable, "is failing (gRPC status 17)"},
		"wrong replies": {gocent.ErrMalformedResponse, Unavailable, "truncated or not Centrifugo's"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := classify("http://host/api", test.err)
			if got.Class != test.class || !strings.Contains(got.Error(), test.words) {
				t.Errorf("got %s %q, want %s with %q", got.Class, got, test.class, test.words)
			}
			for err := error(got); err != nil; err = errors.Unwrap(err) {
				if strings.Contains(err.Error(), "hidden") {
					t.Errorf("%q tells a secret", err)
				}
			}
			wrapped := fmt.Errorf("publish: %w", got)
			if as := new(Error); !errors.As(wrapped, &as) || as.Class != test.class {
				t.Error("errors.As does not find the class")
			}
		})
	}
}

func TestClassifyReply(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]Class{
		100: Transient, 102: Permanent, 104: Transient, 107: Permanent, 108: Permanent, 112: Transient, 4999: Transient,
	} {
		got := classifyReply("news", &gocent.Error{Code: code, Message: "hm"})
		if got.Class != want || got.Code != code || !strings.Contains(got.Error(), `channel "news": Centrifugo`) {
			t.Errorf("code %d: got %s %q, want %s", code, got.Class, got, want)
		}
	}
}

func TestAccepted(t *testing.T) {
	t.Parallel()
	for result, want := range map[string]bool{
		`{"responses":[{"result":{"offset":1,"epoch":"abcd"}},{"result":{}}]}`:                   true,
		`{"responses":[{"result":{"offset":1,"epoch":"abcd"}}]}`:                                 false,
		`{"responses":[{"result":{}},{"result":{}},{"result":{}}]}`:                              false,
		`{"responses":[{"error":{"code":100,"message":"internal server error"}},{"result":{}}]}`: false,
		`{"responses":[{"result":{}},{"result":{"epoch":"{\"result\":{"}}]}`:                     true,
		`{"responses":[{"result":{"epoch":"{\"result\":{"}}]}`:                                   false,
		`{}`: false,
		``:   false,
	} {
		if got := broadcastAccepted([]byte(result), 2); got != want {
			t.Errorf("%s: got %t, want %t", result, got, want)
		}
	}
}

// broadcastAccepted reports whether allAccepted accepts the response to a batch of one broadcast.
func broadcastAccepted(result []byte, channels int) bool {
	answer := append(append([]byte(`{"replies":[{"broadcast":`), result...), "}]}"...)
	return allAccepted(answer, []command{{channels: make([]string, channels)}})
}

// allAccepted never accepts a response that decoding rejects.
func FuzzAccepted(f *testing.F) {
	f.Add([]byte(`{"responses":[{"result":{"offset":1,"epoch":"abcd"}},{"result":{}}]}`), 2)
	f.Add([]byte(`{"responses":[{"error":{"code":100}},{"result":{"epoch":"{\"result\":{"}}]}`), 2)
	f.Fuzz(func(t *testing.T, data []byte, channels int) {
		var result struct {
			Responses []struct {
				Error  *struct{ Code int }
				Result *struct {
					Offset uint64
					Epoch  string
				}
			}
		}
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		if d.Decode(&result) != nil || bytes.Count(data, []byte(`"responses"`)) != 1 {
			return // no result of a broadcast
		}
		if channels < 0 || channels > 100 || !broadcastAccepted(data, channels) {
			return
		}
		if len(result.Responses) != channels {
			t.Errorf("%s: accepted for %d channels", data, channels)
		}
		for _, response := range result.Responses {
			if response.Error != nil || response.Result == nil {
				t.Errorf("%s: accepted", data)
			}
		}
	})
}
