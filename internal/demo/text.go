package demo

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fanfarehq/fanfare/activity"
)

// place is where the column of those who did not hear begins.
const place = 46

func renderTitle(p paint) string {
	return "\n" + heading("fanfare demo", "all of it real, all of it private, all of it gone afterwards", p) + "\n"
}

func renderProgress(what, detail string, p paint) string {
	return blank(indent) + pad(what, 32) + p.dim(detail) + "\n"
}

// renderScene makes a scene's block: what was done; what was asked of the API; beside each other
// who heard and who did not; what is wrong.
func renderScene(r Result, p paint) string {
	var b strings.Builder
	what := cmp.Or(r.Action, "the API")
	b.WriteString("\n" + heading(fmt.Sprintf("%2d  %s", r.Number, r.Title), what+" · "+r.Tenant, p))
	for _, line := range wrap(r.Story, width-indent) {
		b.WriteString(blank(indent) + p.dim(line) + "\n")
	}
	b.WriteString(renderRequests(r, p))
	b.WriteString(beside(heardCells(r, p), silentCells(r, p), place))
	for _, m := range r.Mismatches {
		b.WriteString(renderMismatch(m, p))
	}
	return b.String()
}

// heading is a line with something at both ends.
func heading(start, end string, p paint) string {
	gap := max(2, width-runes(start)-runes(end))
	return p.bold(start) + blank(gap) + p.dim(end) + "\n"
}

func renderMismatch(m string, p paint) string {
	const label = "✗ MISMATCH  "
	var b strings.Builder
	for i, line := range wrap(m, width-indent-len(label)) {
		if i == 0 {
			b.WriteString(blank(indent) + p.red(label) + line + "\n")
		} else {
			b.WriteString(blank(indent+runes(label)) + line + "\n")
		}
	}
	return b.String()
}

func heardCells(r Result, p paint) []cell {
	line := func(mark cell, who, why, when string) cell {
		return join(mark, plain(" "+pad(who, 7)+pad(why, 23)+fmt.Sprintf("%10s", when)))
	}
	var cells []cell
	for _, h := range r.Heard {
		cells = append(
			cells,
			line(painted(p.green, "●"), first(h.Who), strings.Join(h.Reasons, ", "), ms(h.Milliseconds)),
		)
	}
	for _, h := range r.InboxOnly {
		cells = append(
			cells,
			line(painted(p.yellow, "◐"), first(h.Who), strings.Join(h.Reasons, ", ")+", muted", "inbox"),
		)
	}
	for _, h := range r.Shared {
		channel := "resource channel"
		if h.Channel == activity.ToTenant {
			channel = "tenant's stream"
		}
		cells = append(cells, line(painted(p.cyan, "▣"), first(h.Who), channel, ms(h.Milliseconds)))
	}
	for _, u := range r.Unread {
		cells = append(
			cells,
			line(painted(p.green, "●"), first(u.Who), fmt.Sprintf("unread count: %d", u.Count), ms(u.Milliseconds)),
		)
	}
	if len(cells) == 0 && r.Action != "" {
		cells = append(cells, painted(p.bold, "  nobody"))
	}
	return cells
}

// silentCells says for each reason who did not hear for it. Short ones share a line.
func silentCells(r Result, p paint) []cell {
	var order []string
	groups := map[string][]Silent{}
	for _, s := range r.Silent {
		key := s.Detail
		if s.Why == OtherTenant {
			key = s.Tenant
		}
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], s)
	}
	const half = (width - indent - place) / 2
	var long, short, foreign []cell
	for _, key := range order {
		who, detail := called(groups[key]), groups[key][0].Detail
		c := join(painted(p.dim, "○ "), plain(who), painted(p.dim, ": "+detail))
		switch {
		case groups[key][0].Why == OtherTenant:
			foreign = append(foreign, c)
		case c.width < half:
			short = append(short, c)
		default:
			long = append(long, c)
		}
	}
	cells := long
	for pair := range slices.Chunk(short, 2) {
		pair[0] = pair[0].to(half)
		cells = append(cells, join(pair...))
	}
	return append(cells, foreign...)
}

// called names people who share a reason; where it is everybody's, how many they are says more.
func called(people []Silent) string {
	switch people[0].Why {
	case OtherTenant:
		return fmt.Sprintf("all %d of %s", len(people), people[0].Tenant)
	case NotCommitted:
		return fmt.Sprintf("all %d of both tenants", len(people))
	}
	names := make([]string, len(people))
	for i, s := range people {
		names[i] = first(s.Who)
	}
	return strings.Join(names, ", ")
}

// renderSummary makes the last block.
func renderSummary(s Summary, p paint) string {
	var b strings.Builder
	verdict := p.green("everybody heard what they should, and nobody else did")
	if s.Mismatches > 0 {
		verdict = p.red(fmt.Sprintf("✗ %s", counted(s.Mismatches, "MISMATCH", "MISMATCHES")))
	}
	b.WriteString("\n" + p.bold(strings.Repeat("─", width)) + "\n")
	b.WriteString(blank(indent) + p.bold("Summary") + "  " + verdict + "\n\n")
	for _, row := range [][4]string{
		{"activities committed", fmt.Sprint(s.Committed), "commit to socket, p50", ms(s.P50)},
		{"rolled back", fmt.Sprint(s.RolledBack), "commit to socket, p99", ms(s.P99)},
		{"deliveries to people", fmt.Sprint(s.Deliveries), "dead letters", fmt.Sprint(s.DeadLetters)},
		{"on shared channels", fmt.Sprint(s.Shared), "mismatches", fmt.Sprint(s.Mismatches)},
		{"inbox rows", fmt.Sprint(s.InboxRows), "request to answer, p99", ms(s.RequestP99)},
		{"requests to the API", fmt.Sprint(s.Requests), "wall time", fmt.Sprintf("%.1f s", s.Seconds)},
	} {
		fmt.Fprintf(&b, "%s%-26s%10s        %-26s%10s\n", blank(indent), row[0], row[1], row[2], row[3])
	}
	for _, d := range s.Discrepancies {
		b.WriteString(renderMismatch(d, p))
	}
	return b.String() + "\n"
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
