package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/fanfarehq/fanfare/internal/acceptance"
)

// others measures the counts and the changes of the inbox.
func (r *inboxReader) others(ctx context.Context) (lines []inboxLine, err error) {
	for _, measure := range []func(context.Context) (inboxLine, error){
		r.unreadCount, r.counts, r.change, r.markAndUndo,
	} {
		line, err := measure(ctx)
		if err != nil {
			return nil, err
		}
		line.progress()
		lines = append(lines, line)
	}
	return lines, nil
}

func (r *inboxReader) unreadCount(ctx context.Context) (line inboxLine, err error) {
	line = inboxLine{State: "GET", Filter: "unread-count", Pages: 1}
	if err = r.first(ctx, &line, "/notifications/unread-count"); err != nil {
		return line, err
	}
	err = r.compareCounts(ctx, &line, "/notifications/unread-count", []string{"unread_count"}, []string{"unread"})
	return line, err
}

func (r *inboxReader) counts(ctx context.Context) (line inboxLine, err error) {
	line = inboxLine{State: "GET", Filter: "counts", Pages: 1}
	if err = r.first(ctx, &line, "/notifications/counts"); err != nil {
		return line, err
	}
	states := []string{"inbox", "unread", "unseen", "archived", "snoozed"}
	return line, r.compareCounts(ctx, &line, "/notifications/counts", states, states)
}

// compareCounts compares the numbers of a response with naive ones, 10,000 at most.
func (r *inboxReader) compareCounts(ctx context.Context, line *inboxLine, path string, fields, states []string) error {
	text, _, err := r.send(ctx, http.MethodGet, path, "")
	if err != nil {
		return err
	}
	var got map[string]int
	if err := json.Unmarshal(text, &got); err != nil {
		return err
	}
	for i, state := range states {
		for _, s := range inboxStates {
			if s.state != state {
				continue
			}
			naive, err := r.naive(ctx, `SELECT least(count(*), 10000)::text FROM (`+
				naiveRows(s.condition, inboxFilters()[0])+`) AS x WHERE passes`)
			if err != nil {
				return err
			}
			line.Naive += naive + " "
			line.Got += fmt.Sprint(got[fields[i]], " ")
		}
	}
	return nil
}

// change marks one notification as read and unread.
func (r *inboxReader) change(ctx context.Context) (line inboxLine, err error) {
	line = inboxLine{State: "PATCH", Filter: "read", Naive: "1", Got: "1"}
	text, _, err := r.send(ctx, http.MethodGet, "/notifications?limit=1", "")
	if err != nil {
		return line, err
	}
	var a inboxAnswer
	if err := json.Unmarshal(text, &a); err != nil {
		return line, err
	}
	var took []time.Duration
	path := "/notifications/" + a.Items[0].ID.String()
	for n := range r.o.requests {
		_, d, err := r.send(ctx, http.MethodPatch, path, fmt.Sprintf(`{"read":%t}`, n%2 == 0))
		if err != nil {
			return line, err
		}
		took = append(took, d)
	}
	line.First = acceptance.NewPercentiles(took)
	return line, nil
}

// markAndUndo marks what is in the inbox as archived, request by request, and compares the number
// of changes with a naive count.
func (r *inboxReader) markAndUndo(ctx context.Context) (line inboxLine, err error) {
	line = inboxLine{State: "POST mark", Filter: "inbox to archived"}
	if line.Naive, err = r.naive(ctx, `SELECT count(*)::text FROM (`+
		naiveRows(inboxStates[0].condition, inboxFilters()[0])+`) AS x WHERE passes`); err != nil {
		return line, err
	}
	var took []time.Duration
	count, body := 0, `{"filter":{},"changes":{"archived":true}}`
	for {
		text, d, err := r.send(ctx, http.MethodPost, "/notifications/mark", body)
		if err != nil {
			return line, err
		}
		var a struct {
			Count      int     `json:"count"`
			NextCursor *string `json:"next_cursor"`
		}
		if err := json.Unmarshal(text, &a); err != nil {
			return line, err
		}
		count, took = count+a.Count, append(took, d)
		line.Pages++
		if a.NextCursor == nil {
			break
		}
		body = fmt.Sprintf(`{"filter":{},"changes":{"archived":true},"cursor":%q}`, *a.NextCursor)
	}
	line.Got, line.Walk = fmt.Sprint(count), acceptance.NewPercentiles(took)
	return line, nil
}
