package capacity

import (
	"fmt"
	"math"
	"time"

	"github.com/fanfarehq/fanfare/activity/invalid"
)

// Load is what an installation has to carry. Rates are in a second, shares are from 0 to 1, sizes
// in bytes.
type Load struct {
	Activities   float64 `json:"activities_per_second"` // on average
	Peak         float64 `json:"peak_per_second"`       // at least Activities
	Payload      float64 `json:"payload_bytes"`
	Correlated   float64 `json:"correlated_share"` // of activities that are recorded with a correlation id
	Watchers     float64 `json:"watchers"`         // recipients of an activity that is not wide, on average
	WideShare    float64 `json:"wide_share"`       // of activities
	WideWatchers float64 `json:"wide_watchers"`    // recipients of a wide activity
	Inbox        bool    `json:"inbox"`            // whether notifications are stored
	Connections  float64 `json:"connections"`      // clients of Centrifugo
	Online       float64 `json:"online_share"`     // of recipients who are connected when they are notified
	Reads        float64 `json:"reads_per_second"` // of each connection
	Streams      float64 `json:"streams"`          // clients of /activities/stream

	LogRetention   time.Duration `json:"log_retention_ns"`
	InboxRetention time.Duration `json:"inbox_retention_ns"`
	KeyRetention   time.Duration `json:"key_retention_ns"` // of idempotency keys
}

// DefaultLoad returns a load without activities, and with the defaults of the command.
func DefaultLoad() Load {
	const day = 24 * time.Hour
	return Load{
		Payload: 300, Correlated: 1, Watchers: 3, WideWatchers: 10_000, Inbox: true, Online: 1, Reads: 1.0 / 60,
		LogRetention: 365 * day, InboxRetention: 90 * day, KeyRetention: 30 * day,
	}
}

// Site is what the machines offer, and how much of it a plan uses.
type Site struct {
	CoreShare   float64 `json:"core_share"`         // of each core that the plan uses
	Cores       float64 `json:"cores"`              // of a machine with workers, API servers or a Centrifugo node
	NodeMemory  float64 `json:"node_memory_bytes"`  // of such a machine
	RedisMemory float64 `json:"redis_memory_bytes"` // of a Redis
	Claimers    float64 `json:"claimers"`           // --workers of a worker process
	Spare       float64 `json:"spare"`              // servers of each kind beyond the needed number

	// The limits of one PostgreSQL, and so of a cell.
	PostgresCores       float64 `json:"postgres_cores"`
	PostgresWAL         float64 `json:"postgres_wal_bytes_per_second"`
	PostgresDisk        float64 `json:"postgres_disk_bytes"`
	PostgresConnections float64 `json:"postgres_connections"`
}

// DefaultSite returns machines with 8 cores and a PostgreSQL with 32.
func DefaultSite() Site {
	return Site{
		CoreShare: 0.6, Cores: 8, NodeMemory: 16e9, RedisMemory: 16e9, Claimers: 4, Spare: 1,
		PostgresCores: 32, PostgresWAL: 200e6, PostgresDisk: 16e12, PostgresConnections: 500,
	}
}

// Validate returns an *invalid.Error that names every value which violates a rule, by the name of
// its flag, or nil.
func Validate(l Load, s Site) error {
	v := &violations{}
	v.between("activities", l.Activities, 0, maxCount)
	if l.Peak < l.Activities {
		v.add("peak", l.Peak, "must be at least the average of "+FormatRate(l.Activities))
	}
	v.between("peak", l.Peak, 0, maxCount)
	for name, value := range map[string]float64{
		"payload": l.Payload, "watchers": l.Watchers, "wide-watchers": l.WideWatchers,
		"connections": l.Connections, "reads": l.Reads, "streams": l.Streams, "spare": s.Spare,
	} {
		v.between(name, value, 0, maxCount)
	}
	for name, value := range map[string]float64{
		"correlated": l.Correlated, "wide-share": l.WideShare, "online": l.Online,
	} {
		v.between(name, value, 0, 1)
	}
	v.between("core-share", s.CoreShare, 0.05, 1)
	for name, value := range map[string]float64{
		"cores": s.Cores, "node-memory": s.NodeMemory, "redis-memory": s.RedisMemory, "claimers": s.Claimers,
		"postgres-cores": s.PostgresCores, "postgres-wal": s.PostgresWAL, "postgres-disk": s.PostgresDisk,
		"postgres-connections": s.PostgresConnections,
	} {
		v.between(name, value, 1, maxCount*1e3)
	}
	for name, value := range map[string]time.Duration{
		"log-retention": l.LogRetention, "inbox-retention": l.InboxRetention, "key-retention": l.KeyRetention,
	} {
		if value < 0 {
			v.fields = append(v.fields, invalid.Field{Name: name, Value: value.String(), Rule: "must not be negative"})
		}
	}
	if len(v.fields) == 0 {
		return nil
	}
	sortFields(v.fields)
	return &invalid.Error{Subject: "load", Fields: v.fields}
}

// violations collects the values that violate a rule.
type violations struct{ fields []invalid.Field }

func (v *violations) add(name string, value float64, rule string) {
	v.fields = append(v.fields, invalid.Field{Name: name, Value: fmt.Sprint(value), Rule: rule})
}

func (v *violations) between(name string, value, low, high float64) {
	if math.IsNaN(value) || value < low || value > high {
		v.add(name, value, fmt.Sprintf("must be a number from %v to %v", low, high))
	}
}
