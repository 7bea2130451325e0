package daemon

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/internal/wait"
)

// Intervals between checks of a dependency, and between repeated log messages of a problem that
// persists.
const (
	healthyInterval   = 5 * time.Second
	unhealthyInterval = time.Second
	repeatInterval    = time.Minute
)

// dependency is a server that the daemon depends on.
type dependency struct {
	name string
	// check returns problems as sentences without secrets, or none if the server is available. It
	// returns within a few seconds, and the first time, when an operator watches the start, within
	// one.
	check func(ctx context.Context, first bool) []string
}

// monitor checks dependencies periodically, logs changes and keeps the current problems.
type monitor struct {
	log          *zap.Logger
	dependencies []dependency

	mu       sync.Mutex
	problems map[string][]string // by dependency; no entry before the first check
}

func newMonitor(log *zap.Logger, dependencies ...dependency) *monitor {
	return &monitor{log: log, dependencies: dependencies, problems: make(map[string][]string)}
}

// Names returns the names of the dependencies.
func (m *monitor) Names() []string {
	names := make([]string, len(m.dependencies))
	for i, d := range m.dependencies {
		names[i] = d.name
	}
	return names
}

// Run checks each dependency immediately and then periodically until ctx ends. It returns nil.
func (m *monitor) Run(ctx context.Context) error {
	var g errgroup.Group
	for _, d := range m.dependencies {
		g.Go(func() error { m.watch(ctx, d); return nil })
	}
	return g.Wait()
}

func (m *monitor) watch(ctx context.Context, d dependency) {
	var previous []string
	var logged time.Time
	for first := true; ; first = false {
		problems := d.check(ctx, first)
		if len(problems) > 0 && len(previous) == 0 && !first {
			problems = d.check(ctx, false) // a single failed check is not reported
		}
		if ctx.Err() != nil {
			return
		}
		m.set(d.name, problems)
		switch {
		case len(problems) > 0 && (!slices.Equal(problems, previous) || time.Since(logged) >= repeatInterval):
			for _, problem := range problems {
				m.log.Error(problem, zap.String("dependency", d.name))
			}
			logged = time.Now()
		case len(problems) == 0 && len(previous) > 0:
			m.log.Info("dependency is available again", zap.String("dependency", d.name))
		case first:
			m.log.Info("dependency is available", zap.String("dependency", d.name))
		}
		previous = problems
		interval := healthyInterval
		if len(problems) > 0 {
			interval = unhealthyInterval
		}
		if wait.Sleep(ctx, interval) != nil {
			return
		}
	}
}

func (m *monitor) set(name string, problems []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.problems[name] = problems
}

// Problems returns the problems of each dependency at its last check. Available dependencies are
// not in the map.
func (m *monitor) Problems() map[string][]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	problems := make(map[string][]string)
	for _, d := range m.dependencies {
		switch found, checked := m.problems[d.name]; {
		case !checked:
			problems[d.name] = []string{"Not checked yet."}
		case len(found) > 0:
			problems[d.name] = found
		}
	}
	return problems
}
