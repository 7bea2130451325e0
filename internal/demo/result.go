package demo

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Result is what came of one scene.
type Result struct {
	Number     int       `json:"number"`
	Title      string    `json:"title"`
	Story      string    `json:"story"`
	Tenant     string    `json:"tenant"`
	Action     string    `json:"action"` // "" when nothing was to be recorded
	Resource   string    `json:"resource"`
	Actor      string    `json:"actor"`
	ActivityID uuid.UUID `json:"activity_id"`
	Committed  bool      `json:"committed"`
	Requests   []Request `json:"requests"` // to the API
	Heard      []Heard   `json:"heard"`
	InboxOnly  []Heard   `json:"inbox_only"` // found it in the inbox; not pushed, being muted
	Shared     []Heard   `json:"shared"`     // on channels that many share
	Unread     []Unread  `json:"unread"`     // told of a new unread count
	Silent     []Silent  `json:"silent"`
	Mismatches []string  `json:"mismatches"`
}

// Request is what somebody asked of the API.
type Request struct {
	Who          string          `json:"who"`
	Tenant       string          `json:"tenant"`
	Method       string          `json:"method"`
	Path         string          `json:"path"` // with the query
	Body         json.RawMessage `json:"body,omitempty"`
	Status       int             `json:"status"`
	Note         string          `json:"note,omitempty"` // what the answer says, in a few words
	Milliseconds float64         `json:"milliseconds"`   // until the answer was there
}

// Unread is somebody whose open clients were told how much is unread.
type Unread struct {
	Who          string  `json:"who"`
	Count        int     `json:"count"`
	Milliseconds float64 `json:"milliseconds"` // from the request to the socket
}

// Heard is somebody who received it.
type Heard struct {
	Who          string   `json:"who"`
	Reasons      []string `json:"reasons,omitempty"`      // as the inbox has them
	Channel      string   `json:"channel,omitempty"`      // "resource" or "tenant", of a shared one
	Milliseconds float64  `json:"milliseconds,omitempty"` // from COMMIT to the socket
}

// Silent is somebody who did not.
type Silent struct {
	Who    string `json:"who"`
	Tenant string `json:"tenant"`
	Why    Why    `json:"why"`
	Detail string `json:"detail"` // in words
}

// Summary is what came of all scenes.
type Summary struct {
	Scenes        int      `json:"scenes"`
	Committed     int      `json:"committed"` // activities in the log
	RolledBack    int      `json:"rolled_back"`
	Deliveries    int      `json:"deliveries"` // activities on people's own channels
	Shared        int      `json:"shared_deliveries"`
	InboxRows     int      `json:"inbox_rows"`
	P50           float64  `json:"p50_milliseconds"` // from COMMIT to the socket
	P99           float64  `json:"p99_milliseconds"`
	Requests      int      `json:"requests"` // to the API
	RequestP99    float64  `json:"request_p99_milliseconds"`
	DeadLetters   int      `json:"dead_letters"`
	Pending       int      `json:"pending"`    // not delivered yet
	Mismatches    int      `json:"mismatches"` // in the scenes, and those named here
	Discrepancies []string `json:"discrepancies,omitempty"`
	Seconds       float64  `json:"seconds"`
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
}
