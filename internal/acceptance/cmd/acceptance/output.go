package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/fanfarehq/fanfare/internal/acceptance"
	"github.com/fanfarehq/fanfare/internal/acceptance/churn"
)

// result is a result that can print itself as a table.
type result interface {
	Err() error
	table(w io.Writer)
}

// show prints a result as a table or as JSON.
func show(out io.Writer, r result, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	r.table(w)
	return w.Flush()
}

// row prints the cells of a row. With AlignRight every cell ends with a tab.
func row(w io.Writer, cells ...any) {
	texts := make([]string, len(cells))
	for i, c := range cells {
		texts[i] = fmt.Sprint(c)
	}
	_, _ = fmt.Fprintln(w, strings.Join(texts, "\t")+"\t")
}

// machine describes the machine that a result was obtained on.
type machine struct {
	CPUs int    `json:"cpus"`
	Go   string `json:"go"`
}

func thisMachine() machine { return machine{runtime.NumCPU(), runtime.Version()} }

type killsResult struct {
	Machine machine `json:"machine"`
	*acceptance.KillsResult
}

func (r killsResult) table(w io.Writer) {
	row(w, "workers killed", r.Kills)
	row(w, "of them inside a batch", r.InsideBatch)
	row(w, "activities recorded", r.Recorded)
	row(w, "transactions rolled back", r.RolledBack)
	row(w, "deliveries expected", r.Expected)
	row(w, "distinct deliveries received", r.Received)
	row(w, "repeated deliveries", r.Repeats)
	row(w, "lost deliveries", r.Lost)
	row(w, "deliveries to other principals", r.Unexpected)
	row(w, "deliveries of uncommitted activities", r.Phantoms)
	row(w, "inbox rows missing", r.InboxMissing)
	row(w, "inbox rows duplicated or unexpected", r.InboxUnexpected)
	row(w, "out of order for their resource", r.OutOfOrder)
	row(w, "dead letters", r.DeadLetters)
}

type clusterResult struct {
	Machine machine `json:"machine"`
	*acceptance.ClusterResult
}

func (r clusterResult) table(w io.Writer) {
	row(w, "killed", "recorded", "deliveries", "received", "lost", "doubled", "inverted", "inbox faults",
		"connections lost", "requests repeated", "p99", "longest gap")
	for _, p := range r.Phases {
		row(w, p.Killed, p.Recorded, p.Expected, p.Received, p.Lost, p.Repeats, p.OutOfOrder, p.InboxFaults,
			p.Disconnects, p.Retried, p.P99, p.Longest)
	}
}

type upgradeResult struct {
	Machine machine `json:"machine"`
	Before  string  `json:"version_before"`
	*acceptance.UpgradeResult
}

func (r upgradeResult) table(w io.Writer) {
	row(w, "step", "recorded", "deliveries", "received", "lost", "doubled", "inverted", "inbox faults",
		"answers 5xx", "requests repeated", "p99", "longest gap")
	for _, p := range r.Phases {
		row(w, p.Step, p.Recorded, p.Expected, p.Received, p.Lost, p.Repeats, p.OutOfOrder, p.InboxFaults,
			p.ServerErrors, p.Retried, p.P99, p.Longest)
	}
	row(w)
	row(w, "version before", r.Before)
	row(w, "programs ended by the contract", len(r.Stopped))
}

type churnResult struct {
	Machine machine `json:"machine"`
	*acceptance.ChurnResult
}

func (r churnResult) table(w io.Writer) {
	total := 0
	for _, n := range r.Changes {
		total += n
	}
	title := fmt.Sprintf("%d clients, %d activities at %d/s", r.Clients, r.Activities, r.Rate)
	row(w, title, "pairs", "received", "missed")
	row(w, "must receive", r.Must, r.Received, fmt.Sprintf("%d connected, %d reconnected, %d beyond the history",
		r.MissedConnected, r.MissedReconnected, r.MissedBeyondGaps))
	row(w, "may receive: changed during the delivery", r.May, r.MayReceived,
		fmt.Sprintf("(%.2f%% of must and may)", 100*r.Undecided()))
	row(w, "must not receive", r.MustNot, r.Unexpected)
	row(w, "repeated deliveries", "", r.Repeats)
	row(w, "from another tenant", "", r.Foreign)
	row(w, "of uncommitted activities", "", r.Phantoms)
	row(w, "inbox rows missing, unexpected", "", fmt.Sprintf("%d, %d", r.InboxMissing, r.InboxUnexpected))
	row(w, "dead letters", r.DeadLetters)
	row(w)
	row(w, "changes", total)
	for _, kind := range churn.Kinds() {
		row(w, "of "+kind, r.Changes[kind])
	}
	row(w, "pairs altered by the changes", r.Altered)
	row(w, "states in which an activity may be delivered", fmt.Sprintf("%.2f", r.States))
	row(w, "clients that stayed connected", r.Connected)
	row(w, "connections lost", r.Disconnects, "", fmt.Sprintf("%d for longer than the history", r.Gaps))
	row(w)
	row(w, "latency", "p50", "p99", "max")
	row(w, "from COMMIT's return to the socket", r.Returned.P50, r.Returned.P99, r.Returned.Max)
	row(w, "from COMMIT's sending to the socket", r.Sent.P50, r.Sent.P99, r.Sent.Max)
}

type moveResult struct {
	Machine machine `json:"machine"`
	*acceptance.MoveResult
}

func (r moveResult) table(w io.Writer) {
	row(w, "killed at", "then", "recorded", "deliveries", "received", "lost", "doubled", "inverted", "refused",
		"frozen (s)", "longest wait (s)")
	for _, p := range r.Phases {
		killed, then := p.Killed, "continued"
		switch {
		case p.Aborted:
			then = "aborted"
		case killed == "":
			killed, then = "not killed", ""
		}
		row(w, killed, then, p.Recorded, p.Expected, p.Received, p.Lost, p.Doubled, p.Inverted, p.Refused,
			fmt.Sprintf("%.2f", p.FrozenSeconds), fmt.Sprintf("%.2f", p.LongestWait))
	}
}
