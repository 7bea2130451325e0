package stream

import (
	"encoding/json"
	"sync"

	"github.com/centrifugal/centrifuge-go"

	"github.com/fanfarehq/fanfare/activity"
)

// Event is one message of a stream. All readers share it and must not modify it.
type Event struct {
	activity.Event
	Position Position
	Data     []byte // the JSON as it was published, on one line
}

// feed is the subscription to one tenant's channel, with its readers.
type feed struct {
	sub   *centrifuge.Subscription
	ready chan struct{} // closed once subscribed

	mu      sync.Mutex
	epoch   string
	offset  uint64 // of the last event passed to readers
	readers map[*Reader]struct{}
	unread  bool // whether it has had no reader since the last call of idle
}

func (f *feed) add(r *Reader) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readers[r] = struct{}{}
	f.unread = false
}

func (f *feed) remove(r *Reader) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.readers, r)
}

func (f *feed) len() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.readers)
}

// idle reports whether the feed has had no reader since the last call.
func (f *feed) idle() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	idle := f.unread && len(f.readers) == 0
	f.unread = len(f.readers) == 0
	return idle
}

// position returns the position of the last event passed to readers.
func (f *feed) position() (epoch string, offset uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.epoch, f.offset
}

// subscribed stores the position of the channel. If Centrifugo could not recover the events of an
// interruption, it drops the readers, which reconnect and catch up one by one.
func (f *feed) subscribed(e centrifuge.SubscribedEvent) {
	f.mu.Lock()
	if e.StreamPosition != nil && !e.Recovered {
		f.epoch, f.offset = e.StreamPosition.Epoch, e.StreamPosition.Offset
	}
	f.mu.Unlock()
	if e.WasRecovering && !e.Recovered {
		f.dropAll(ErrLost)
	}
	select {
	case <-f.ready:
	default:
		close(f.ready)
	}
}

// publish passes an event to every reader, and drops the readers whose buffers are full.
func (f *feed) publish(offset uint64, data []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.offset = offset
	e := newEvent(f.epoch, offset, data)
	for r := range f.readers {
		select {
		case r.live <- e:
		default:
			r.drop(ErrSlow)
			delete(f.readers, r)
		}
	}
}

// newEvent decodes a message. A message that is not an event, from another publisher, has no id and
// matches no filter.
func newEvent(epoch string, offset uint64, data []byte) *Event {
	e := &Event{Data: data, Position: Position{Epoch: epoch, Offset: offset}}
	if json.Unmarshal(data, &e.Event) == nil {
		e.Position.Last = e.EventID
	}
	return e
}

func (f *feed) dropAll(reason error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for r := range f.readers {
		r.drop(reason)
		delete(f.readers, r)
	}
}
