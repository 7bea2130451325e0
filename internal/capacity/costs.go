package capacity

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/fanfarehq/fanfare/activity/invalid"
)

// Name is the name of a cost in a file of costs.
type Name string

// The costs. CPU times are microseconds of one core.
const (
	RecordService  Name = "record_service_us"
	RecordPostgres Name = "record_postgres_us"
	RecordWAL      Name = "record_wal_bytes"

	CorrelatePostgres Name = "correlate_postgres_us"
	CorrelateWAL      Name = "correlate_wal_bytes"

	DeliverWorker     Name = "deliver_worker_us"
	DeliverPostgres   Name = "deliver_postgres_us"
	DeliverCentrifugo Name = "deliver_centrifugo_us"
	DeliverWAL        Name = "deliver_wal_bytes"

	RecipientWorker     Name = "recipient_worker_us"
	RecipientPostgres   Name = "recipient_postgres_us"
	RecipientCentrifugo Name = "recipient_centrifugo_us"

	NotifyWorker   Name = "notify_worker_us"
	NotifyPostgres Name = "notify_postgres_us"
	NotifyWAL      Name = "notify_wal_bytes"

	WideWorker     Name = "wide_worker_us"
	WidePostgres   Name = "wide_postgres_us"
	WideCentrifugo Name = "wide_centrifugo_us"

	MessageCentrifugo    Name = "message_centrifugo_us"
	ConnectionCentrifugo Name = "connection_centrifugo_bytes"
	StreamAPI            Name = "stream_api_bytes"
	ReadAPI              Name = "read_api_us"
	ReadPostgres         Name = "read_postgres_us"

	RedisPublication      Name = "publication_redis_us"
	RedisPublicationNode  Name = "publication_redis_centrifugo_us"
	RedisPublicationBytes Name = "publication_redis_bytes"

	ActivityBytes     Name = "activity_bytes"
	PayloadBytes      Name = "payload_byte_bytes"
	KeyBytes          Name = "idempotency_key_bytes"
	OutboxBytes       Name = "outbox_bytes"
	NotificationBytes Name = "notification_bytes"

	PurgePostgres Name = "purge_postgres_us"
	PurgeWAL      Name = "purge_wal_bytes"
)

// Description describes a cost.
type Description struct {
	Name Name
	What string
}

// Descriptions returns all costs in the order of the documentation.
func Descriptions() []Description {
	return []Description{
		{RecordService, "CPU time of the service that records an activity in a transaction of its own"},
		{RecordPostgres, "CPU time of PostgreSQL for the same"},
		{RecordWAL, "write-ahead log of the same"},
		{CorrelatePostgres, "CPU time of PostgreSQL that a correlation id adds to it: an idempotency key is stored"},
		{CorrelateWAL, "write-ahead log of the same"},
		{DeliverWorker, "CPU time of the worker to deliver an activity, without its recipients"},
		{DeliverPostgres, "CPU time of PostgreSQL for the same"},
		{DeliverCentrifugo, "CPU time of Centrifugo for the same: the publication to the resource's channel"},
		{DeliverWAL, "write-ahead log of delivering an activity, without its notifications"},
		{RecipientWorker, "CPU time of the worker to resolve, decide on and publish to a recipient"},
		{RecipientPostgres, "CPU time of PostgreSQL for the same"},
		{RecipientCentrifugo, "CPU time of Centrifugo for the same"},
		{NotifyWorker, "CPU time of the worker to write a notification"},
		{NotifyPostgres, "CPU time of PostgreSQL for the same"},
		{NotifyWAL, "write-ahead log of a notification"},
		{WideWorker, "CPU time of the worker for a recipient of a wide activity, notification included"},
		{WidePostgres, "CPU time of PostgreSQL for the same"},
		{WideCentrifugo, "CPU time of Centrifugo for the same"},
		{MessageCentrifugo, "CPU time of Centrifugo to write a message to the socket of a client"},
		{ConnectionCentrifugo, "memory of Centrifugo for a connection"},
		{StreamAPI, "memory of the API server for an activity stream under load"},
		{ReadAPI, "CPU time of the API server to answer with a page of an inbox"},
		{ReadPostgres, "CPU time of PostgreSQL for the same"},
		{RedisPublication, "CPU time of Redis for a publication"},
		{RedisPublicationNode, "what a publication costs Centrifugo more with Redis than without"},
		{RedisPublicationBytes, "memory of Redis for a publication in the history, without its payload"},
		{ActivityBytes, "size of an activity in the log with its indexes, without the payload"},
		{PayloadBytes, "size in the log of each byte of the payload"},
		{KeyBytes, "size of an idempotency key with its indexes"},
		{OutboxBytes, "size of a pending activity in the outbox with its indexes"},
		{NotificationBytes, "size of a notification with its indexes"},
		{PurgePostgres, "CPU time of PostgreSQL to remove an expired notification or idempotency key"},
		{PurgeWAL, "write-ahead log of the same"},
	}
}

// Cost is one measured cost.
type Cost struct {
	Value   float64 `json:"value"`   // microseconds or bytes, as the name says
	Command string  `json:"command"` // that measured it
	Date    string  `json:"date"`    // of the measurement: 2026-11-30
}

// Costs are measured costs, with where they were measured.
type Costs struct {
	Machine  string            `json:"machine"`
	Versions map[string]string `json:"versions"` // of PostgreSQL, Centrifugo, Redis, Go
	Costs    map[Name]Cost     `json:"costs"`
}

//go:embed costs.json
var measured []byte

// Measured returns the costs that were measured with this version of Fanfare.
func Measured() Costs {
	c, err := ParseCosts(measured)
	if err != nil {
		panic("capacity: the embedded costs: " + err.Error())
	}
	return c
}

// ParseCosts parses and validates a file of costs. The error of an incomplete or invalid file names
// every cost that is missing, unknown or not a number from 0.
func ParseCosts(text []byte) (c Costs, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return Costs{}, fmt.Errorf("costs: %w", err)
	}
	var fields []invalid.Field
	known := map[Name]bool{}
	for _, d := range Descriptions() {
		known[d.Name] = true
		cost, ok := c.Costs[d.Name]
		switch {
		case !ok:
			fields = append(fields, invalid.Field{Name: string(d.Name), Rule: "is required"})
		case cost.Value < 0 || math.IsNaN(cost.Value) || math.IsInf(cost.Value, 0):
			fields = append(fields, invalid.Field{
				Name: string(d.Name), Value: fmt.Sprint(cost.Value), Rule: "must be a number from 0",
			})
		}
	}
	for _, name := range sortedNames(c.Costs) {
		if !known[name] {
			fields = append(fields, invalid.Field{Name: string(name), Rule: "is not the name of a cost"})
		}
	}
	if len(fields) > 0 {
		return Costs{}, &invalid.Error{Subject: "costs", Fields: fields}
	}
	return c, nil
}

func sortedNames(costs map[Name]Cost) []Name {
	names := make([]Name, 0, len(costs))
	for name := range costs {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// of returns the value of a cost.
func (c Costs) of(name Name) float64 { return c.Costs[name].Value }
