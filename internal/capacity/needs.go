package capacity

import (
	"slices"
	"strings"
	"time"

	"github.com/fanfarehq/fanfare/activity/invalid"
)

// Term is one product of a need.
type Term struct {
	What  string  `json:"what"`
	Rate  float64 `json:"rate"`           // in a second, or a number
	Cost  Name    `json:"cost,omitempty"` // "" if Each is no measured cost
	Each  float64 `json:"each"`           // microseconds, or bytes
	Total float64 `json:"total"`          // in the unit of the need
}

// Need is what the load takes of one resource: the sum of its terms.
type Need struct {
	ID    string  `json:"id"`
	Unit  Unit    `json:"unit"`
	Terms []Term  `json:"terms"`
	Total float64 `json:"total"`
}

// Unit is the unit of a need.
type Unit string

// The units.
const (
	BusyCores Unit = "busy_cores" // cores that are in use all the time
	PerSecond Unit = "bytes_per_second"
	Bytes     Unit = "bytes"
)

// The ids of the needs.
const (
	NeedWorkers          = "workers"
	NeedPostgres         = "postgres"
	NeedAPI              = "api"
	NeedCentrifugo       = "centrifugo"
	NeedRedis            = "redis"
	NeedServices         = "services"
	NeedWAL              = "wal"
	NeedAverageWAL       = "wal_average"
	NeedDisk             = "disk"
	NeedCentrifugoMemory = "centrifugo_memory"
	NeedRedisMemory      = "redis_memory"
	NeedAPIMemory        = "api_memory"
)

// rates are what happens in a second.
type rates struct {
	activities    float64
	recipients    float64 // of activities that are not wide
	wide          float64 // recipients of wide activities
	publications  float64
	messages      float64 // to sockets
	reads         float64
	notifications float64
	keys          float64
}

func ratesOf(l Load, activities float64) rates {
	r := rates{activities: activities, reads: l.Connections * l.Reads, keys: activities * l.Correlated}
	r.recipients = activities * (1 - l.WideShare) * l.Watchers
	r.wide = activities * l.WideShare * max(l.WideWatchers, l.Watchers)
	r.publications = activities + r.recipients + r.wide
	if l.Connections > 0 {
		r.messages = (r.recipients + r.wide) * l.Online
	}
	if l.Inbox {
		r.notifications = r.recipients + r.wide
	}
	return r
}

// history is the time for which Centrifugo keeps publications, in the configuration of deploy/.
const history = 10 * time.Minute

// outage is the time for which the outbox must have space while Centrifugo is away.
const outage = time.Hour

// day and month, of 30 days, are periods of the output.
const (
	day   = 24 * time.Hour
	month = 30 * day
)

// cpu returns a need of CPU time.
func (c Costs) cpu(id string, terms ...Term) Need { return c.need(id, BusyCores, 1e-6, terms) }

func (c Costs) need(id string, unit Unit, factor float64, terms []Term) Need {
	n := Need{ID: id, Unit: unit}
	for _, t := range terms {
		if t.Cost != "" {
			t.Each += c.of(t.Cost)
		}
		if t.Total = t.Rate * t.Each * factor; t.Total > 0 {
			n.Terms, n.Total = append(n.Terms, t), n.Total+t.Total
		}
	}
	return n
}

func times(what string, rate float64, cost Name) Term {
	return Term{What: what, Rate: rate, Cost: cost}
}

