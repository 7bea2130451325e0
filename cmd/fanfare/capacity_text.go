package main

import (
	"fmt"
	"io"

	"github.com/fanfarehq/fanfare/internal/capacity"
)

// writePlan writes a plan as tables: the load, what it needs, the arithmetic, the limits.
func writePlan(w io.Writer, p capacity.Plan, c capacity.Costs) error {
	for i, rows := range [][][]string{loadRows(p), needRows(p), arithmeticRows(p), limitRows(p)} {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := writeTable(w, rows); err != nil {
			return err
		}
	}
	for _, line := range append([]string{""}, append(conclusion(p), measuredOn(c)...)...) {
		if _, err := fmt.Fprintln(w, printable(line)); err != nil {
			return err
		}
	}
	return nil
}

func loadRows(p capacity.Plan) [][]string {
	l := p.Load
	rows := [][]string{
		{"LOAD", "", ""},
		{
			"activities", capacity.FormatRate(l.Activities) + ", " + capacity.FormatRate(l.Peak) + " at the peak",
			capacity.FormatCount(l.Activities*86400) + " a day",
		},
		{"recipients", capacity.FormatCount(l.Watchers) + " of an activity", inboxText(l)},
	}
	if l.WideShare > 0 {
		rows = append(rows, []string{
			"wide activities", capacity.FormatShare(l.WideShare),
			capacity.FormatCount(l.WideWatchers) + " recipients each",
		})
	}
	if l.Connections > 0 {
		rows = append(rows, []string{
			"connections", capacity.FormatCount(l.Connections),
			capacity.FormatRate(l.Connections*l.Reads) + " reads, " + capacity.FormatShare(l.Online) +
				" of the recipients connected",
		})
	}
	return append(rows, []string{
		"kept", "activities " + capacity.FormatPeriod(l.LogRetention),
		"notifications " + capacity.FormatPeriod(l.InboxRetention) + ", idempotency keys " +
			capacity.FormatPeriod(l.KeyRetention),
	})
}

func inboxText(l capacity.Load) string {
	if l.Inbox {
		return "with a notification each"
	}
	return "without an inbox"
}

func needRows(p capacity.Plan) [][]string {
	machines := "of " + capacity.FormatCount(p.Site.Cores) + " cores"
	rows := [][]string{
		{"NEED", "NUMBER", "CORES", ""},
		{"cells", number(p.Cells), "", "each with a PostgreSQL of its own"},
		{
			"PostgreSQL", number(p.Postgres), coresText(p.PostgresCores),
			servers(p, "primaries and their standbys, each of which needs as much again", "primaries"),
		},
		{"worker processes", number(p.Workers), coresText(p.WorkerCores), machines},
		{"API servers", number(p.APIServers), coresText(p.APICores), machines},
		{"Centrifugo nodes", number(p.Nodes), coresText(p.CentrifugoCores), machines},
	}
	if p.RedisShards > 0 {
		rows = append(rows, []string{
			"Redis shards", number(p.RedisShards), coresText(p.RedisCores),
			bytesOf(p, capacity.NeedRedisMemory) + " of memory" + servers(p, ", each with a replica", ""),
		})
	}
	return append(rows,
		[]string{"your services", "", coresText(p.ServiceCores), "to record"},
		[]string{"connections to PostgreSQL", capacity.FormatCount(p.Connections), "", "of workers and API servers"},
		[]string{
			"write-ahead log", capacity.FormatBytes(p.WALPerMonth) + " a month", "",
			bytesOf(p, capacity.NeedWAL) + "/s at the peak",
		},
		[]string{
			"disk", capacity.FormatBytes(p.Disk), "",
			"at the end of retention; the first days add " + capacity.FormatBytes(p.DiskPerDay) + " each",
		},
		[]string{"memory of connections", bytesOf(p, capacity.NeedCentrifugoMemory), "", "in Centrifugo"},
	)
}

// servers returns a text for plans with spare servers, or for those without.
func servers(p capacity.Plan, spare, none string) string {
	if p.Site.Spare >= 1 {
		return spare
	}
	return none
}

func bytesOf(p capacity.Plan, id string) string { return capacity.FormatBytes(p.Need(id).Total) }

func number(n int) string { return capacity.FormatCount(float64(n)) }

// coresText rounds up to a tenth of a core.
func coresText(n float64) string { return fmt.Sprintf("%.1f", n+0.049999) }

