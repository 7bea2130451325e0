package generate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// names are the identifiers of a package or a struct, each with a description of its uses.
type names map[string][]string

func (n names) add(identifier, use string) string {
	n[identifier] = append(n[identifier], use)
	return identifier
}

func (n names) collisions() (errs []error) {
	for _, identifier := range slices.Sorted(maps.Keys(n)) {
		if uses := n[identifier]; len(uses) > 1 {
			errs = append(errs, fmt.Errorf("%s would have the same name %s", strings.Join(uses, " and "), identifier))
		}
	}
	return errs
}

// initialisms are the words that Go writes in capitals.
var initialisms = map[string]string{
	"api": "API", "cpu": "CPU", "css": "CSS", "csv": "CSV", "db": "DB", "dns": "DNS", "eof": "EOF",
	"gpu": "GPU", "html": "HTML", "http": "HTTP", "https": "HTTPS", "id": "ID", "ids": "IDs", "ip": "IP",
	"json": "JSON", "mfa": "MFA", "os": "OS", "ram": "RAM", "rpc": "RPC", "sha1": "SHA1", "sha256": "SHA256",
	"sla": "SLA", "sms": "SMS", "sql": "SQL", "ssh": "SSH", "sso": "SSO", "tcp": "TCP", "tls": "TLS",
	"ttl": "TTL", "udp": "UDP", "ui": "UI", "uri": "URI", "url": "URL", "urls": "URLs", "utf8": "UTF8",
	"uuid": "UUID", "vm": "VM", "xml": "XML", "yaml": "YAML",
}

// exported returns the exported identifier of a name: "RunID" of "run_id". It is empty for a name
// without ASCII letters and digits.
func exported(name string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(name, func(r rune) bool {
		return r >= unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		if upper, ok := initialisms[strings.ToLower(word)]; ok {
			b.WriteString(upper)
		} else {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	identifier := b.String()
	if identifier != "" && identifier[0] <= '9' {
		identifier = "N" + identifier
	}
	return identifier
}

// commentColumn is the last column of a comment, with tabs of 4 columns.
const commentColumn = 100

// comment returns a text as a comment whose lines are indented by a number of tabs. gofmt adds the
// tabs.
func comment(text string, tabs int) string {
	var b strings.Builder
	line := "//"
	for _, word := range strings.Fields(strings.ToValidUTF8(text, "\uFFFD")) {
		if 4*tabs+utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > commentColumn && line != "//" {
			b.WriteString(line + "\n")
			line = "//"
		}
		line += " " + word
	}
	return b.String() + line + "\n"
}
