package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/fanfarehq/fanfare/bench/internal/chart"
)

// readComparison reads the JSON of a comparison.
func readComparison(path string) (*compareResult, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var r compareResult
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &r, nil
}

// writeReport draws the charts of the parts that were measured into a directory, and writes the
// table as Markdown.
func writeReport(r *compareResult, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	files := map[string][]byte{"table.md": r.markdown()}
	for name, svg := range drawCharts(r) {
		files[name+".svg"] = svg
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// markdown returns the table as Markdown.
func (r *compareResult) markdown() []byte {
	var b strings.Builder
	b.WriteString("| | Fanfare | other | ratio | CPU ratio | target | |\n|---|---|---|---|---|---|---|\n")
	for _, t := range r.Targets {
		b.WriteByte('|')
		for _, cell := range t.cells() {
			fmt.Fprintf(&b, " %v |", cell)
		}
		b.WriteByte('\n')
	}
	for _, failure := range r.Failures {
		fmt.Fprintf(&b, "\nFailed: %s\n", failure)
	}
	return []byte(b.String())
}

// drawCharts returns the charts by their names.
func drawCharts(r *compareResult) map[string][]byte {
	charts := map[string][]byte{}
	if r.Peers != nil {
		charts["drain-rate"] = rateChart(r.Peers.Summary)
		charts["drain-cpu"] = cpuChart("CPU time of delivering a backlog", "worker", r.Peers.Summary)
	}
	if r.SameJob != nil {
		charts["same-job-cpu"] = cpuChart("CPU time from a change to its publications", "application and worker",
			r.SameJob.Summary)
	}
	if r.Write != nil {
		charts["write"] = writeChart(r.Write)
	}
	if r.Idle != nil {
		charts["idle"] = idleChart(r.Idle)
	}
	if r.Growth != nil {
		charts["growth"] = growthChart(r.Growth, "rows", []string{pendingInOutbox, recordedInLog, subscribed})
		charts["growth-world"] = growthChart(r.Growth, "ancestors, or patterns of each person",
			[]string{depthOfTree, patternsOfPeople})
	}
	if others := othersChart(r); others != nil {
		charts["others"] = others
	}
	for name, svg := range charts {
		if svg == nil {
			delete(charts, name)
		}
	}
	return charts
}

// labels are the names of contenders in charts.
var labels = map[string]string{
	fanfareAlone: "Fanfare, inbox off", fanfareInbox: "Fanfare, inbox on",
	consumerV6: "Centrifugo 6 consumer", consumerV5: "Centrifugo 5 consumer",
	riverJobs: "River, publishing", riverNoOp: "River, no-op jobs", ownLoop: "hand-written loop",
	inApplication: "application + consumer", withAudit: "… with an audit row", viaBroker: "stream broker",
	txActivity: "TxActivity", txUnhooked: "TxActivity, no Go schema", queued: "Queue", changeAlone: "the change alone",

	auditRow: "with an audit row", auditBatched: "… in one round trip", ownOutbox: "log and outbox rows",
	riverAudited: "audit row and River job",
}

func label(name string) string {
	if text, ok := labels[name]; ok {
		return text
	}
	return name
}

func rateChart(contenders []contender) []byte {
	bars := chart.Bars{
		Title: "Delivering a backlog", Unit: "activities per second; the mark is the range of the rounds",
		Format: chart.Whole,
	}
	for _, c := range contenders {
		bars.Bars = append(bars.Bars, chart.Bar{
			Label: label(c.Name), Parts: []float64{c.PerSecond.Median}, Ours: c.ours(),
			Low: c.PerSecond.Low, High: c.PerSecond.High,
		})
	}
	return bars.SVG()
}

func cpuChart(title, process string, contenders []contender) []byte {
	bars := chart.Bars{
		Title: title, Unit: "microseconds per activity, medians of the rounds", Format: chart.Whole,
		Parts: []string{process, "PostgreSQL", "Centrifugo"},
	}
	for _, c := range contenders {
		bars.Bars = append(bars.Bars, chart.Bar{
			Label: label(c.Name), Parts: []float64{c.OwnCPU, c.PostgresCPU, c.CentrifugoCPU}, Ours: c.ours(),
		})
	}
	return bars.SVG()
}

func writeChart(r *writeResult) []byte {
	bars := chart.Bars{
		Title: "Transactions that record an activity", Format: chart.Whole,
		Unit: "transactions per second; the mark is the range of the rounds",
	}
	for _, s := range r.Summary {
		if s.Clients != r.Summary[0].Clients {
			continue
		}
		bars.Bars = append(bars.Bars, chart.Bar{
			Label: label(s.Kind), Parts: []float64{s.PerSecond.Median}, Low: s.PerSecond.Low, High: s.PerSecond.High,
			Ours: s.Kind == txActivity || s.Kind == txUnhooked || s.Kind == queued,
		})
	}
	return bars.SVG()
}

func idleChart(r *idleResult) []byte {
	bars := chart.Bars{
		Title: "Idle workers", Unit: "percent of one core, of all workers together; statements per second",
		Parts: []string{"workers", "PostgreSQL"}, Format: chart.Decimal,
	}
	for _, s := range r.Summary {
		bars.Bars = append(bars.Bars, chart.Bar{
			Label: fmt.Sprintf("%d workers (%.0f/s)", s.Workers, s.Statements.Median),
			Parts: []float64{s.WorkerCPU.Median, s.Postgres.Median},
		})
	}
	return bars.SVG()
}

// growthChart returns nil if none of the dimensions was measured.
func growthChart(r *growthResult, horizontal string, dimensions []string) []byte {
	lines := chart.Lines{
		Title: "CPU time of claiming and resolving", Unit: "microseconds per activity, worker and PostgreSQL",
		Horizontal: horizontal, Format: chart.Whole,
	}
	for _, dimension := range dimensions {
		line := chart.Line{Name: dimension}
		for _, s := range r.Summary {
			if s.Dimension == dimension {
				line.Points = append(line.Points, chart.Point{X: float64(s.Size), Y: s.CPU.Median})
			}
		}
		if len(line.Points) > 0 {
			lines.Lines = append(lines.Lines, line)
		}
	}
	if len(lines.Lines) == 0 {
		return nil
	}
	return lines.SVG()
}

// othersChart shows what others notice of a wide audience and of a tenant's surge. It returns nil
// if neither was measured.
func othersChart(r *compareResult) []byte {
	bars := chart.Bars{
		Title: "Deliveries of others", Unit: "p99 from COMMIT to the socket, milliseconds", Format: chart.Decimal,
	}
	add := func(text string, p99 milliseconds, ours bool) {
		bars.Bars = append(bars.Bars, chart.Bar{Label: text, Parts: []float64{float64(p99)}, Ours: ours})
	}
	if r.Wide != nil {
		add("before a wide audience", r.Wide.Alone.Sent.P99, false)
		add("during its delivery", r.Wide.During.Sent.P99, true)
	}
	if r.Fairness != nil {
		alone, during := r.Fairness.p99s()
		add("before a tenant's surge", alone, false)
		add("during its delivery", during, true)
	}
	if len(bars.Bars) == 0 {
		return nil
	}
	return bars.SVG()
}
