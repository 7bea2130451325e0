package demo

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/fanfarehq/fanfare/activity"
)

// othersColumn is where the column of the people who are not recipients begins.
const othersColumn = 46

// title opens the output.
type title struct{}

func (title) text(p paint) string {
	return "\n" + heading("fanfare demo", "real servers, private to this run and removed afterwards", p) + "\n"
}

// progress is something that was started.
type progress struct{ what, detail string }

func (s progress) text(p paint) string {
	return blank(indent) + pad(s.what, 32) + p.dim(s.detail) + "\n"
}

// farewell closes the output of a demo that is not kept.
type farewell struct{}

func (farewell) text(p paint) string {
	const hint = "With --keep the demo continues and prints how to connect with curl and psql."
	return blank(indent) + p.dim(hint) + "\n\n"
}

// text returns a scene's block: the heading, the story, the requests to the API, the recipients
// beside the others, and the mismatches.
func (r Result) text(p paint) string {
	var b strings.Builder
	subject := cmp.Or(r.Action, "the API") + " · " + r.Tenant
	b.WriteString("\n" + heading(fmt.Sprintf("%2d  %s", r.Number, r.Title), subject, p))
	for _, line := range wrap(r.Story, width-indent) {
		b.WriteString(blank(indent) + p.dim(line) + "\n")
	}
	b.WriteString(requestLines(r, p))
	b.WriteString(beside(recipientCells(r, p), otherCells(r, p), othersColumn))
	for _, m := range r.Mismatches {
		b.WriteString(mismatchLines(m, p))
	}
	return b.String()
}

// heading is a line with a text at each end.
func heading(start, end string, p paint) string {
	gap := max(2, width-runes(start)-runes(end))
	return p.bold(start) + blank(gap) + p.dim(end) + "\n"
}

func mismatchLines(m string, p paint) string {
	const label = "✗ MISMATCH  "
	var b strings.Builder
	for i, line := range wrap(m, width-indent-runes(label)) {
		if i == 0 {
			b.WriteString(blank(indent) + p.red(label) + line + "\n")
		} else {
			b.WriteString(blank(indent+runes(label)) + line + "\n")
		}
	}
	return b.String()
}

// requestLines returns the requests with their responses.
func requestLines(r Result, p paint) string {
	caller := func(x Request) string {
		if x.Tenant != r.Tenant {
			return first(x.Who) + " of " + first(x.Tenant)
		}
		return first(x.Who)
	}
	names := 6
	for _, x := range r.Requests {
		names = max(names, runes(caller(x)))
	}
	var b strings.Builder
	for _, x := range r.Requests {
		response := fmt.Sprint(x.Status)
		if x.Note != "" {
			response += ", " + x.Note
		}
		response += fmt.Sprintf("%10s", ms(x.Milliseconds))
		left := indent + 2 + names + 1
		line := cut(x.Method+" "+shortenIDs(x.Path), width-left-2-runes(response))
		b.WriteString(blank(indent) + p.cyan("⇄") + " " + pad(caller(x), names) + " " + line +
			blank(width-left-runes(line)-runes(response)) + response + "\n")
		if len(x.Body) > 0 {
			b.WriteString(blank(left) + p.dim(cut(shortenIDs(string(x.Body)), width-left)) + "\n")
		}
	}
	return b.String()
}

// shortenIDs removes the middle of UUIDs.
func shortenIDs(s string) string { return uuidText.ReplaceAllString(s, "$1…$2") }

var uuidText = regexp.MustCompile(`([0-9a-f]{4})[0-9a-f]{4}(?:-[0-9a-f]{4}){3}-[0-9a-f]{8}([0-9a-f]{4})`)

func recipientCells(r Result, p paint) (cells []cell) {
	add := func(mark cell, who, why, when string) {
		cells = append(cells, join(mark, plain(" "+pad(first(who), 7)+pad(why, 23)+fmt.Sprintf("%10s", when))))
	}
	for _, x := range r.Recipients {
		add(painted(p.green, "●"), x.Who, strings.Join(x.Reasons, ", "), ms(x.Milliseconds))
	}
	for _, x := range r.InboxOnly {
		add(painted(p.yellow, "◐"), x.Who, strings.Join(x.Reasons, ", ")+", muted", "inbox")
	}
	for _, x := range r.Shared {
		channel := "resource channel"
		if x.Channel == activity.ToTenant {
			channel = "tenant's stream"
		}
		add(painted(p.cyan, "▣"), x.Who, channel, ms(x.Milliseconds))
	}
	for _, u := range r.Unread {
		add(painted(p.green, "●"), u.Who, fmt.Sprintf("unread count: %d", u.Count), ms(u.Milliseconds))
	}
	if len(cells) == 0 && r.Action != "" {
		cells = append(cells, painted(p.bold, "  no recipients"))
	}
	return cells
}

// otherCells groups the others by reason. Short groups share a line.
func otherCells(r Result, p paint) []cell {
	var order []string
	groups := map[string][]Other{}
	for _, o := range r.Others {
		key := o.Detail
		if o.Why == OtherTenant {
			key = o.Tenant
		}
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], o)
	}
	const half = (width - indent - othersColumn) / 2
	var long, short, foreign []cell
	for _, key := range order {
		who, detail := groupName(groups[key]), groups[key][0].Detail
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

// groupName names people who share a reason, or counts them if it is the reason of a whole tenant.
func groupName(people []Other) string {
	switch people[0].Why {
	case OtherTenant:
		return fmt.Sprintf("all %d of %s", len(people), people[0].Tenant)
	case NotCommitted:
		return fmt.Sprintf("all %d of both tenants", len(people))
	}
	names := make([]string, len(people))
	for i, o := range people {
		names[i] = first(o.Who)
	}
	return strings.Join(names, ", ")
}

func (s Summary) text(p paint) string {
	var b strings.Builder
	verdict := p.green("every recipient was notified, and no one else")
	switch {
	case s.Mismatches == 1:
		verdict = p.red("✗ 1 MISMATCH")
	case s.Mismatches > 1:
		verdict = p.red(fmt.Sprintf("✗ %d MISMATCHES", s.Mismatches))
	}
	b.WriteString("\n" + p.bold(strings.Repeat("─", width)) + "\n")
	b.WriteString(blank(indent) + p.bold("Summary") + "  " + verdict + "\n\n")
	for _, row := range [][4]string{
		{"activities committed", fmt.Sprint(s.Committed), "commit to socket, p50", ms(s.P50)},
		{"rolled back", fmt.Sprint(s.RolledBack), "commit to socket, p99", ms(s.P99)},
		{"pushes to people", fmt.Sprint(s.Deliveries), "dead letters", fmt.Sprint(s.DeadLetters)},
		{"on shared channels", fmt.Sprint(s.Shared), "mismatches", fmt.Sprint(s.Mismatches)},
		{"inbox rows", fmt.Sprint(s.InboxRows), "API request, p99", ms(s.RequestP99)},
		{"API requests", fmt.Sprint(s.Requests), "duration", fmt.Sprintf("%.1f s", s.Seconds)},
	} {
		fmt.Fprintf(&b, "%s%-26s%10s        %-26s%10s\n", blank(indent), row[0], row[1], row[2], row[3])
	}
	for _, d := range s.Discrepancies {
		b.WriteString(mismatchLines(d, p))
	}
	return b.String() + "\n"
}
