package centrifugo

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

// The formats for the empty fields of [Formats].
const (
	DefaultUserFormat     = "user:#{tenant}.{principal}"
	DefaultResourceFormat = "resource:{tenant}.{resource}"
	DefaultTenantFormat   = "tenant:{tenant}"
)

// Formats are the templates of the three kinds of channel. Each contains every placeholder of its
// default exactly once, after a namespace of its own and a colon. An empty one is the default.
type Formats struct {
	User     string // placeholders {tenant} and {principal}
	Resource string // placeholders {tenant} and {resource}
	Tenant   string // placeholder {tenant}
}

// FormatError describes a format, its template and the rule that it violates.
type FormatError struct {
	Format   string // "user", "resource" or "tenant"
	Template string
	Rule     string
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s channel format %q: %s", e.Format, e.Template, e.Rule)
}

// Channels renders channel names from parsed [Formats]. It is safe for concurrent use. The zero
// value is not usable.
type Channels struct {
	user, resource, tenant template
}

// ParseFormats validates the templates. Its error reports every violation, as *[FormatError]s.
// Valid formats render, for all ids, names that [CheckChannel] accepts, and never the same name for
// two kinds.
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
		return nil, fmt.Errorf("the channel formats share a namespace of %q: each kind must have its own",
			c.Namespaces())
	}
	return &c, nil
}

// User returns the personal channel of a principal.
func (c *Channels) User(p activity.Principal) string {
	return c.user.render(&p.TenantID, &p.PrincipalID)
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

// Includes reports whether a channel is in a namespace of the formats.
func (c *Channels) Includes(name string) bool {
	namespace, _, _ := strings.Cut(name, ":")
	return namespace == c.user.namespace() || namespace == c.resource.namespace() || namespace == c.tenant.namespace()
}

// CheckLiteral validates a channel that an envelope of the tenant names literally. It has the form
// <namespace>:<tenant>.<rest>, with the tenant's id in lower case. Its namespace is not one of the
// formats: a writer who could name those channels would bypass the permission rules. The error is a
// *[ChannelError].
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
		return "must have the form <namespace>:<tenant>.<rest>"
	}
	if rule := namespaceRule(namespace); rule != "" {
		return rule
	}
	if slices.Contains(c.Namespaces(), namespace) {
		return fmt.Sprintf("the namespace %q is reserved: name its channels by kind", namespace)
	}
	if rest, ok = strings.CutPrefix(rest, tenant.String()+"."); !ok || rest == "" {
		return fmt.Sprintf("must have the form <namespace>:%s.<rest>", tenant)
	}
	return ""
}
