package fnmatch

import (
	"regexp"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// oracle returns the regular expression that translate in CPython 3.11's Lib/fnmatch.py makes of a
// pattern. It is a transcription of that function and shares nothing with the code under test.
func oracle(tb rapid.TB, pattern string) *regexp.Regexp {
	tb.Helper()
	pat := []rune(pattern)
	n := len(pat)
	var res strings.Builder
	for i := 0; i < n; {
		c := pat[i]
		i++
		switch c {
		case '*':
			res.WriteString(".*")
		case '?':
			res.WriteString(".")
		case '[':
			j := i
			if j < n && pat[j] == '!' {
				j++
			}
			if j < n && pat[j] == ']' {
				j++
			}
			for j < n && pat[j] != ']' {
				j++
			}
			if j >= n {
				res.WriteString(`\[`)
				continue
			}
			res.WriteString(oracleClass(pat, i, j))
			i = j + 1
		default:
			res.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	re, err := regexp.Compile(`^(?s:` + res.String() + `)\z`)
	if err != nil {
		tb.Fatalf("pattern %q: the oracle: %v", pattern, err)
	}
	return re
}

// oracleClass returns the expression for the class with the body pat[i:j].
func oracleClass(pat []rune, i, j int) string {
	escape := strings.NewReplacer(`\`, `\\`, `-`, `\-`, `[`, `\[`, `&`, `\&`, `~`, `\~`, `|`, `\|`).Replace
	var chunks []string
	k := i + 1
	if pat[i] == '!' {
		k = i + 2
	}
	for {
		at := -1
		if k < j {
			at = slices.Index(pat[k:j], '-')
		}
		if at < 0 {
			break
		}
		k += at
		chunks = append(chunks, string(pat[i:k]))
		i = k + 1
		k += 3
	}
	if chunk := string(pat[i:j]); chunk != "" {
		chunks = append(chunks, chunk)
	} else {
		chunks[len(chunks)-1] += "-"
	}
	for k := len(chunks) - 1; k > 0; k-- {
		a, b := []rune(chunks[k-1]), []rune(chunks[k])
		if a[len(a)-1] > b[0] {
			chunks[k-1] = string(a[:len(a)-1]) + string(b[1:])
			chunks = append(chunks[:k], chunks[k+1:]...)
		}
	}
	for k := range chunks {
		chunks[k] = escape(chunks[k])
	}
	switch stuff := strings.Join(chunks, "-"); {
	case stuff == "":
		return `[^\x00-\x{10FFFF}]`
	case stuff == "!":
		return "."
	case stuff[0] == '!':
		return "[^" + stuff[1:] + "]"
	case stuff[0] == '^':
		return `[\` + stuff + "]"
	default:
		return "[" + stuff + "]"
	}
}
