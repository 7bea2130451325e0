package capacity

import (
	"cmp"
	"math"
	"slices"
)

// Plan is what a load needs. Numbers of servers are of all cells together.
type Plan struct {
	Load  Load   `json:"load"`
	Site  Site   `json:"site"`
	Needs []Need `json:"needs"`

	Cells       int `json:"cells"` // PostgreSQL primaries, each with a part of the tenants
	Postgres    int `json:"postgres_servers"`
	Workers     int `json:"worker_processes"`
	APIServers  int `json:"api_servers"`
	Nodes       int `json:"centrifugo_nodes"`
	RedisShards int `json:"redis_shards"` // 0: one node without Redis; each shard has Spare replicas

	// Cores with the plan's share of each in use.
	WorkerCores     float64 `json:"worker_cores"`
	PostgresCores   float64 `json:"postgres_cores"`
	APICores        float64 `json:"api_cores"`
	CentrifugoCores float64 `json:"centrifugo_cores"`
	RedisCores      float64 `json:"redis_cores"`
	ServiceCores    float64 `json:"service_cores"`

	Connections float64 `json:"postgres_connections"` // of workers and API servers; services have their own
	WALPerMonth float64 `json:"wal_bytes_per_month"`
	DiskPerDay  float64 `json:"disk_bytes_per_day"` // while nothing expires
	Disk        float64 `json:"disk_bytes"`         // at the end of retention

	// Limits are those of one PostgreSQL, the first to be reached first.
	Limits []Limit `json:"limits"`
	// PerResource is the rate of activities of one resource, which are delivered one after the
	// other.
	PerResource float64 `json:"activities_per_second_of_a_resource"`
}

// Limit is a bound of one cell.
type Limit struct {
	ID        string  `json:"id"`
	Need      float64 `json:"need"`                  // of the whole load
	Of        float64 `json:"limit"`                 // of one cell
	Used      float64 `json:"used"`                  // Need / Of
	ReachedAt float64 `json:"reached_at_per_second"` // of a load of the same mix; 0 if never
}

// The ids of the limits.
const (
	LimitPostgresCores = "postgres_cores"
	LimitWAL           = "wal"
	LimitDisk          = "disk"
	LimitConnections   = "connections"
	LimitLanes         = "lanes"
)

// lanes is the number of lanes of an outbox.
const lanes = 64

// APIConnections is the number of connections of an API server to PostgreSQL.
const APIConnections = 16 + 3

// WorkerConnections returns the number of connections of a worker process to PostgreSQL.
func WorkerConnections(claimers float64, inbox bool) float64 {
	n := 2*claimers + 5
	if inbox {
		n++
	}
	return n
}

// Need returns the need with an id.
func (p Plan) Need(id string) Need {
	for _, n := range p.Needs {
		if n.ID == id {
			return n
		}
	}
	return Need{}
}

// Compute returns the plan for a valid load and site (see Validate).
func Compute(l Load, s Site, c Costs) Plan {
	p := Plan{Load: l, Site: s}
	// One node without spare needs no Redis; nodes that share channels do.
	alone := c.cpuNeeds(l, false)
	memory := c.of(ConnectionCentrifugo) * l.Connections
	nodes := max(cores(find(alone, NeedCentrifugo), s)/s.Cores, memory/(s.NodeMemory*s.CoreShare))
	shared := s.Spare >= 1 || nodes > 1
	p.Needs = append(c.cpuNeeds(l, shared), c.byteNeeds(l, shared)...)

	for id, into := range map[string]*float64{
		NeedWorkers: &p.WorkerCores, NeedPostgres: &p.PostgresCores, NeedAPI: &p.APICores,
		NeedCentrifugo: &p.CentrifugoCores, NeedRedis: &p.RedisCores, NeedServices: &p.ServiceCores,
	} {
		*into = cores(p.Need(id), s)
	}
	p.WALPerMonth = p.Need(NeedAverageWAL).Total * month.Seconds()
	p.DiskPerDay, p.Disk = c.growth(l), p.Need(NeedDisk).Total
	p.servers(l, s, shared)
	return p
}

// cores returns the cores of which the plan's share is in use.
func cores(n Need, s Site) float64 { return n.Total / s.CoreShare }

func find(needs []Need, id string) Need { return Plan{Needs: needs}.Need(id) }