// arithmeticNeeds are the needs whose terms are shown.
var arithmeticNeeds = []struct{ id, title string }{
	{capacity.NeedPostgres, "PostgreSQL"},
	{capacity.NeedWorkers, "workers"},
	{capacity.NeedAPI, "API servers"},
	{capacity.NeedCentrifugo, "Centrifugo"},
	{capacity.NeedRedis, "Redis"},
	{capacity.NeedWAL, "write-ahead log"},
	{capacity.NeedDisk, "disk"},
}

func arithmeticRows(p capacity.Plan) [][]string {
	rows := [][]string{{"ARITHMETIC", "AT THE PEAK", "EACH", "TOTAL"}}
	for _, shown := range arithmeticNeeds {
		need := p.Need(shown.id)
		if len(need.Terms) == 0 {
			continue
		}
		for i, t := range need.Terms {
			title := ""
			if i == 0 {
				title = shown.title + ": "
			}
			rows = append(rows, []string{title + t.What, amount(need, t), eachText(need, t), total(need, t.Total)})
		}
		if need.Unit == capacity.BusyCores {
			rows = append(rows, []string{
				"in all, " + capacity.FormatShare(p.Site.CoreShare) + " of each core in use", "",
				total(need, need.Total), coresText(need.Total/p.Site.CoreShare) + " cores",
			})
		}
	}
	return rows
}

func amount(n capacity.Need, t capacity.Term) string {
	if n.Unit == capacity.Bytes {
		return capacity.FormatCount(t.Rate)
	}
	return capacity.FormatRate(t.Rate)
}

func eachText(n capacity.Need, t capacity.Term) string {
	if n.Unit == capacity.BusyCores {
		return capacity.FormatCount(t.Each) + " µs"
	}
	return capacity.FormatBytes(t.Each)
}

func total(n capacity.Need, value float64) string {
	switch n.Unit {
	case capacity.BusyCores:
		if value < 0.0001 {
			return "<0.0001 busy"
		}
		return capacity.FormatCount(value) + " busy"
	case capacity.PerSecond:
		return capacity.FormatBytes(value) + "/s"
	}
	return capacity.FormatBytes(value)
}

// limitNames are the limits of one PostgreSQL.
var limitNames = map[string]string{
	capacity.LimitPostgresCores: "cores of PostgreSQL",
	capacity.LimitWAL:           "write-ahead log of PostgreSQL",
	capacity.LimitDisk:          "disk of PostgreSQL",
	capacity.LimitConnections:   "connections of PostgreSQL",
	capacity.LimitLanes:         "lanes of the outbox",
}

func limitRows(p capacity.Plan) [][]string {
	rows := [][]string{{"LIMIT OF ONE CELL", "NEEDED", "OF", "USED", "REACHED AT A PEAK OF"}}
	for _, l := range p.Limits {
		format := capacity.FormatCount
		switch l.ID {
		case capacity.LimitWAL:
			format = func(n float64) string { return capacity.FormatBytes(n) + "/s" }
		case capacity.LimitDisk:
			format = capacity.FormatBytes
		}
		rows = append(rows, []string{
			limitNames[l.ID], format(l.Need), format(l.Of), capacity.FormatShare(l.Used), reachedAt(l),
		})
	}
	return rows
}

func reachedAt(l capacity.Limit) string {
	if l.ReachedAt == 0 {
		return "never"
	}
	return capacity.FormatRate(l.ReachedAt)
}

// measuredOn names the machine and the versions of the costs.
func measuredOn(c capacity.Costs) []string {
	return []string{
		"The costs were measured on " + c.Machine + ",",
		fmt.Sprintf("with PostgreSQL %s and Centrifugo %s.", c.Versions["postgresql"], c.Versions["centrifugo"]),
	}
}

// conclusion names the limit that comes first.
func conclusion(p capacity.Plan) []string {
	first := p.Limits[0]
	if first.ReachedAt == 0 {
		return []string{"The load is empty."}
	}
	suffices := "One cell suffices."
	if p.Cells > 1 {
		suffices = fmt.Sprintf("The load takes %s cells.", number(p.Cells))
	}
	text := []string{fmt.Sprintf("The first limit is the %s: one cell reaches it at a peak of %s. %s",
		limitNames[first.ID], reachedAt(first), suffices)}
	if p.PerResource > 0 {
		text = append(text, fmt.Sprintf("Activities of one resource follow each other: at most %s.",
			capacity.FormatRate(p.PerResource)))
	}
	return text
}
