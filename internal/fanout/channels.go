package fanout

import (
	"slices"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

// Channels derives the names of channels, as *centrifugo.Channels does.
type Channels interface {
	User(p activity.Principal) string
	Resource(tenant, resource uuid.UUID) string
	Tenant(tenant uuid.UUID) string
	CheckLiteral(name string, tenant uuid.UUID) error
	Includes(name string) bool // reports whether the name is in the namespace of User, Resource or Tenant
}

// SharedChannels returns the channels of an activity other than its recipients' own. stream adds
// the channel of the tenant for every activity. The shared channels of a private activity are those
// that its writer named literally.
func SharedChannels(a *activity.Activity, names Channels, stream bool) ([]string, error) {
	var channels []string
	open := a.Visibility != activity.Private
	if open && (len(a.DeliveryChannels) == 0 || slices.Contains(a.DeliveryChannels, activity.ToResource)) {
		channels = append(channels, names.Resource(a.TenantID, a.ResourceID))
	}
	if open && (stream || slices.Contains(a.DeliveryChannels, activity.ToTenant)) {
		channels = append(channels, names.Tenant(a.TenantID))
	}
	for _, literal := range a.DeliveryChannels {
		switch literal {
		case activity.ToUser, activity.ToResource, activity.ToTenant:
			continue
		}
		if err := names.CheckLiteral(literal, a.TenantID); err != nil {
			return nil, err
		}
		if !slices.Contains(channels, literal) {
			channels = append(channels, literal)
		}
	}
	return channels, nil
}

// appendPersonal appends the own channels of the recipients that receive a push, unless the
// delivery channels of the activity exclude them.
func appendPersonal(
	channels []string,
	a *activity.Activity,
	recipients []Recipient,
	names Channels,
) []string {
	if !ReachesPrincipals(a) {
		return channels
	}
	channels = slices.Grow(channels, len(recipients))
	principal := activity.Principal{TenantID: a.TenantID}
	for _, r := range recipients {
		if r.Push {
			principal.PrincipalID = r.PrincipalID
			channels = append(channels, names.User(principal))
		}
	}
	return channels
}

// intersect returns the channels that are in selected; nil selects all.
func intersect(channels, selected []string) []string {
	if selected == nil {
		return channels
	}
	return slices.DeleteFunc(channels, func(c string) bool { return !slices.Contains(selected, c) })
}

// ReachesPrincipals reports whether an activity is published on the channels of its recipients, as
// far as its delivery channels say.
func ReachesPrincipals(a *activity.Activity) bool {
	return len(a.DeliveryChannels) == 0 || slices.Contains(a.DeliveryChannels, activity.ToUser)
}
