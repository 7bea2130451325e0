package activity

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/activity/payload"
	"github.com/fanfarehq/fanfare/activity/secrets"
)

// The bounds of an envelope that hold everywhere. What an installation may set lower
// (fanfare.settings) is the database's.
const (
	MaxPayloadBytes = payload.MaxBytes
	MaxPayloadDepth = payload.MaxDepth
	MaxChannels     = 32  // delivery channels
	MaxChannelBytes = 255 // Centrifugo's default channel_max_length
)

var (
	actionRule      = regexp.MustCompile(`^[a-z0-9_]+(\.[a-z0-9_]+)+$`)
	traceparentRule = regexp.MustCompile(`^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)
	namespaceRule   = regexp.MustCompile(`^[a-z0-9_-]{2,}$`)
)

// Validate returns an *invalid.Error that names every field which breaks a rule, or nil.
func (e Envelope) Validate() error {
	_, err := e.check()
	return err
}

func (e Envelope) check() (json.RawMessage, error) {
	c := checks{}
	c.required("tenant_id", e.TenantID != uuid.Nil)
	c.required("actor_principal_id", e.ActorPrincipalID != uuid.Nil)
	c.required("resource_id", e.ResourceID != uuid.Nil)
	if c.required("resource_type", e.ResourceType != "") {
		c.length("resource_type", e.ResourceType, 1, 100)
	}
	if c.required("action", e.Action != "") &&
		(len(e.Action) < 3 || len(e.Action) > 100 || !actionRule.MatchString(e.Action)) {
		c.refuse(
			"action",
			e.Action,
			"must be 3 to 100 characters, <resource>.<verb>: words of a-z, 0-9 and _ with at least one dot",
		)
	}
	c.oneOf("visibility", string(e.Visibility), "private", "resource", "scope", "tenant")
	c.oneOf("status", string(e.Status), "success", "failure")
	c.oneOf("severity", string(e.Severity), "info", "warning", "error", "critical")
	if e.Category != "" {
		c.length("category", e.Category, 1, 100)
	}
	c.text("resource_name", e.ResourceName)
	c.text("message", e.Message)
	c.text("request_id", e.RequestID)
	c.text("user_agent", e.UserAgent)
	if e.IP != "" {
		// The address itself is not repeated: errors end up in logs.
		if addr, err := netip.ParseAddr(e.IP); err != nil || addr.Zone() != "" {
			c.refuse("ip", "", "must be an IPv4 or IPv6 address")
		}
	}
	if e.Traceparent != "" && !traceparentRule.MatchString(e.Traceparent) {
		c.refuse("traceparent", e.Traceparent, "must be a W3C traceparent")
	}
	c.year("occurred_at", e.OccurredAt)
	c.channels(e.DeliveryChannels, e.TenantID)
	c.plain("resource_type", e.ResourceType)
	c.plain("action", e.Action)
	c.plain("category", e.Category)
	raw := c.payload(e.Payload)
	if len(c.broken) > 0 {
		return nil, &invalid.Error{Fields: c.broken}
	}
	return raw, nil
}

// checks collects what is wrong.
type checks struct {
	broken []invalid.Field
}

// refuse repeats no secret: errors end up in logs.
func (c *checks) refuse(field, value, rule string) {
	value = first(100, secrets.RedactText(strings.ToValidUTF8(value, "\uFFFD")))
	c.broken = append(c.broken, invalid.Field{Name: field, Value: value, Rule: rule})
}

func (c *checks) required(field string, given bool) bool {
	if !given {
		c.refuse(field, "", "is required")
	}
	return given
}

func (c *checks) text(field, value string) bool {
	if utf8.ValidString(value) && strings.IndexByte(value, 0) < 0 {
		return true
	}
	c.refuse(field, strings.ReplaceAll(value, "\x00", "\uFFFD"), "must be valid UTF-8 without NUL")
	return false
}

func (c *checks) length(field, value string, low, high int) {
	if n := utf8.RuneCountInString(value); c.text(field, value) && (n < low || n > high) {
		c.refuse(field, value, fmt.Sprintf("must be %d to %d characters", low, high))
	}
}

// plain refuses a secret in a name, which the code of an application gives and yet may have made of
// what a user typed.
func (c *checks) plain(field, value string) {
	if secrets.InText(value) && !slices.ContainsFunc(c.broken, func(f invalid.Field) bool { return f.Name == field }) {
		c.refuse(field, "", "must hold no secret")
	}
}

func (c *checks) year(field string, value time.Time) {
	if year := value.UTC().Year(); !value.IsZero() && (year < 1 || year > 9999) {
		c.refuse(field, fmt.Sprint("year ", year), "must be in the years 0001 to 9999")
	}
}

func (c *checks) oneOf(field, value string, allowed ...string) {
	if value != "" && !slices.Contains(allowed, value) {
		c.refuse(field, value, "must be one of "+strings.Join(allowed, ", "))
	}
}

func (c *checks) channels(channels []string, tenant uuid.UUID) {
	if len(channels) > MaxChannels {
		c.refuse(
			"delivery_channels",
			fmt.Sprint(len(channels), " channels"),
			fmt.Sprintf("must be at most %d channels", MaxChannels),
		)
		return
	}
	for _, channel := range channels {
		if !deliverable(channel, tenant) {
			c.refuse(
				"delivery_channels",
				channel,
				"must be user, resource, tenant, or <namespace>:<tenant_id>.<rest> of the same tenant: at most 255 printable ASCII characters, in a namespace of its own",
			)
		} else if secrets.InText(channel) {
			c.refuse("delivery_channels", channel, "must hold no secret")
		}
	}
}

func deliverable(channel string, tenant uuid.UUID) bool {
	switch channel {
	case ToUser, ToResource, ToTenant:
		return true
	}
	namespace, rest, found := strings.Cut(channel, ":")
	if !found || len(channel) > MaxChannelBytes || !namespaceRule.MatchString(namespace) {
		return false
	}
	switch namespace {
	case ToUser, ToResource, ToTenant: // a literal channel there would pass by the rules of who may hear
		return false
	}
	rest, found = strings.CutPrefix(rest, tenant.String()+".")
	return found && rest != "" && strings.IndexFunc(rest, func(r rune) bool { return r < '!' || r > '~' }) < 0
}

func (c *checks) payload(value any) json.RawMessage {
	if value == nil {
		return nil
	}
	redacted, isRedacted := value.(secrets.JSON)
	var raw json.RawMessage
	var err error
	if isRedacted {
		raw = redacted.Raw()
	} else {
		raw, err = json.Marshal(value)
	}
	if err != nil {
		c.refuse("payload", "", "must be what encoding/json can encode: "+first(200, secrets.RedactText(err.Error())))
		return nil
	}
	if string(raw) == "null" {
		return nil
	}
	if raw[0] != '{' {
		c.refuse("payload", payload.Kind(raw), "must be a JSON object") // what it holds is not repeated: it may be a secret
		return nil
	}
	if rule := payload.Unstorable(raw); rule != "" {
		c.refuse("payload", "", rule)
		return nil
	}
	if !isRedacted {
		raw = secrets.RedactJSON(raw)
	}
	if size := payload.StoredSize(raw); size > MaxPayloadBytes {
		c.refuse("payload", fmt.Sprint(size, " bytes"), fmt.Sprintf("must be at most %d bytes", MaxPayloadBytes))
		return nil
	}
	return raw
}
