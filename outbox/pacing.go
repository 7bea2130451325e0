package outbox

import "time"

// pacing decides how long background turns, the claims of deferred tenants and the steps of fan-out
// jobs, pause while other activities are delivered. It compares how many claims of others are slow
// beside a background turn with how many are in the pauses. Where there is no difference, as on a
// machine with cores to spare, the turns do not pause.
//
// A claim is slow if it takes more than slow times the mean of those in the pauses. The share of
// slow claims is what matters to the slowest hundredth of the deliveries; the mean hides it.
type pacing struct {
	apart, beside mean      // the share of slow claims
	usual         mean      // nanoseconds that a claim takes apart from every background turn
	apartAt       time.Time // when the latest of them was noted
	notes         int       // claims beside a turn since the latest decision
	rest          float64   // the pause after a turn, in durations of the turn
	most          float64   // the longest rest, which falls while a backlog does not shrink
	left          remaining
}

// remaining is how many activities were recorded after those that turns deliver.
type remaining struct {
	now    mean
	turns  int       // that the mean is of
	turnAt time.Time // of the latest turn
	before float64   // at the latest comparison
	at     time.Time
}

// The rules of pacing.
const (
	firstRest   = 1.0
	leastRest   = 0.25 // the shortest pause above none
	mostRest    = 5.0  // background turns run for a sixth of the time at least
	longestRest = time.Second

	slow         = 2.0       // in means of the claims in the pauses
	delayed      = 4.0 / 100 // with as many more slow claims beside turns, pauses double
	undelayed    = 1.0 / 100 // with no more than as many more, they become half as long
	decideAfter  = 8         // claims
	latestApart  = 200       // claims of which the means are
	latestBeside = 64
	comparedWith = 10 * time.Second

	measureEvery = 5 * time.Second
	latestTurns  = 32
	goneWithin   = 30 * time.Minute // pauses become shorter until a backlog will be gone in this time
)

func newPacing() pacing { return pacing{rest: firstRest, most: mostRest} }

// note adds a claim of others. beside reports that a background turn ran meanwhile.
func (p *pacing) note(took time.Duration, beside bool, now time.Time) {
	isSlow := 0.0
	if float64(took) > slow*p.usual.value {
		isSlow = 1
	}
	if !beside {
		if p.usual.n > 0 {
			p.apart.add(isSlow, latestApart)
		}
		p.usual.add(float64(took), latestApart)
		p.apartAt = now
		return
	}
	p.beside.add(isSlow, latestBeside)
	if p.notes++; p.notes < decideAfter {
		return
	}
	p.notes = 0
	more := p.beside.value - p.apart.value
	switch {
	case p.apart.n < decideAfter || now.Sub(p.apartAt) > comparedWith:
		p.rest = max(p.rest, firstRest) // until claims run in the pauses
	case more > delayed:
		p.rest = max(2*p.rest, leastRest)
	case more < undelayed:
		p.rest = halved(p.rest)
	}
	p.rest = min(p.rest, p.most)
}

// noteTurn adds a turn that has delivered activities of deferred tenants. left is the number of
// those that were recorded after them.
func (p *pacing) noteTurn(left int64, now time.Time) {
	l := &p.left
	if now.Sub(l.turnAt) >= 2*measureEvery { // another backlog
		*l, p.most = remaining{}, mostRest
	}
	l.now.add(float64(left), latestTurns)
	l.turns, l.turnAt = l.turns+1, now
	past := now.Sub(l.at)
	switch {
	case l.turns < 3*latestTurns: // until then, the mean lags behind more and more
	case past < measureEvery:
		return
	default:
		shrunk := l.before - l.now.value
		switch gone := l.now.value * past.Seconds(); {
		case gone > shrunk*goneWithin.Seconds():
			p.most = halved(p.most)
		case gone < shrunk*goneWithin.Seconds()/2:
			p.most = min(max(2*p.most, leastRest), mostRest)
		}
		p.rest = min(p.rest, p.most)
	}
	l.before, l.at = l.now.value, now
}

// halved returns half of a rest, or none.
func halved(rest float64) float64 {
	if rest /= 2; rest < leastRest {
		return 0
	}
	return rest
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

// mean is a mean in which older values count less and less.
type mean struct {
	n     int
	value float64
}

// add adds a value, which counts as much as one of the latest ones.
func (m *mean) add(value float64, latest int) {
	m.n = min(m.n+1, latest)
	m.value += (value - m.value) / float64(m.n)
}
