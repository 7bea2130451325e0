package activity

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity/payload"
	"github.com/fanfarehq/fanfare/activity/secrets"
)

// The bounds of an envelope in every installation. An installation can set lower ones
// (fanfare.settings).
const (
	MaxPayloadBytes = payload.MaxBytes
	MaxPayloadDepth = payload.MaxDepth
	MaxTargets      = 32  // principals that the action addresses
	MaxChannels     = 32  // delivery channels
	MaxChannelBytes = 255 // Centrifugo's default channel_max_length
)

var (
	actionRule      = regexp.MustCompile(`^[a-z0-9_]+(\.[a-z0-9_]+)+$`)
	traceparentRule = regexp.MustCompile(`^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)
	namespaceRule   = regexp.MustCompile(`^[a-z0-9_-]{2,}$`)
)

// Validate returns an *invalid.Error that names every field which violates a rule, or nil.
func (e Envelope) Validate() error {
	_, err := e.check()
	return err
}

// check validates the envelope and returns its payload as JSON without secrets, nil for none.
func (e Envelope) check() (json.RawMessage, error) {
	var v validator
	v.required("tenant_id", e.TenantID != uuid.Nil)
	v.required("actor_principal_id", e.ActorPrincipalID != uuid.Nil)
	v.required("resource_id", e.ResourceID != uuid.Nil)
	if v.required("resource_type", e.ResourceType != "") {
		v.length("resource_type", e.ResourceType, 1, 100)
	}
	if v.required("action", e.Action != "") {
		v.action(e.Action)
	}
	v.oneOf("visibility", string(e.Visibility), "private", "resource", "scope", "tenant")
	v.oneOf("status", string(e.Status), "success", "failure")
	v.oneOf("severity", string(e.Severity), "info", "warning", "error", "critical")
	if e.Category != "" {
		v.length("category", e.Category, 1, 100)
	}
	v.text("resource_name", e.ResourceName)
	v.text("message", e.Message)
	v.text("request_id", e.RequestID)
	v.text("user_agent", e.UserAgent)
	v.ip(e.IP)
	if e.Traceparent != "" && !traceparentRule.MatchString(e.Traceparent) {
		v.refuse("traceparent", e.Traceparent, "must be a W3C traceparent")
	}
	v.year("occurred_at", e.OccurredAt)
	v.targets(e)
	v.channels(e.DeliveryChannels, e.TenantID)
	v.noSecret("resource_type", e.ResourceType)
	v.noSecret("action", e.Action)
	v.noSecret("category", e.Category)
	raw := v.payload(e.Payload)
	if err := v.err(""); err != nil {
		return nil, err
	}
	return raw, nil
}

func (v *validator) action(action string) {
	if len(action) < 3 || len(action) > 100 || !actionRule.MatchString(action) {
		v.refuse("action", action,
			"must be 3 to 100 characters, <resource>.<verb>: words of a-z, 0-9 and _ with at least one dot")
	}
}

// ip does not repeat the address in the violation: errors end up in logs.
func (v *validator) ip(address string) {
	if address == "" {
		return
	}
	if parsed, err := netip.ParseAddr(address); err != nil || parsed.Zone() != "" {
		v.refuse("ip", "", "must be an IPv4 or IPv6 address")
	}
}

// targets refuses more targets than MaxTargets. Duplicates in the list count, so that its length is
// bounded.
func (v *validator) targets(e Envelope) {
	given := len(e.TargetPrincipalIDs)
	if given <= MaxTargets {
		given = len(e.Targets())
	}
	if given > MaxTargets {
		v.refuse("target_principal_ids", fmt.Sprint(given, " principals"),
			fmt.Sprintf("must be at most %d principals", MaxTargets))
	}
}

func (v *validator) channels(channels []string, tenant uuid.UUID) {
	if len(channels) > MaxChannels {
		v.refuse("delivery_channels", fmt.Sprint(len(channels), " channels"),
			fmt.Sprintf("must be at most %d channels", MaxChannels))
		return
	}
	for _, channel := range channels {
		if !deliverable(channel, tenant) {
			v.refuse("delivery_channels", channel,
				"must be user, resource, tenant, or <namespace>:<tenant_id>.<rest> of the same tenant: "+
					"at most 255 printable ASCII characters, in a namespace of its own")
		} else if secrets.InText(channel) {
			v.refuse("delivery_channels", channel, "must not contain a secret")
		}
	}
}

// deliverable reports whether an activity of the tenant can be published to the channel.
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
	case ToUser, ToResource, ToTenant: // a literal channel in one of these would bypass the permission checks
		return false
	}
	rest, found = strings.CutPrefix(rest, tenant.String()+".")
	return found && rest != "" && strings.IndexFunc(rest, func(r rune) bool { return r < '!' || r > '~' }) < 0
}

// payload returns the payload as JSON without secrets. Violations do not repeat its contents, which
// may be a secret.
func (v *validator) payload(value any) json.RawMessage {
	if value == nil {
		return nil
	}
	redacted, isRedacted := value.(secrets.JSON)
	var raw json.RawMessage
	if isRedacted {
		raw = redacted.Raw()
	} else {
		var err error
		if raw, err = json.Marshal(value); err != nil {
			v.refuse("payload", "",
				"must be what encoding/json can encode: "+first(200, secrets.RedactText(err.Error())))
			return nil
		}
	}
	if string(raw) == "null" {
		return nil
	}
	if raw[0] != '{' {
		v.refuse("payload", payload.Kind(raw), "must be a JSON object")
		return nil
	}
	if rule := payload.Unstorable(raw); rule != "" {
		v.refuse("payload", "", rule)
		return nil
	}
	// Before its redaction too, so that the work is bounded.
	if !v.payloadSize(raw) {
		return nil
	}
	if isRedacted {
		return raw
	}
	if raw = secrets.RedactJSON(raw); !v.payloadSize(raw) {
		return nil
	}
	return raw
}

// payloadSize reports whether a payload is not too large, and refuses one that is.
func (v *validator) payloadSize(raw json.RawMessage) bool {
	size := payload.StoredSize(raw)
	if size <= MaxPayloadBytes {
		return true
	}
	v.refuse("payload", fmt.Sprint(size, " bytes"), fmt.Sprintf("must be at most %d bytes", MaxPayloadBytes))
	return false
}
