package capacity

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// simple returns costs that are all 0, except those given.
func simple(values map[Name]float64) Costs {
	c := Costs{Costs: map[Name]Cost{}}
	for _, d := range Descriptions() {
		c.Costs[d.Name] = Cost{Value: values[d.Name]}
	}
	return c
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Max(1, math.Abs(b)) }

// TestNeeds holds each rule of the model to its arithmetic.
func TestNeeds(t *testing.T) {
	t.Parallel()
	load := Load{
		Activities: 100, Peak: 1000, Payload: 200, Correlated: 0.5, Watchers: 10, WideShare: 0.01, WideWatchers: 5000,
		Inbox: true, Connections: 60_000, Online: 0.25, Reads: 1.0 / 60, Streams: 10,
		LogRetention: 10 * time.Second, InboxRetention: 5 * time.Second, KeyRetention: 2 * time.Second,
	}
	const narrow, wide = 990 * 10, 10 * 5000 // recipients in a second of the peak
	const average = 99*10 + 1*5000           // on average
	alone := func(l *Load) { l.Inbox = false }
	for name, c := range map[string]struct {
		cost   Name
		change func(*Load)
		need   string
		want   float64 // with a cost of 1 million microseconds, or of a byte
	}{
		"recording in PostgreSQL":     {RecordPostgres, nil, NeedPostgres, 1000},
		"correlation ids":             {CorrelatePostgres, nil, NeedPostgres, 500},
		"log of correlation ids":      {CorrelateWAL, nil, NeedWAL, 500 + 1000*200},
		"recording in the service":    {RecordService, nil, NeedServices, 1000},
		"delivering: worker":          {DeliverWorker, nil, NeedWorkers, 1000},
		"delivering: PostgreSQL":      {DeliverPostgres, nil, NeedPostgres, 1000},
		"delivering: Centrifugo":      {DeliverCentrifugo, nil, NeedCentrifugo, 1000},
		"recipients: worker":          {RecipientWorker, nil, NeedWorkers, narrow},
		"recipients: PostgreSQL":      {RecipientPostgres, nil, NeedPostgres, narrow},
		"recipients: Centrifugo":      {RecipientCentrifugo, nil, NeedCentrifugo, narrow},
		"notifications: worker":       {NotifyWorker, nil, NeedWorkers, narrow},
		"notifications: PostgreSQL":   {NotifyPostgres, nil, NeedPostgres, narrow},
		"no inbox":                    {NotifyPostgres, alone, NeedPostgres, 0},
		"wide: worker":                {WideWorker, nil, NeedWorkers, wide},
		"wide: PostgreSQL":            {WidePostgres, nil, NeedPostgres, wide},
		"wide: Centrifugo":            {WideCentrifugo, nil, NeedCentrifugo, wide},
		"messages":                    {MessageCentrifugo, nil, NeedCentrifugo, (narrow + wide) / 4.0},
		"messages, none connected":    {MessageCentrifugo, func(l *Load) { l.Connections = 0 }, NeedCentrifugo, 0},
		"reads: API":                  {ReadAPI, nil, NeedAPI, 1000},
		"reads: PostgreSQL":           {ReadPostgres, nil, NeedPostgres, 1000},
		"publications: Redis":         {RedisPublication, nil, NeedRedis, 1000 + narrow + wide},
		"publications: nodes":         {RedisPublicationNode, nil, NeedCentrifugo, 1000 + narrow + wide},
		"retention":                   {PurgePostgres, nil, NeedPostgres, average + 50},
		"memory of connections":       {ConnectionCentrifugo, nil, NeedCentrifugoMemory, 60_000},
		"memory of streams":           {StreamAPI, nil, NeedAPIMemory, 10},
		"log of recording":            {RecordWAL, nil, NeedWAL, 1000 + 1000*200},
		"log of delivering":           {DeliverWAL, nil, NeedWAL, 1000 + 1000*200},
		"log of notifications":        {NotifyWAL, nil, NeedWAL, narrow + wide + 1000*200},
		"log of retention":            {PurgeWAL, nil, NeedWAL, average + 50 + 1000*200},
		"average log of recording":    {RecordWAL, nil, NeedAverageWAL, 100 + 100*200},
		"disk of activities":          {ActivityBytes, nil, NeedDisk, 100 * 10},
		"disk of payloads":            {PayloadBytes, nil, NeedDisk, 100 * 10 * 200},
		"disk of notifications":       {NotificationBytes, nil, NeedDisk, average * 5},
		"disk of idempotency keys":    {KeyBytes, nil, NeedDisk, 50 * 2},
		"disk of an outage":           {OutboxBytes, nil, NeedDisk, 1000 * 3600},
		"memory of Redis, its rows":   {RedisPublicationBytes, nil, NeedRedisMemory, 60_900 * 600 * 201},
		"no wide audience below few":  {WideWorker, func(l *Load) { l.WideWatchers = 1 }, NeedWorkers, 10 * 10},
		"reads without a connection":  {ReadAPI, func(l *Load) { l.Connections = 0 }, NeedAPI, 0},
		"keys without correlation":    {KeyBytes, func(l *Load) { l.Correlated = 0 }, NeedDisk, 0},
		"recording with no activity":  {RecordPostgres, func(l *Load) { l.Activities, l.Peak = 0, 0 }, NeedPostgres, 0},
		"nothing is kept for no time": {ActivityBytes, func(l *Load) { l.LogRetention = 0 }, NeedDisk, 0},
	} {
		l := load
		if c.change != nil {
			c.change(&l)
		}
		value := 1.0
		if strings.HasSuffix(string(c.cost), "_us") {
			value = 1e6
		}
		p := Compute(l, DefaultSite(), simple(map[Name]float64{c.cost: value}))
		if got := p.Need(c.need).Total; !near(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// TestServers checks how needs become servers.
func TestServers(t *testing.T) {
	t.Parallel()
	site := DefaultSite() // 8 cores, of which 60 % are used: 4.8
	load := Load{Activities: 1, Peak: 1}
	with := func(name Name, value float64) Costs { return simple(map[Name]float64{name: value}) }
	check := func(name string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %d, want %d", name, got, want)
		}
	}
	small := Compute(load, site, simple(nil))
	check("cells of a small load", small.Cells, 1)
	check("PostgreSQL with a standby", small.Postgres, 2)
	check("workers, one is spare", small.Workers, 2)
	check("API servers, one is spare", small.APIServers, 2)
	check("nodes, one is spare", small.Nodes, 2)
	check("Redis of two nodes", small.RedisShards, 1)

	check("workers of 4.8 busy cores", Compute(load, site, with(DeliverWorker, 4.8e6)).Workers, 2)
	check("workers of 4.9 busy cores", Compute(load, site, with(DeliverWorker, 4.9e6)).Workers, 3)
	site.Spare = 0
	one := Compute(load, site, simple(nil))
	check("PostgreSQL without a standby", one.Postgres, 1)
	check("nodes without spare", one.Nodes, 1)
	check("one node needs no Redis", one.RedisShards, 0)
	check("two nodes share a Redis", Compute(load, site, with(DeliverCentrifugo, 5e6)).RedisShards, 1)
	many := load
	many.Connections = 1e6
	check("nodes by memory", Compute(many, site, with(ConnectionCentrifugo, 30e3)).Nodes, 4) // 30 GB of 9.6 each
	check("two cells", Compute(load, site, with(RecordPostgres, 20e6)).Cells, 2)             // 33 of 32 cores
}

// TestLimits checks that the first limit is the one that is used most, and where it is reached.
func TestLimits(t *testing.T) {
	t.Parallel()
	load := Load{Activities: 100, Peak: 100, LogRetention: 100 * time.Second, Connections: 100, Reads: 1}
	for id, c := range map[string]struct {
		cost  Name
		value float64
		at    float64
	}{
		LimitPostgresCores: {RecordPostgres, 96_000, 200},   // 9.6 busy cores, of 19.2
		LimitWAL:           {RecordWAL, 1e6, 200},           // 100 MB a second, of 200
		LimitDisk:          {ActivityBytes, 800e6, 200},     // 8 TB, of 16
		LimitLanes:         {DeliverCentrifugo, 192e3, 200}, // 19.2 busy lanes, of 38.4
		LimitConnections:   {ReadAPI, 480e3, 230},           // 24 servers have 456, two workers 26
	} {
		p := Compute(load, DefaultSite(), simple(map[Name]float64{c.cost: c.value}))
		if first := p.Limits[0]; first.ID != id || !near(first.ReachedAt, c.at) {
			t.Errorf("%s: got %+v first, want it at %v", id, first, c.at)
		}
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	if err := Validate(DefaultLoad(), DefaultSite()); err != nil {
		t.Errorf("the defaults: got %v", err)
	}
	l, s := DefaultLoad(), DefaultSite()
	l.Activities, l.Peak, s.CoreShare, s.PostgresCores, l.WideShare = 10, 5, 0, 0, 2
	l.LogRetention = -1
	err := Validate(l, s)
	for _, want := range []string{
		`peak "5" must be at least the average of 10/s`, `core-share "0" must be a number from 0.05 to 1`,
		`postgres-cores "0" must be a number from 1`, `wide-share "2" must be a number from 0 to 1`,
		`log-retention "-1ns" must not be negative`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}

func TestParseCosts(t *testing.T) {
	t.Parallel()
	Measured() // panics if a cost is missing
	for text, want := range map[string]string{
		`{`:             "unexpected EOF",
		`{"price": {}}`: `unknown field "price"`,
		`{"costs": {"record_wal_bytes": {"value": -1}}}`: `record_wal_bytes "-1" must be a number from 0`,
		`{"costs": {}}`: "record_service_us is required",
	} {
		if _, err := ParseCosts([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q in it", text, err, want)
		}
	}
}

// TestMoreLoadNeedsNoLess increases one value of a load and compares everything that a plan says.
func TestMoreLoadNeedsNoLess(t *testing.T) {
	t.Parallel()
	costs := Measured()
	rapid.Check(t, func(t *rapid.T) {
		amount := func(name string, high float64) float64 { return rapid.Float64Range(0, high).Draw(t, name) }
		period := func(name string) time.Duration {
			return time.Duration(rapid.Int64Range(0, int64(5*365*24*time.Hour)).Draw(t, name))
		}
		l := Load{
			Activities: amount("activities", 1e5), Payload: amount("payload", 1e5), Correlated: amount("correlated", 1),
			Watchers: amount("watchers", 1000), WideShare: amount("wide share", 1), WideWatchers: amount("wide", 1e6),
			Inbox: rapid.Bool().Draw(t, "inbox"), Connections: amount("connections", 1e7), Online: amount("online", 1),
			Reads: amount("reads", 1), Streams: amount("streams", 1e5), LogRetention: period("log"),
			InboxRetention: period("inbox retention"), KeyRetention: period("keys"),
		}
		l.Peak = l.Activities * (1 + amount("peak", 10))
		site := DefaultSite()
		site.Spare = float64(rapid.IntRange(0, 2).Draw(t, "spare"))
		more := l
		grow := 1 + amount("growth", 20)
		values := []*float64{
			&more.Peak, &more.Payload, &more.Watchers, &more.WideWatchers, &more.Connections, &more.Reads,
			&more.Streams,
		}
		switch i := rapid.IntRange(0, len(values)+4).Draw(t, "what grows"); {
		case i < len(values):
			*values[i] *= grow
		case i == len(values):
			more.Activities, more.Peak = more.Activities*grow, more.Peak*grow
		case i == len(values)+1:
			more.Online, more.Correlated = min(1, more.Online*grow), min(1, more.Correlated*grow)
		case i == len(values)+2:
			more.LogRetention, more.InboxRetention = 2*more.LogRetention, 2*more.InboxRetention
		case i == len(values)+3:
			more.Inbox = true
		default:
			more.KeyRetention *= 2
		}
		if err := Validate(more, site); err != nil {
			t.Fatal(err)
		}
		compare(t, Compute(l, site, costs), Compute(more, site, costs))
	})
}

func compare(t *rapid.T, less, more Plan) {
	for name, pair := range map[string][2]float64{
		"cells":       {float64(less.Cells), float64(more.Cells)},
		"PostgreSQL":  {float64(less.Postgres), float64(more.Postgres)},
		"workers":     {float64(less.Workers), float64(more.Workers)},
		"API servers": {float64(less.APIServers), float64(more.APIServers)},
		"nodes":       {float64(less.Nodes), float64(more.Nodes)},
		"Redis":       {float64(less.RedisShards), float64(more.RedisShards)},
		"connections": {less.Connections, more.Connections}, "log": {less.WALPerMonth, more.WALPerMonth},
		"disk": {less.Disk, more.Disk}, "growth": {less.DiskPerDay, more.DiskPerDay},
	} {
		if pair[1] < pair[0] {
			t.Errorf("%s: got %v for more than what needs %v", name, pair[1], pair[0])
		}
	}
	for i, need := range less.Needs {
		if other := more.Needs[i]; other.ID != need.ID || other.Total < need.Total*(1-1e-12) {
			t.Errorf("%s: got %v for more than what needs %v", need.ID, other.Total, need.Total)
		}
	}
}
