package loggen

import (
	"encoding/hex"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/bench/internal/bulk"
)

// eventKind is a kind of activity.
type eventKind struct {
	perTenThousand                 int
	action, resourceType, category string
}

var eventKinds = []eventKind{
	{2600, "signal.checked", "signal", "research"},
	{1500, "signal.updated", "signal", "research"},
	{1200, "dataset.refreshed", "dataset", "data"},
	{1000, "run.finished", "run", "compute"},
	{1000, "run.started", "run", "compute"},
	{600, "auth.login", "account", "security"},
	{500, "pipeline.executed", "pipeline", "data"},
	{400, "conversation.message_added", "conversation", "agents"},
	{300, "portfolio.rebalanced", "portfolio", "trading"},
	{250, "signal.created", "signal", "research"},
	{200, "experiment.logged", "experiment", "research"},
	{150, "dataset.created", "dataset", "data"},
	{100, "run.failed", "run", "compute"},
	{80, "auth.login_failed", "account", "security"},
	{50, "promotion.requested", "promotion", "governance"},
	{30, "promotion.granted", "promotion", "governance"},
	{20, "signal.deleted", "signal", "research"},
	{12, "billing.invoice_issued", "invoice", "billing"},
	{5, "guardrail.breached", "guardrail", "governance"},
	{2, "account.locked", "account", "security"},
	{1, "container.evicted", "container", "system"},
}

// A pattern of frequent actions, and one of rare actions.
const (
	FrequentActions = "signal.*"
	RareActions     = "guardrail.*"
)

var (
	names = []string{
		"Momentum 12", "Weekly report", "Customer churn", "Rebalancing", "Alert thresholds",
		"Dataset of the third quarter", "Budget", "Onboarding", "Carry, developed markets", "Value, small caps",
	}
	messages = []string{
		"changed in the weekly review", "the nightly run applied the new weights", "requested by the desk",
		"rolled back to the previous version",
	}
	agents = []string{
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) " +
			"Version/17.5 Safari/605.1.15",
		"python-requests/2.32.3", "Go-http-client/2.0",
	}
	universes = []string{"developed large caps", "emerging markets", "European small caps", "government bonds"}
)

// columns are the columns that a generator writes, in their order.
const columns = "id, tenant_id, actor_principal_id, resource_id, correlation_id, owner_id, " +
	"parent_id, occurred_at, recorded_at, ip_key_id, resource_type, resource_name, action, visibility, status, " +
	"severity, category, " +
	"target_principal_ids, delivery_channels, message, request_id, user_agent, traceparent, ip_hash, payload"

const columnCount = 25

// generator generates the activities of a period in their order.
type generator struct {
	log       *Log
	random    *rand.Rand
	from      time.Time
	every     time.Duration
	left, n   int
	workflows []workflow // under way in each tenant
	drawn     [10_000]uint8

	begun, over bool // the header, the trailer has been written
	payload     []byte
}

// workflow is a correlation that some of the next activities share.
type workflow struct {
	id   uuid.UUID
	left int
}

// newGenerator returns a generator of n activities from a time on. number is its seed.
func (l *Log) newGenerator(number uint64, from time.Time, every time.Duration, n int) *generator {
	g := &generator{
		log: l, random: rand.New(rand.NewPCG(seed, 1+number)), from: from, every: every, left: n,
		workflows: make([]workflow, len(l.tenants)),
	}
	filled := 0
	for i, h := range eventKinds {
		for range h.perTenThousand {
			g.drawn[filled] = uint8(i)
			filled++
		}
	}
	return g
}

// next appends a row in COPY's binary format.
func (g *generator) next(row []byte) []byte {
	if !g.begun {
		g.begun = true
		return append(row, bulk.Header...)
	}
	if g.left == 0 {
		if g.over {
			return row
		}
		g.over = true
		return append(row, bulk.Trailer...)
	}
	row = g.activity(row)
	g.left--
	g.n++
	if g.n%1000 == 0 || g.left == 0 {
		g.log.written.Add(int64((g.n-1)%1000 + 1))
	}
	return row
}

