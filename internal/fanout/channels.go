package fanout

import (
	"slices"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

// Channels names channels.
type Channels interface {
	User(tenant, principal uuid.UUID) string
	Resource(tenant, resource uuid.UUID) string
	Tenant(tenant uuid.UUID) string
	CheckLiteral(name string, tenant uuid.UUID) error
	Own(name string) bool // whether it is in a namespace of the three above
}

// shared returns the channels that an activity goes to besides its watchers' own. stream adds the
// tenant's activity stream. A private activity goes to nobody's but its watchers' and those that
// its writer named outright.
func shared(a *activity.Activity, names Channels, stream bool) ([]string, error) {
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

// personal returns the own channels of the watchers who are pushed to, if the activity goes there
// at all.
func personal(channels []string, a *activity.Activity, told []Told, names Channels) []string {
	if len(a.DeliveryChannels) > 0 && !slices.Contains(a.DeliveryChannels, activity.ToUser) {
		return channels
	}
	channels = slices.Grow(channels, len(told))
	for _, t := range told {
		if t.Push {
			channels = append(channels, names.User(a.TenantID, t.PrincipalID))
		}
	}
	return channels
}

// only keeps those of channels that are in wanted; nil wants all.
func only(channels, wanted []string) []string {
	if wanted == nil {
		return channels
	}
	return slices.DeleteFunc(channels, func(c string) bool { return !slices.Contains(wanted, c) })
}
