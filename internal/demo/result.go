package demo

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Result is the result of one scene.
type Result struct {
	Type       string      `json:"type"` // set in the output
	Number     int         `json:"number"`
	Title      string      `json:"title"`
	Story      string      `json:"story"`
	Tenant     string      `json:"tenant"`
	Action     string      `json:"action"` // "" if the scene records nothing
	Resource   string      `json:"resource"`
	Actor      string      `json:"actor"`
	ActivityID uuid.UUID   `json:"activity_id"`
	Committed  bool        `json:"committed"`
	Requests   []Request   `json:"requests"` // to the API
	Recipients []Recipient `json:"heard"`
	InboxOnly  []Recipient `json:"inbox_only"` // muted recipients, who received no push
	Shared     []Recipient `json:"shared"`     // on shared channels
	Unread     []Unread    `json:"unread"`
	Others     []Other     `json:"silent"`
	Mismatches []string    `json:"mismatches"`
}

// Request is a request to the API.
type Request struct {
	Who          string          `json:"who"`
	Tenant       string          `json:"tenant"`
	Method       string          `json:"method"`
	Path         string          `json:"path"` // with the query
	Body         json.RawMessage `json:"body,omitempty"`
	Status       int             `json:"status"`
	Note         string          `json:"note,omitempty"` // a summary of the response
	Milliseconds float64         `json:"milliseconds"`   // until the response was read
}

// Unread is an unread count that a client received.
type Unread struct {
	Who          string  `json:"who"`
	Count        int     `json:"count"`
	Milliseconds float64 `json:"milliseconds"` // from the request to the socket
}

// Recipient is a person who received the activity.
type Recipient struct {
	Who          string   `json:"who"`
	Reasons      []string `json:"reasons,omitempty"`      // of the inbox row
	Channel      string   `json:"channel,omitempty"`      // "resource" or "tenant" for a shared channel
	Milliseconds float64  `json:"milliseconds,omitempty"` // from COMMIT to the socket
}

// Other is a person who did not receive it.
type Other struct {
	Who    string `json:"who"`
	Tenant string `json:"tenant"`
	Why    Why    `json:"why"`
	Detail string `json:"detail"` // a description of Why
}

// Summary is the result of all scenes.
type Summary struct {
	Type          string   `json:"type"` // set in the output
	Scenes        int      `json:"scenes"`
	Committed     int      `json:"committed"` // activities in the log
	RolledBack    int      `json:"rolled_back"`
	Deliveries    int      `json:"deliveries"` // pushes on people's own channels
	Shared        int      `json:"shared_deliveries"`
	InboxRows     int      `json:"inbox_rows"`
	P50           float64  `json:"p50_milliseconds"` // from COMMIT to the socket
	P99           float64  `json:"p99_milliseconds"`
	Requests      int      `json:"requests"` // to the API
	RequestP99    float64  `json:"request_p99_milliseconds"`
	DeadLetters   int      `json:"dead_letters"`
	Pending       int      `json:"pending"`    // activities that are not delivered
	Mismatches    int      `json:"mismatches"` // of the scenes, and the discrepancies
	Discrepancies []string `json:"discrepancies,omitempty"`
	Seconds       float64  `json:"seconds"`
}

// milliseconds converts a duration, with a resolution of 10 µs.
func milliseconds(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
}
