package api

import (
	"encoding/json"
	"net/http"
	"slices"
)

// Kind names a kind of problem. It never changes: clients decide by it.
type Kind string

// The kinds of problem.
const (
	Malformed       Kind = "malformed"
	InvalidCursor   Kind = "invalid-cursor"
	Unauthenticated Kind = "unauthenticated"
	Forbidden       Kind = "forbidden"
	DeniedChannels  Kind = "denied-channels"
	NotFound        Kind = "not-found"
	WrongMethod     Kind = "method-not-allowed"
	SlowRequest     Kind = "request-timeout"
	TooLarge        Kind = "body-too-large"
	LongURI         Kind = "uri-too-long"
	WrongMediaType  Kind = "unsupported-media-type"
	InvalidField    Kind = "invalid-field"
	TooMany         Kind = "too-many-requests"
	LargeHeaders    Kind = "headers-too-large"
	Internal        Kind = "internal"
	Unavailable     Kind = "unavailable"
)

// kindInfo is what a kind of problem always says.
type kindInfo struct {
	kind   Kind
	status int
	title  string
	detail string // unless the occurrence has one of its own
}

// kinds lists the kinds in the order of their statuses.
func kinds() []kindInfo {
	return []kindInfo{
		{Malformed, http.StatusBadRequest, "The request cannot be read", "The request is not well-formed."},
		{
			InvalidCursor,
			http.StatusBadRequest,
			"The cursor does not fit",
			"A cursor continues one list, with one filter, for the one it was made for.",
		},
		{
			Unauthenticated,
			http.StatusUnauthorized,
			"Who sends this is not known",
			"Send credentials that are accepted here.",
		},
		{
			Forbidden,
			http.StatusForbidden,
			"A right is missing",
			"The credentials do not carry the scope that this route needs.",
		},
		{
			DeniedChannels,
			http.StatusForbidden,
			"Some channels are denied",
			"No token was made, since some of the channels are not yours to hear.",
		},
		{NotFound, http.StatusNotFound, "Not found", "There is nothing here, or nothing that you may see."},
		{
			WrongMethod,
			http.StatusMethodNotAllowed,
			"The method is not allowed here",
			"The header Allow lists the methods that are.",
		},
		{
			SlowRequest,
			http.StatusRequestTimeout,
			"The request did not arrive in time",
			"The body did not arrive in time.",
		},
		{TooLarge, http.StatusRequestEntityTooLarge, "The body is too large", "The body is larger than is accepted."},
		{
			LongURI,
			http.StatusRequestURITooLong,
			"The URI is too long",
			"The path and the query are longer than is accepted.",
		},
		{
			WrongMediaType,
			http.StatusUnsupportedMediaType,
			"The media type is not accepted",
			"The body must be application/json, without a content coding.",
		},
		{
			InvalidField,
			http.StatusUnprocessableEntity,
			"Something breaks a rule",
			"Each entry of errors names a field and the rule that it breaks.",
		},
		{
			TooMany,
			http.StatusTooManyRequests,
			"Too many requests",
			"The header Retry-After says after how many seconds to try again.",
		},
		{
			LargeHeaders,
			http.StatusRequestHeaderFieldsTooLarge,
			"The headers are too large",
			"The headers are larger than is accepted.",
		},
		{
			Internal,
			http.StatusInternalServerError,
			"Something went wrong here",
			"The request could not be completed. The log tells why, by the request_id.",
		},
		{
			Unavailable,
			http.StatusServiceUnavailable,
			"Not available for now",
			"The request could not be completed for now. Try again.",
		},
	}
}

// kindOfStatus returns the first kind with a status.
func kindOfStatus(status int) Kind {
	all := kinds()
	i := slices.IndexFunc(all, func(k kindInfo) bool { return k.status == status })
	switch {
	case i >= 0:
		return all[i].kind
	case status >= http.StatusInternalServerError:
		return Internal
	default:
		return Malformed
	}
}

// Problem is a problem document (RFC 9457), and the error that is answered with it.
type Problem struct {
	Type      string      `json:"type" format:"uri-reference" doc:"Names the kind of problem; it never changes." example:"/problems/invalid-field"`
	Title     string      `json:"title" doc:"What the kind of problem is." example:"Something breaks a rule"`
	Status    int         `json:"status" doc:"The HTTP status." example:"422"`
	Detail    string      `json:"detail" doc:"What happened this time." example:"Each entry of errors names a field and the rule that it breaks."`
	Errors    []FieldRule `json:"errors,omitempty" nullable:"false" doc:"The fields that break a rule."`
	Denied    []string    `json:"denied_channels,omitempty" nullable:"false" doc:"The channels for which no token may be had."`
	RequestID string      `json:"request_id" doc:"The id of the request, as in the header X-Request-Id." example:"0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f"`

	headers http.Header
	cause   error // for the log alone
}

// FieldRule says which field breaks which rule.
type FieldRule struct {
	Field string `json:"field" doc:"The query parameter, path parameter or body field, as a path within the body." example:"subscriptions[3].scope"`
	Rule  string `json:"rule" doc:"The rule that it breaks." example:"expected value to be one of \"resource, descendants\""`
	Value any    `json:"value,omitempty" doc:"The value that was sent, shortened, where it is a text, a number or a boolean."`
}

// newProblem returns a problem that says what its kind always says.
func newProblem(k Kind) *Problem {
	all := kinds()
	info := all[slices.IndexFunc(all, func(i kindInfo) bool { return i.kind == k })]
	return &Problem{Type: "/problems/" + string(k), Title: info.title, Status: info.status, Detail: info.detail}
}

// refuse returns a problem of one field.
func refuse(k Kind, field, rule string) *Problem {
	p := newProblem(k)
	p.Errors = []FieldRule{{Field: shortened(field), Rule: rule}}
	return p
}

// with adds a header to the answer.
func (p *Problem) with(name, value string) *Problem {
	if p.headers == nil {
		p.headers = http.Header{}
	}
	p.headers.Set(name, value)
	return p
}

// saying replaces the detail.
func (p *Problem) saying(detail string) *Problem {
	p.Detail = detail
	return p
}

func (p *Problem) Error() string { return p.Title + ": " + p.Detail }

func (p *Problem) Unwrap() error { return p.cause }

// GetStatus is part of huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders is part of huma.HeadersError.
func (p *Problem) GetHeaders() http.Header { return p.headers }

// ContentType is part of huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// write answers with the problem.
func (p *Problem) write(w http.ResponseWriter, requestID string) {
	answer := *p
	answer.RequestID = requestID
	for name, values := range p.headers {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	body := json.NewEncoder(w)
	body.SetEscapeHTML(false)
	_ = body.Encode(answer) // the client may be gone
}

// shortened returns enough of a text to recognise it.
func shortened(text string) string {
	const enough = 100
	n := 0
	for i := range text {
		if n++; n > enough {
			return text[:i] + "…"
		}
	}
	return text
}
