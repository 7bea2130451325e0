package doctor

// Report is the result of an examination.
type Report struct {
	// OK reports that no check failed. Warnings and skipped checks do not count.
	OK bool `json:"ok"`
	// Diagnostics has one entry for each check, in the order of the checks.
	Diagnostics []Diagnostic `json:"checks"`
}

// Diagnostic is the result of one check.
type Diagnostic struct {
	ID     string `json:"name"` // of the check; stable, for scripts
	Status Status `json:"status"`
	Detail string `json:"detail"` // what the check found
	Remedy string `json:"remedy"` // what to change; empty if nothing has to change
}

// Status is the outcome of a check.
type Status string

// The outcomes.
const (
	OK      Status = "ok"
	Warn    Status = "warn"    // Fanfare works, but the operator should act
	Fail    Status = "fail"    // Fanfare does not work, or is not secure
	Skipped Status = "skipped" // the check did not run; the detail gives the reason
)

// Count returns the number of diagnostics with a status.
func (r Report) Count(s Status) (n int) {
	for _, d := range r.Diagnostics {
		if d.Status == s {
			n++
		}
	}
	return n
}
