package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// finding is the outcome of a check.
type finding struct {
	status         Status
	detail, remedy string
}

func passed(format string, args ...any) finding {
	return finding{status: OK, detail: fmt.Sprintf(format, args...)}
}

func warning(detail, remedy string) finding { return finding{Warn, detail, remedy} }

func failure(detail, remedy string) finding { return finding{Fail, detail, remedy} }

func skipped(reason, remedy string) finding { return finding{Skipped, reason, remedy} }

// combine returns one finding for several: the worst status, with the details and remedies of the
// findings that are not OK, or of all findings if all are OK.
func combine(all []finding) finding {
	status := OK
	for _, f := range all {
		if f.status == Fail || f.status == Warn && status == OK {
			status = f.status
		}
	}
	var details, remedies []string
	for _, f := range all {
		if (status == OK) == (f.status == OK) {
			details = appendNew(details, f.detail)
			remedies = appendNew(remedies, f.remedy)
		}
	}
	return finding{status, strings.Join(details, "; "), strings.Join(remedies, "; ")}
}

// appendNew appends a text unless it is empty or already in the list.
func appendNew(list []string, s string) []string {
	if s == "" || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
