package stream

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Position is where a reader stands: the id of the last event it was given and, if that came from
// Centrifugo, the place in the channel's history. Its text is the event's id in the stream.
type Position struct {
	Epoch  string // "" when the event came from the log
	Offset uint64
	Last   uuid.UUID
}

func (p Position) String() string {
	return fmt.Sprintf("%d.%s.%s", p.Offset, p.Last, url.QueryEscape(p.Epoch))
}

// ParsePosition reads what String wrote.
func ParsePosition(text string) (Position, error) {
	parts := strings.SplitN(text, ".", 3)
	if len(text) > 200 || len(parts) != 3 {
		return Position{}, fmt.Errorf("event id %.200q: must be one that this stream has sent", text)
	}
	offset, err := strconv.ParseUint(parts[0], 10, 64)
	if err != nil {
		return Position{}, fmt.Errorf("event id %.200q: must be one that this stream has sent", text)
	}
	last, err := uuid.Parse(parts[1])
	if err != nil || len(parts[1]) != 36 {
		return Position{}, fmt.Errorf("event id %.200q: must be one that this stream has sent", text)
	}
	epoch, err := url.QueryUnescape(parts[2])
	if err != nil {
		return Position{}, fmt.Errorf("event id %.200q: must be one that this stream has sent", text)
	}
	return Position{Epoch: epoch, Offset: offset, Last: last}, nil
}