func (g *generator) activity(row []byte) []byte {
	random := g.random
	number := int(g.log.draw[random.IntN(len(g.log.draw))])
	t, h := g.log.tenants[number], &eventKinds[g.drawn[random.IntN(len(g.drawn))]]
	r, actor := busy(random, t.resources[h.resourceType]), busy(random, t.people)
	at := g.from.Add(time.Duration(g.n) * g.every)
	id := timedID(random, at)

	var target uuid.UUID
	if random.IntN(20) == 0 {
		target = t.people[random.IntN(len(t.people))]
	}
	row = bulk.Fields(row, columnCount)
	for _, value := range [...]uuid.UUID{id, t.id, actor, r.id, g.correlation(number, id), r.owner, r.parent} {
		row = bulk.UUID(row, value)
	}
	row = bulk.Time(bulk.Time(row, at), at)

	person := random.IntN(10) < 6 // a person's request, not a program's
	if person {
		row = bulk.SmallInt(row, 1)
	} else {
		row = bulk.Null(row)
	}
	visibility, status, severity := "resource", "success", "info"
	switch random.IntN(20) {
	case 0:
		visibility = "private"
	case 1:
		visibility = "tenant"
	}
	switch n := random.IntN(200); {
	case n < 1:
		status, severity = "failure", "critical"
	case n < 6:
		status, severity = "failure", "error"
	case n < 16:
		severity = "warning"
	}
	for _, value := range [...]string{h.resourceType, r.name, h.action, visibility, status, severity, h.category} {
		row = bulk.Text(row, value)
	}
	row = bulk.NoTexts(bulk.UUIDs(row, target))
	message, agent := "", ""
	if random.IntN(2) == 0 {
		message = messages[random.IntN(len(messages))]
	}
	if person {
		agent = agents[random.IntN(len(agents))]
	}
	row = bulk.Text(row, message)
	row = bulk.Text(row, "req-"+hex.EncodeToString(id[8:]))
	row = bulk.Text(row, agent)
	if random.IntN(10) < 3 {
		row = bulk.Text(row, "00-"+hex.EncodeToString(id[:])+"-"+hex.EncodeToString(id[8:])+"-01")
	} else {
		row = bulk.Null(row)
	}
	if person {
		row = bulk.Bytes(row, append(append(g.payload[:0], actor[:]...), actor[:]...)) // as long as a hash
	} else {
		row = bulk.Null(row)
	}
	return bulk.JSONB(row, g.newPayload(h))
}

// correlation returns a workflow's id for about one activity in 25, otherwise the activity's own.
func (g *generator) correlation(tenant int, id uuid.UUID) uuid.UUID {
	w := &g.workflows[tenant]
	switch {
	case w.left > 0 && g.random.IntN(3) == 0:
		w.left--
		return w.id
	case w.left == 0 && g.random.IntN(180) == 0:
		*w = workflow{id: newID(g.random), left: 4 + g.random.IntN(8)}
	}
	return id
}

// newPayload returns about two hundred bytes of JSON.
func (g *generator) newPayload(h *eventKind) []byte {
	random, p := g.random, g.payload[:0]
	p = append(p, `{"field": "weights.momentum", "before": "0.`...)
	p = strconv.AppendInt(p, int64(random.IntN(10_000)), 10)
	p = append(p, `", "after": "0.`...)
	p = strconv.AppendInt(p, int64(random.IntN(10_000)), 10)
	p = append(p, `", "version": `...)
	p = strconv.AppendInt(p, int64(random.IntN(300)), 10)
	p = append(p, `, "universe": "`...)
	p = append(p, universes[random.IntN(len(universes))]...)
	p = append(p, `", "kind": "`...)
	p = append(p, h.resourceType...)
	p = append(p, `", "ticket": "FIN-`...)
	p = strconv.AppendInt(p, int64(random.IntN(100_000)), 10)
	p = append(p, `", "note": "rebalanced after the review", "reviewers": `...)
	p = strconv.AppendInt(p, int64(random.IntN(5)), 10)
	p = append(p, '}')
	g.payload = p
	return p
}
