package doctor

// Report is what an examination came to.
type Report struct {
	// OK is false when a check failed. Warnings, and checks that were not made, do not count.
	OK     bool    `json:"ok"`
	Checks []Check `json:"checks"` // in the order in which they were made
}

// Check is what one check came to.
type Check struct {
	Name   string `json:"name"` // stable, fit for scripts
	Status Status `json:"status"`
	Detail string `json:"detail"` // what was found
	Remedy string `json:"remedy"` // what to change; "" when nothing needs to be
}

// Status is the outcome of a check.
type Status string

// The outcomes.
const (
	OK      Status = "ok"
	Warn    Status = "warn"    // it works, but look at it
	Fail    Status = "fail"    // it does not work, or is not safe
	Skipped Status = "skipped" // it was not checked; the detail says why
)

// Count returns how many checks came to a status.
func (r Report) Count(s Status) (n int) {
	for _, c := range r.Checks {
		if c.Status == s {
			n++
		}
	}
	return n
}
