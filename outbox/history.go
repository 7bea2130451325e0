package outbox

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Point describes the work of all workers, and the backlog of all tenants, in a part of a history.
// The backlog is the largest in that part; its fields are nil if it was not measured.
type Point struct {
	BeganAt               time.Time
	SettledPerSecond      float64 // activities that were delivered or became dead letters
	PublicationsPerSecond float64
	P50, P99              *time.Duration // from recording to the commit of the delivery; nil without one
	Pending               *int64
	OldestAge             *time.Duration // of the oldest pending activity
	Parked                *int64
	DeadLetters           *int64
}

// History is a series of points at equal intervals. A part in which no worker ran has no point.
type History struct {
	Step   time.Duration
	Points []Point // oldest first, at most MaxPoints
}

// The bounds of a history.
const (
	MaxPoints  = 300
	MaxHistory = 24 * time.Hour
)

// sample is a row of the table of samples.
type sample struct {
	beganAt      time.Time
	settled      int64
	publications int64
	latency      latencies
	pending      *int64
	oldestAge    *float64 // seconds
	parked       *int64
	deadLetters  *int64
}

// History returns the last part of the history, without the period that has not ended, by the clock
// of the database. length is at most MaxHistory.
func (b *Backlog) History(ctx context.Context, length time.Duration) (History, error) {
	rows, err := b.pool.Query(ctx, `
		SELECT p.until, s.began_at, s.settled, s.publications, s.latency, s.pending, s.oldest_age, s.parked,
		       s.dead_letters
		FROM (
		    SELECT to_timestamp(floor(extract(epoch FROM clock_timestamp()) / $1::float8) * $1) AS until
		) AS p
		LEFT JOIN fanfare.samples AS s
		    ON s.began_at < p.until AND s.began_at >= p.until - make_interval(secs => $2)
		ORDER BY s.began_at`, samplePeriod.Seconds(), min(length, MaxHistory).Seconds())
	if err != nil {
		return History{}, fmt.Errorf("read the history: %w", err)
	}
	var (
		samples []sample
		until   time.Time
	)
	_, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (struct{}, error) {
		var (
			s                     sample
			beganAt               *time.Time
			settled, publications *int64
		)
		err := row.Scan(&until, &beganAt, &settled, &publications, (*[]int64)(&s.latency), &s.pending,
			&s.oldestAge, &s.parked, &s.deadLetters)
		if err == nil && beganAt != nil {
			s.beganAt, s.settled, s.publications = *beganAt, *settled, *publications
			samples = append(samples, s)
		}
		return struct{}{}, err
	})
	if err != nil {
		return History{}, fmt.Errorf("read the history: %w", err)
	}
	return historyOf(samples, until, min(length, MaxHistory)), nil
}

// historyOf summarizes samples, which are in the order of their time, in at most MaxPoints points.
func historyOf(samples []sample, until time.Time, length time.Duration) History {
	periods := max(int64(length/samplePeriod), 1)
	perPoint := (periods + MaxPoints - 2) / (MaxPoints - 1) // the first and the last point may be shorter
	h := History{Step: time.Duration(perPoint) * samplePeriod}
	since := until.Add(-time.Duration(periods) * samplePeriod)
	for len(samples) > 0 {
		// At multiples of the step, so that the points stay the same as time goes on.
		began := samples[0].beganAt.Truncate(h.Step)
		ended := began.Add(h.Step)
		if began.Before(since) {
			began = since
		}
		if ended.After(until) {
			ended = until
		}
		n := 0
		for n < len(samples) && samples[n].beganAt.Before(ended) {
			n++
		}
		h.Points = append(h.Points, summarize(samples[:n], began, ended))
		samples = samples[n:]
	}
	return h
}

// summarize returns the point of some samples, at least one.
func summarize(samples []sample, began, ended time.Time) Point {
	p := Point{BeganAt: began.UTC()}
	var (
		settled, publications int64
		latency               latencies
		age                   *float64
	)
	for _, s := range samples {
		settled, publications = settled+s.settled, publications+s.publications
		latency.merge(s.latency)
		p.Pending, age = larger(p.Pending, s.pending), larger(age, s.oldestAge)
		p.Parked, p.DeadLetters = larger(p.Parked, s.parked), larger(p.DeadLetters, s.deadLetters)
	}
	seconds := ended.Sub(began).Seconds()
	p.SettledPerSecond, p.PublicationsPerSecond = float64(settled)/seconds, float64(publications)/seconds
	if median, ok := latency.quantile(0.5); ok {
		high, _ := latency.quantile(0.99)
		p.P50, p.P99 = &median, &high
	}
	if age != nil {
		oldest := time.Duration(*age * float64(time.Second))
		p.OldestAge = &oldest
	}
	return p
}

// larger returns the larger value of those that are not nil.
func larger[T cmp.Ordered](a, b *T) *T {
	if a == nil || b != nil && *b > *a {
		return b
	}
	return a
}
