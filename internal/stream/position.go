package stream

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Position is the position of an event in a stream: its id and, if the event came from Centrifugo,
// its position in the channel's history. Its text is the id of a server-sent event.
type Position struct {
	Epoch  string // "" if the event came from the activity log
	Offset uint64
	Last   uuid.UUID
}

// String returns the text that ParsePosition parses.
func (p Position) String() string {
	return fmt.Sprintf("%d.%s.%s", p.Offset, p.Last, url.QueryEscape(p.Epoch))
}

// ParsePosition parses the text that String returns.
func ParsePosition(text string) (Position, error) {
	invalid := fmt.Errorf("event id %.200q: must be an id of this stream", text)
	parts := strings.SplitN(text, ".", 3)
	if len(text) > 200 || len(parts) != 3 || len(parts[1]) != 36 {
		return Position{}, invalid
	}
	offset, offsetErr := strconv.ParseUint(parts[0], 10, 64)
	last, lastErr := uuid.Parse(parts[1])
	epoch, epochErr := url.QueryUnescape(parts[2])
	if offsetErr != nil || lastErr != nil || epochErr != nil {
		return Position{}, invalid
	}
	return Position{Epoch: epoch, Offset: offset, Last: last}, nil
}
