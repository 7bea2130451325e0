package outbox

import "time"

// assignment divides the lanes and the probes among the workers of a database. It only saves
// statements: the lock of a lane decides who serves it, and a lane that its worker leaves is served
// by the others.
type assignment struct {
	place, count int           // this worker is number place of count; count 0 means that it is alone
	clock        time.Duration // what to add to the local clock for the clock of the server
}

// owns reports whether a lane is assigned to this worker.
func (a assignment) owns(lane int) bool { return a.count <= 1 || lane%a.count == a.place }

// untilProbe returns the pause until the next probe of an idle outbox. The workers take turns, one
// in each interval of poll, so together they probe as often as a single one.
func (a assignment) untilProbe(now time.Time, poll time.Duration) time.Duration {
	if a.count <= 1 {
		return poll
	}
	round := int64(poll) * int64(a.count)
	at := now.Add(a.clock).UnixNano() % round
	pause := int64(poll)*int64(a.place) - at
	if pause <= 0 {
		pause += round
	}
	return time.Duration(pause)
}

// untilRegistration returns the pause until the next registration. The workers take turns, and each
// registers equally often in each period of samples.
func (a assignment) untilRegistration(now time.Time) time.Duration {
	turn := registerEvery / time.Duration(max(a.count, 1))
	mine := time.Duration(a.place)*turn + turn/2
	at := time.Duration(now.Add(a.clock).UnixNano() % int64(registerEvery))
	pause := mine - at
	for pause < registerEvery/2 {
		pause += registerEvery
	}
	return pause
}