// cpuNeeds returns the needs of CPU time. What is removed by retention is removed at the average
// rate at which it is written.
func (c Costs) cpuNeeds(l Load, shared bool) []Need {
	peak, average := ratesOf(l, l.Peak), ratesOf(l, l.Activities)
	redis := 0.0
	if shared {
		redis = peak.publications
	}
	narrowNotifications := 0.0
	if l.Inbox {
		narrowNotifications = peak.recipients
	}
	return []Need{
		c.cpu(NeedWorkers,
			times("activities", peak.activities, DeliverWorker),
			times("recipients", peak.recipients, RecipientWorker),
			times("notifications", narrowNotifications, NotifyWorker),
			times("recipients of wide activities", peak.wide, WideWorker)),
		c.cpu(NeedPostgres,
			times("activities recorded", peak.activities, RecordPostgres),
			times("correlation ids", peak.keys, CorrelatePostgres),
			times("activities delivered", peak.activities, DeliverPostgres),
			times("recipients", peak.recipients, RecipientPostgres),
			times("notifications", narrowNotifications, NotifyPostgres),
			times("recipients of wide activities", peak.wide, WidePostgres),
			times("reads", peak.reads, ReadPostgres),
			times("rows removed by retention", average.notifications+average.keys, PurgePostgres)),
		c.cpu(NeedAPI, times("reads", peak.reads, ReadAPI)),
		c.cpu(NeedCentrifugo,
			times("activities", peak.activities, DeliverCentrifugo),
			times("recipients", peak.recipients, RecipientCentrifugo),
			times("recipients of wide activities", peak.wide, WideCentrifugo),
			times("messages to clients", peak.messages, MessageCentrifugo),
			times("publications by Redis", redis, RedisPublicationNode)),
		c.cpu(NeedRedis, times("publications", redis, RedisPublication)),
		c.cpu(NeedServices, times("activities recorded", peak.activities, RecordService)),
	}
}

// byteNeeds returns the needs of write-ahead log, disk and memory.
func (c Costs) byteNeeds(l Load, shared bool) []Need {
	peak, average := ratesOf(l, l.Peak), ratesOf(l, l.Activities)
	kept := 0.0
	if shared {
		kept = peak.publications * history.Seconds()
	}
	wal := func(r rates) []Term {
		return []Term{
			times("activities recorded", r.activities, RecordWAL),
			times("correlation ids", r.keys, CorrelateWAL),
			{What: "payloads", Rate: r.activities, Each: l.Payload},
			times("activities delivered", r.activities, DeliverWAL),
			times("notifications", r.notifications, NotifyWAL),
			times("rows removed by retention", average.notifications+average.keys, PurgeWAL),
		}
	}
	stored := l.Activities * l.LogRetention.Seconds()
	return []Need{
		c.need(NeedWAL, PerSecond, 1, wal(peak)),
		c.need(NeedAverageWAL, PerSecond, 1, wal(average)),
		c.need(NeedDisk, Bytes, 1, []Term{
			times("activities", stored, ActivityBytes),
			{What: "payloads", Rate: stored, Each: l.Payload * c.of(PayloadBytes)},
			times("notifications", average.notifications*l.InboxRetention.Seconds(), NotificationBytes),
			times("idempotency keys", average.keys*l.KeyRetention.Seconds(), KeyBytes),
			times("pending after an hour's outage", peak.activities*outage.Seconds(), OutboxBytes),
		}),
		c.need(NeedCentrifugoMemory, Bytes, 1, []Term{times("connections", l.Connections, ConnectionCentrifugo)}),
		c.need(NeedRedisMemory, Bytes, 1, []Term{
			times("publications of ten minutes", kept, RedisPublicationBytes),
			{What: "their payloads", Rate: kept, Each: l.Payload},
		}),
		c.need(NeedAPIMemory, Bytes, 1, []Term{times("streams", l.Streams, StreamAPI)}),
	}
}

// growth returns what a day adds to the disk, while nothing expires.
func (c Costs) growth(l Load) float64 {
	r := ratesOf(l, l.Activities)
	each := c.of(ActivityBytes) + l.Payload*c.of(PayloadBytes)
	return day.Seconds() * (r.activities*each + r.notifications*c.of(NotificationBytes) + r.keys*c.of(KeyBytes))
}

func sortFields(fields []invalid.Field) {
	slices.SortFunc(fields, func(a, b invalid.Field) int { return strings.Compare(a.Name, b.Name) })
}
