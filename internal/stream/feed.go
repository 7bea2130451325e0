package stream

import (
	"encoding/json"
	"sync"

	"github.com/centrifugal/centrifuge-go"

	"github.com/fanfarehq/fanfare/activity"
)

// Event is one message of a stream, shared by all its readers, who must not change it.
type Event struct {
	activity.Event
	Position Position
	Data     []byte // the event as it came: JSON on one line
}

// feed is the subscription to one tenant's channel and those who read it.
type feed struct {
	sub   *centrifuge.Subscription
	ready chan struct{} // closed once subscribed

	mu      sync.Mutex
	epoch   string
	offset  uint64 // of the last event given out
	readers map[*Reader]struct{}
	unread  bool // nobody has read it since idle last asked
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

// idle reports whether there is no reader, and was none when it was last asked.
func (f *feed) idle() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	idle := f.unread && len(f.readers) == 0
	f.unread = len(f.readers) == 0
	return idle
}

// position is what the feed has given out so far.
func (f *feed) position() (epoch string, offset uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.epoch, f.offset
}

// subscribed notes where the channel stands. After an interruption that Centrifugo could not
// bridge, events are missing: the readers come back by themselves and are caught up one by one.
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

// publish gives an event to every reader; one whose buffer is full is dropped.
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

// newEvent reads a message. One that is not an event, published by somebody else, has no id and
// passes no filter.
func newEvent(epoch string, offset uint64, data []byte) *Event {
	e := &Event{Data: data, Position: Position{Epoch: epoch, Offset: offset}}
	if json.Unmarshal(data, &e.Event) == nil {
		e.Position.Last = e.EventID
	}
	return e
}

func (f *feed) dropAll(why error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for r := range f.readers {
		r.drop(why)
		delete(f.readers, r)
	}
}
