package centrifugo

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// The formats that stand where [Formats] leaves a field empty.
const (
	DefaultUserFormat     = "user:#{tenant}.{principal}"
	DefaultResourceFormat = "resource:{tenant}.{resource}"
	DefaultTenantFormat   = "tenant:{tenant}"
)

// Formats are the templates of the three kinds of channel. Each holds every
// placeholder of its default exactly once, after a namespace of its own and a
// colon; an empty one means the default.
type Formats struct {
	User     string // placeholders {tenant} and {principal}
	Resource string // placeholders {tenant} and {resource}
	Tenant   string // placeholder {tenant}
}

// FormatError names a format, its template, and the rule it breaks.
type FormatError struct {
	Format   string // "user", "resource" or "tenant"
	Template string
	Rule     string
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s channel format %q: %s", e.Format, e.Template, e.Rule)
}

// Channels renders channel names from parsed [Formats]. It is safe for
// concurrent use; its zero value is not usable.
type Channels struct {
	user, resource, tenant template
}

// ParseFormats checks the templates and reports every mistake at once, as
// *[FormatError]s. What it accepts renders, for any ids, names that
// [CheckChannel] accepts, and no channel of one kind is ever one of another.
func ParseFormats(f Formats) (*Channels, error) {
	var c Channels
	var err [3]error
	c.user, err[0] = parseTemplate("user", cmp.Or(f.User, DefaultUserFormat), "{principal}")
	c.resource, err[1] = parseTemplate("resource", cmp.Or(f.Resource, DefaultResourceFormat), "{resource}")
	c.tenant, err[2] = parseTemplate("tenant", cmp.Or(f.Tenant, DefaultTenantFormat), "")
	if err := errors.Join(err[:]...); err != nil {
		return nil, err
	}
	if len(c.Namespaces()) < 3 {
		return nil, fmt.Errorf("the channel formats share a namespace of %q: each kind needs its own", c.Namespaces())
	}
	return &c, nil
}

// User returns a principal's own channel.
func (c *Channels) User(tenant, principal uuid.UUID) string {
	return c.user.render(&tenant, &principal)
}

// Resource returns the channel of a resource.
func (c *Channels) Resource(tenant, resource uuid.UUID) string {
	return c.resource.render(&tenant, &resource)
}

// Tenant returns the channel of a tenant's activity stream.
func (c *Channels) Tenant(tenant uuid.UUID) string { return c.tenant.render(&tenant, nil) }

// Namespaces returns the Centrifugo namespaces that the formats use, each once.
func (c *Channels) Namespaces() []string {
	all := []string{c.user.namespace(), c.resource.namespace(), c.tenant.namespace()}
	slices.Sort(all)
	return slices.Compact(all)
}

// CheckLiteral tells whether a channel that a writer named outright may be
// published to for a tenant: it reads <namespace>:<tenant>.<rest>, the tenant's
// id in lower case, and its namespace is none of the formats' own, because
// whoever could write to those would pass by the rules on who may see what. The
// error is a *[ChannelError].
func (c *Channels) CheckLiteral(name string, tenant uuid.UUID) error {
	if rule := c.literalRule(name, tenant); rule != "" {
		return &ChannelError{Channel: name, Rule: rule}
	}
	return nil
}

func (c *Channels) literalRule(name string, tenant uuid.UUID) string {
	if rule := channelRule(name); rule != "" {
		return rule
	}
	namespace, rest, ok := strings.Cut(name, ":")
	if !ok {
		return "must read <namespace>:<tenant>.<rest>"
	}
	if rule := namespaceRule(namespace); rule != "" {
		return rule
	}
	if slices.Contains(c.Namespaces(), namespace) {
		return fmt.Sprintf("the namespace %q is reserved: ask for its channels by kind, not by name", namespace)
	}
	if rest, ok = strings.CutPrefix(rest, tenant.String()+"."); !ok || rest == "" {
		return fmt.Sprintf("must read <namespace>:%s.<rest>, within its tenant", tenant)
	}
	return ""
}

// A template is text with ids in its gaps: text[0] id text[1] id … text[n].
type template struct {
	text []string
	gaps []gap
}

// gap tells which id fills a gap.
type gap uint8

const (
	tenantID gap = iota
	ownID        // of the principal or the resource
)

const uuidBytes = 36

// parseTemplate cuts source at its placeholders: {tenant} and, unless it is
// empty, own.
func parseTemplate(format, source, own string) (template, error) {
	var t template
	broken := func(rule string, args ...any) (template, error) {
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
			return broken("has a brace without its partner")
		}
		var g gap
		switch placeholder := rest[open : end+1]; {
		case placeholder == "{tenant}":
			g = tenantID
		case placeholder == own:
			g = ownID
		default:
			return broken("has an unknown placeholder %s", placeholder)
		}
		if slices.Contains(t.gaps, g) {
			return broken("has %s twice", rest[open:end+1])
		}
		t.text, t.gaps = append(t.text, rest[:open]), append(t.gaps, g)
		rest = rest[end+1:]
	}
	if strings.IndexByte(rest, '}') >= 0 {
		return broken("has a brace without its partner")
	}
	t.text = append(t.text, rest)

	switch {
	case !slices.Contains(t.gaps, tenantID):
		return broken("needs {tenant}")
	case own != "" && !slices.Contains(t.gaps, ownID):
		return broken("needs %s", own)
	case !strings.Contains(t.text[0], ":"):
		return broken("needs a namespace and a colon before its first placeholder")
	}
	if rule := namespaceRule(t.namespace()); rule != "" {
		return broken("%s", rule)
	}
	if n := len(strings.Join(t.text, "")) + uuidBytes*len(t.gaps); n > MaxChannelBytes {
		return broken("makes channels of %d bytes, %d are allowed", n, MaxChannelBytes)
	}
	if rule := channelRule(t.render(&uuid.Nil, &uuid.Nil)); rule != "" {
		return broken("%s", rule)
	}
	return t, nil
}

// namespace returns what stands before the colon.
func (t template) namespace() string {
	namespace, _, _ := strings.Cut(t.text[0], ":")
	return namespace
}

// render fills the gaps; the string is its one allocation.
func (t template) render(tenant, own *uuid.UUID) string {
	var buf [MaxChannelBytes]byte
	b := buf[:0]
	for i, g := range t.gaps {
		b = append(b, t.text[i]...)
		id := tenant
		if g == ownID {
			id = own
		}
		b = appendUUID(b, id)
	}
	b = append(b, t.text[len(t.gaps)]...)
	return string(b)
}

func appendUUID(b []byte, id *uuid.UUID) []byte {
	b = append(hex.AppendEncode(b, id[0:4]), '-')
	b = append(hex.AppendEncode(b, id[4:6]), '-')
	b = append(hex.AppendEncode(b, id[6:8]), '-')
	b = append(hex.AppendEncode(b, id[8:10]), '-')
	return hex.AppendEncode(b, id[10:16])
}
