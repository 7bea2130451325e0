package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// verdict is what a check found.
type verdict struct {
	status         Status
	detail, remedy string
}

func fine(format string, args ...any) verdict {
	return verdict{status: OK, detail: fmt.Sprintf(format, args...)}
}

func warn(detail, remedy string) verdict { return verdict{Warn, detail, remedy} }

func fail(detail, remedy string) verdict { return verdict{Fail, detail, remedy} }

func skipped(why, remedy string) verdict { return verdict{Skipped, why, remedy} }

// worst makes one verdict of several: the worst status, with the details and remedies of all that
// are not ok, or of all if all are.
func worst(all []verdict) verdict {
	status := OK
	for _, v := range all {
		if v.status == Fail || v.status == Warn && status == OK {
			status = v.status
		}
	}
	var details, remedies []string
	for _, v := range all {
		if (status == OK) == (v.status == OK) {
			details = appendNew(details, v.detail)
			remedies = appendNew(remedies, v.remedy)
		}
	}
	return verdict{status, strings.Join(details, "; "), strings.Join(remedies, "; ")}
}

// appendNew adds a text that is not empty, unless the list has it.
func appendNew(list []string, s string) []string {
	if s == "" || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
