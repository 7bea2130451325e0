package stream

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Position is what a reader has received of a stream: the events of the channel's history up to an
// offset, and the activities that were recorded before a time. Its text is the id of a server-sent
// event.
type Position struct {
	Epoch  string // of the history; "" if the reader has not received the channel
	Offset uint64
	// Settled is a time by the clock of the database, in milliseconds. The reader has received each
	// activity of the stream that was recorded before it.
	Settled time.Time
}

// String returns the text that ParsePosition parses.
func (p Position) String() string {
	return fmt.Sprintf("%d.%d.%s", p.Offset, p.Settled.UnixMilli(), url.QueryEscape(p.Epoch))
}

// maxMillis is the last millisecond of a UUIDv7.
const maxMillis = 1<<48 - 1

// ParsePosition parses the text that String returns.
func ParsePosition(text string) (Position, error) {
	invalid := fmt.Errorf("event id %.200q: must be an id of this stream", text)
	parts := strings.SplitN(text, ".", 3)
	if len(text) > 200 || len(parts) != 3 {
		return Position{}, invalid
	}
	offset, offsetErr := strconv.ParseUint(parts[0], 10, 64)
	millis, millisErr := strconv.ParseInt(parts[1], 10, 64)
	epoch, epochErr := url.QueryUnescape(parts[2])
	if offsetErr != nil || millisErr != nil || epochErr != nil || millis < 0 || millis > maxMillis {
		return Position{}, invalid
	}
	return Position{Epoch: epoch, Offset: offset, Settled: time.UnixMilli(millis)}, nil
}
