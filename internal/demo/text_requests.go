package demo

import (
	"fmt"
	"regexp"
	"strings"
)

// renderRequests makes a scene's lines of what was asked of the API, and in what words it answered.
func renderRequests(r Result, p paint) string {
	asker := func(asked Request) string {
		if asked.Tenant != r.Tenant {
			return first(asked.Who) + " of " + first(asked.Tenant)
		}
		return first(asked.Who)
	}
	names := 6
	for _, asked := range r.Requests {
		names = max(names, runes(asker(asked)))
	}
	var b strings.Builder
	for _, asked := range r.Requests {
		answer := fmt.Sprint(asked.Status)
		if asked.Note != "" {
			answer += ", " + asked.Note
		}
		answer += fmt.Sprintf("%10s", ms(asked.Milliseconds))
		left := indent + 2 + names + 1
		line := cut(asked.Method+" "+brief(asked.Path), width-left-2-runes(answer))
		b.WriteString(blank(indent) + p.cyan("⇄") + " " + pad(asker(asked), names) + " " + line +
			blank(width-left-runes(line)-runes(answer)) + answer + "\n")
		if len(asked.Body) > 0 {
			b.WriteString(blank(left) + p.dim(cut(brief(string(asked.Body)), width-left)) + "\n")
		}
	}
	return b.String()
}

// brief leaves out the middle of ids.
func brief(s string) string {
	return uuidText.ReplaceAllString(s, "$1…$2")
}

var uuidText = regexp.MustCompile(`([0-9a-f]{4})[0-9a-f]{4}(?:-[0-9a-f]{4}){3}-[0-9a-f]{8}([0-9a-f]{4})`)
