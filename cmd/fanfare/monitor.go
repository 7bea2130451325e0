package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/internal/wait"
)

// How often a part is checked, by how it was the last time, and how often what is wrong is said
// again while it stays.
const (
	checkWhenWell = 5 * time.Second
	checkWhenIll  = time.Second
	sayAgain      = time.Minute
)

// part is something that the daemon cannot do without.
type part struct {
	name string
	// check says in sentences what is wrong, without secrets; nothing if nothing is. It returns
	// within seconds, and the first one, which a person waits for who has just started the daemon,
	// within one.
	check func(ctx context.Context, first bool) []string
}

// monitor checks the parts, says in the log what is wrong and when it is mended, and remembers it.
type monitor struct {
	log   *zap.Logger
	parts []part

	mu    sync.Mutex
	wrong map[string][]string // by the part's name; no entry before its first check
}

func newMonitor(log *zap.Logger, parts ...part) *monitor {
	return &monitor{log: log, parts: parts, wrong: make(map[string][]string)}
}

// Names names the parts.
func (m *monitor) Names() []string {
	names := make([]string, len(m.parts))
	for i, p := range m.parts {
		names[i] = p.name
	}
	return names
}

// Run checks at once and then again and again until ctx ends, each part on its own.
func (m *monitor) Run(ctx context.Context) error {
	var g errgroup.Group
	for _, p := range m.parts {
		g.Go(func() error { m.watch(ctx, p); return nil })
	}
	return g.Wait()
}

func (m *monitor) watch(ctx context.Context, p part) {
	var before []string
	var said time.Time
	for first := true; ; first = false {
		wrong := p.check(ctx, first)
		if len(wrong) > 0 && len(before) == 0 && !first {
			wrong = p.check(ctx, false) // so that a hiccup is no alarm
		}
		if ctx.Err() != nil {
			return
		}
		m.note(p.name, wrong)
		switch {
		case len(wrong) > 0 && (!slices.Equal(wrong, before) || time.Since(said) >= sayAgain):
			for _, sentence := range wrong {
				m.log.Error(sentence, zap.String("part", p.name))
			}
			said = time.Now()
		case len(wrong) == 0 && len(before) > 0:
			m.log.Info("all is well again", zap.String("part", p.name))
		case first:
			m.log.Info("all is well", zap.String("part", p.name))
		}
		before = wrong
		pause := checkWhenWell
		if len(wrong) > 0 {
			pause = checkWhenIll
		}
		if wait.Sleep(ctx, pause) != nil {
			return
		}
	}
}

func (m *monitor) note(name string, wrong []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wrong[name] = wrong
}

// Wrong says what was wrong with each part when it was last checked; a part with which nothing is
// wrong is not in it.
func (m *monitor) Wrong() map[string][]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	wrong := make(map[string][]string)
	for _, p := range m.parts {
		switch found, checked := m.wrong[p.name]; {
		case !checked:
			wrong[p.name] = []string{"It has not been checked yet."}
		case len(found) > 0:
			wrong[p.name] = found
		}
	}
	return wrong
}
