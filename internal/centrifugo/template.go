package centrifugo

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/jsontext"
)

// template is text with ids in its gaps: text[0] id text[1] id … text[n].
type template struct {
	text []string
	gaps []gap
}

// gap identifies the id that fills a gap.
type gap uint8

const (
	tenantID gap = iota
	ownID        // of the principal or the resource
)

const uuidBytes = 36

// parseTemplate cuts source at its placeholders: {tenant}, and own unless that is empty.
func parseTemplate(format, source, own string) (template, error) {
	var t template
	invalid := func(rule string, args ...any) (template, error) {
		return template{}, &FormatError{Format: format, Template: source, Rule: fmt.Sprintf(rule, args...)}
	}
	rest := source
	for {
		open := strings.IndexByte(rest, '{')
		if open < 0 {
			break
		}
		end := strings.IndexByte(rest, '}')
		if end < open {
			return invalid("has an unmatched brace")
		}
		var g gap
		switch placeholder := rest[open : end+1]; {
		case placeholder == "{tenant}":
			g = tenantID
		case placeholder == own:
			g = ownID
		default:
			return invalid("has an unknown placeholder %s", placeholder)
		}
		if slices.Contains(t.gaps, g) {
			return invalid("has %s twice", rest[open:end+1])
		}
		t.text, t.gaps = append(t.text, rest[:open]), append(t.gaps, g)
		rest = rest[end+1:]
	}
	if strings.IndexByte(rest, '}') >= 0 {
		return invalid("has an unmatched brace")
	}
	t.text = append(t.text, rest)

	switch {
	case !slices.Contains(t.gaps, tenantID):
		return invalid("must contain {tenant}")
	case own != "" && !slices.Contains(t.gaps, ownID):
		return invalid("must contain %s", own)
	case !strings.Contains(t.text[0], ":"):
		return invalid("must begin with a namespace and a colon")
	}
	if rule := namespaceRule(t.namespace()); rule != "" {
		return invalid("%s", rule)
	}
	if n := len(strings.Join(t.text, "")) + uuidBytes*len(t.gaps); n > MaxChannelBytes {
		return invalid("renders channels of %d bytes; the maximum is %d", n, MaxChannelBytes)
	}
	if rule := channelRule(t.render(&uuid.Nil, &uuid.Nil)); rule != "" {
		return invalid("%s", rule)
	}
	return t, nil
}

// namespace returns the text before the colon.
func (t template) namespace() string {
	namespace, _, _ := strings.Cut(t.text[0], ":")
	return namespace
}

// render fills the gaps. The string is its only allocation.
func (t template) render(tenant, own *uuid.UUID) string {
	var buf [MaxChannelBytes]byte
	b := buf[:0]
	for i, g := range t.gaps {
		b = append(b, t.text[i]...)
		id := tenant
		if g == ownID {
			id = own
		}
		b = jsontext.AppendUUID(b, *id)
	}
	b = append(b, t.text[len(t.gaps)]...)
	return string(b)
}
