package outbox

import "time"

// pacing decides how long background turns, the claims of deferred tenants and the steps of fan-out
// jobs, pause while other activities are delivered. It compares how long claims of others take
// beside a background turn with how long they take in the pauses. Where there is no difference, as
// on a machine with cores to spare, the turns do not pause.
type pacing struct {
	apart, beside mean
	apartAt       time.Time // when a claim of others last ran apart from every background turn
	notes         int       // claims beside a turn since the latest decision
	rest          float64   // the pause after a turn, in durations of the turn
}

// The rules of pacing.
const (
	firstRest   = 1.0
	leastRest   = 0.25 // the shortest pause above none
	mostRest    = 4.0  // background turns run for a fifth of the time at least
	longestRest = time.Second

	slower       = 1.5  // claims that take as many times as long are delayed: pauses double
	undelayed    = 1.25 // those that take less are not: pauses become half as long
	decideAfter  = 8    // claims
	comparedWith = 10 * time.Second
)

func newPacing() pacing { return pacing{rest: firstRest} }

// note adds a claim of others. beside reports that a background turn ran meanwhile.
func (p *pacing) note(took time.Duration, beside bool, now time.Time) {
	if !beside {
		p.apart.add(took)
		p.apartAt = now
		return
	}
	p.beside.add(took)
	if p.notes++; p.notes < decideAfter {
		return
	}
	p.notes = 0
	ratio := p.beside.value / p.apart.value
	switch {
	case p.apart.n < decideAfter || now.Sub(p.apartAt) > comparedWith:
		p.rest = max(p.rest, firstRest) // until claims run in the pauses
	case ratio > slower:
		p.rest = min(max(2*p.rest, leastRest), mostRest)
	case ratio < undelayed:
		if p.rest /= 2; p.rest < leastRest {
			p.rest = 0
		}
	}
}

// admits reports whether a background turn may begin beside others: up to limit run at a time if
// they do not delay the claims of others.
func (p *pacing) admits(running, limit int) bool {
	return running == 0 || p.rest == 0 && running < limit
}

// pause returns the pause after a background turn.
func (p *pacing) pause(turn time.Duration) time.Duration {
	return min(time.Duration(float64(turn)*p.rest), longestRest)
}

// mean is the mean of the latest durations, in which older ones count less and less.
type mean struct {
	n     int
	value float64 // nanoseconds
}

func (m *mean) add(d time.Duration) {
	const latest = 16
	m.n = min(m.n+1, latest)
	m.value += (float64(d) - m.value) / float64(m.n)
}