// servers counts the servers. Workers and API servers are divided among the cells, so that up to
// one more than the sum is needed in each; the cells share Centrifugo and Redis.
func (p *Plan) servers(l Load, s Site, shared bool) {
	workers, servers := p.processes(s, 1)
	p.Connections = p.connections(l, s, 1)
	p.limits(l, s)

	cells := 1.0
	for _, limit := range p.Limits {
		cells = max(cells, math.Ceil(limit.Used))
	}
	inCells := func(n float64) int { return int(n + (cells - 1) + s.Spare*cells) }
	p.Cells, p.Postgres = int(cells), int(cells*(1+s.Spare))
	p.Workers, p.APIServers = inCells(workers), inCells(servers)
	p.Connections = float64(p.Workers)*WorkerConnections(s.Claimers, l.Inbox) + float64(p.APIServers)*APIConnections
	p.Nodes = int(s.Spare + max(1, math.Ceil(max(
		p.CentrifugoCores/s.Cores, p.Need(NeedCentrifugoMemory).Total/(s.NodeMemory*s.CoreShare),
	))))
	if shared {
		// A Redis executes commands on one core.
		p.RedisShards = int(max(1, math.Ceil(max(
			p.RedisCores, p.Need(NeedRedisMemory).Total/(s.RedisMemory*s.CoreShare),
		))))
	}
}

// processes returns the numbers of worker processes and API servers, without spare ones, of a
// multiple of the load.
func (p *Plan) processes(s Site, times float64) (workers, servers float64) {
	memory := p.Need(NeedAPIMemory).Total / (s.NodeMemory * s.CoreShare)
	workers = max(1, math.Ceil(times*p.WorkerCores/s.Cores))
	return workers, max(1, math.Ceil(times*max(p.APICores/s.Cores, memory)))
}

// connections returns the connections of one cell that serves a multiple of the load.
func (p *Plan) connections(l Load, s Site, times float64) float64 {
	workers, servers := p.processes(s, times)
	return (workers+s.Spare)*WorkerConnections(s.Claimers, l.Inbox) + (servers+s.Spare)*APIConnections
}

// maxTimes is the multiple of a load at which a limit counts as never reached.
const maxTimes = 1e9

// connectionsReachedAt returns the multiple of the load up to which one cell has enough
// connections, which grow in steps; 0 if it is far away.
func (p *Plan) connectionsReachedAt(l Load, s Site) float64 {
	low, high := 0.0, maxTimes
	if p.connections(l, s, high) <= s.PostgresConnections {
		return 0
	}
	for range 100 {
		if middle := (low + high) / 2; p.connections(l, s, middle) <= s.PostgresConnections {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// limits computes the limits of one PostgreSQL.
func (p *Plan) limits(l Load, s Site) {
	serial, busy := p.serial(l)
	if serial > 0 {
		p.PerResource = s.CoreShare / serial
	}
	for _, limit := range []Limit{
		{ID: LimitPostgresCores, Need: p.PostgresCores, Of: s.PostgresCores},
		{ID: LimitWAL, Need: p.Need(NeedWAL).Total, Of: s.PostgresWAL},
		{ID: LimitDisk, Need: p.Disk, Of: s.PostgresDisk},
		{ID: LimitConnections, Need: p.Connections, Of: s.PostgresConnections},
		{ID: LimitLanes, Need: busy, Of: lanes * s.CoreShare},
	} {
		limit.Used = limit.Need / limit.Of
		switch {
		case limit.ID == LimitConnections:
			limit.ReachedAt = l.Peak * p.connectionsReachedAt(l, s)
		case limit.Used > 0:
			limit.ReachedAt = l.Peak / limit.Used
		}
		p.Limits = append(p.Limits, limit)
	}
	sortLimits(p.Limits)
}

// serial returns the CPU time that delivering an activity takes one lane, in seconds, and the
// number of lanes that are busy at the peak. A lane waits for each part in turn. Clients are
// written to afterwards.
func (p *Plan) serial(l Load) (seconds, busy float64) {
	for _, need := range p.Needs {
		for _, term := range need.Terms {
			if need.Unit == BusyCores && slices.Contains(inLane, term.Cost) {
				busy += term.Total
			}
		}
	}
	if l.Peak > 0 {
		seconds = busy / l.Peak
	}
	return seconds, busy
}

// inLane are the costs of what a lane waits for.
var inLane = []Name{
	DeliverWorker, DeliverPostgres, DeliverCentrifugo, RecipientWorker, RecipientPostgres, RecipientCentrifugo,
	NotifyWorker, NotifyPostgres, RedisPublication, RedisPublicationNode,
}

// sortLimits puts the limit that is reached first at the beginning.
func sortLimits(limits []Limit) {
	never := func(l Limit) float64 { return cmp.Or(l.ReachedAt, math.Inf(1)) }
	slices.SortStableFunc(limits, func(a, b Limit) int { return cmp.Compare(never(a), never(b)) })
}
