package explain

import (
	"time"

	"github.com/google/uuid"
)

// Explanation describes what decides whether one principal is notified of one activity.
type Explanation struct {
	AudienceMember
	Rules []RuleResult `json:"rules" nullable:"false" doc:"All rules, in the order in which they apply."`
}

// AudienceMember is a principal whom an activity concerns.
type AudienceMember struct {
	PrincipalID uuid.UUID     `json:"principal_id" format:"uuid"`
	Kind        string        `json:"kind" doc:"user, agent, service, …; unknown if the directory has none"`
	DisplayName string        `json:"display_name"`
	Now         Outcome       `json:"now" doc:"What a delivery at this moment would do."`
	Then        *PastDelivery `json:"then,omitempty" doc:"What the inbox holds; absent in a dry run."`
	Grounds     []Ground      `json:"grounds" nullable:"false" doc:"What reasons and permission rest on."`
}

// Outcome is what a delivery at this moment would do.
type Outcome struct {
	Notified  bool       `json:"notified" doc:"The principal gets a notification."`
	Push      bool       `json:"push" doc:"The event is published on the principal's channel, too."`
	DecidedBy string     `json:"decided_by" doc:"The first rule that applies."`
	Why       string     `json:"why" doc:"One clause about the principal."`
	Reasons   []string   `json:"reasons" nullable:"false" enum:"subscribed,owner,delegator,target"`
	GroupID   *uuid.UUID `json:"group_id" nullable:"true" format:"uuid"` // as that of a notification
}

// PastDelivery is what the inbox holds of the delivery.
type PastDelivery struct {
	State        string     `json:"state" enum:"notified,pending,dead,none"`
	Reasons      []string   `json:"reasons,omitempty" enum:"subscribed,owner,delegator,target"`
	GroupID      *uuid.UUID `json:"group_id,omitempty" format:"uuid"`
	At           *time.Time `json:"at,omitempty" doc:"When the notification was stored."`
	SeenAt       *time.Time `json:"seen_at,omitempty"`
	ReadAt       *time.Time `json:"read_at,omitempty"`
	ArchivedAt   *time.Time `json:"archived_at,omitempty"`
	SnoozedUntil *time.Time `json:"snoozed_until,omitempty"`
}

// The states of a PastDelivery.
const (
	StateNotified = "notified" // the notification exists
	StatePending  = "pending"  // not delivered yet
	StateDead     = "dead"     // could not be delivered
	StateNone     = "none"     // not notified, or the notification has been removed
)

// RuleResult is what a rule says of a principal. Level is that of the rule level. SetBy is who has
// set what the rules muted_action, muted, mode and delivery apply. Pattern is the first one that
// matches the action, or else the nearest one: that which matches after the fewest changes of
// characters of the action.
type RuleResult struct {
	Rule    string        `json:"rule"`
	Result  string        `json:"result" enum:"passed,notified,not_notified,not_reached"`
	Why     string        `json:"why" doc:"One clause about the principal; empty if an earlier rule decides."`
	Level   *LevelInForce `json:"level,omitempty"`
	SetBy   string        `json:"set_by,omitempty" enum:"principal,tenant,installation,taxonomy"`
	Pattern *PatternMatch `json:"pattern,omitempty"`
}

// The results of a rule.
const (
	Passed      = "passed" // the rule does not decide
	Notified    = "notified"
	NotNotified = "not_notified"
	NotReached  = "not_reached" // an earlier rule decides
)

// The rules that are none of fanout's.
const (
	ruleConcern  = "concern"
	ruleDelivery = "delivery"
)

// Rules returns the names of all rules, in the order in which they apply. The last one, delivery,
// describes how a principal is notified.
func Rules() []string {
	names := make([]string, 0, len(order)+1)
	for _, rule := range order {
		names = append(names, nameOf(rule))
	}
	return append(names, ruleDelivery)
}

// LevelInForce is the level that decides. ResourceID is nil if the asker may not see it.
type LevelInForce struct {
	Level      string     `json:"level" enum:"all,custom,participating,ignore"`
	ResourceID *uuid.UUID `json:"resource_id" nullable:"true" format:"uuid"`
	Where      string     `json:"where" enum:"resource,above"`
}

// PatternMatch is a pattern and whether it matches the action.
type PatternMatch struct {
	Pattern string `json:"pattern"`
	Matches bool   `json:"matches"`
}

// Ground is what a reason or a permission rests on. GroupID is the group that has the subscription
// or the role; nil if the principal itself has it.
type Ground struct {
	Kind           string     `json:"kind" enum:"subscription,role,owner,target"`
	Where          string     `json:"where" enum:"resource,above,beside"`
	ResourceID     *uuid.UUID `json:"resource_id,omitempty" format:"uuid"`
	SubscriptionID *uuid.UUID `json:"subscription_id,omitempty" format:"uuid"`
	Scope          string     `json:"scope,omitempty" enum:"resource,descendants" doc:"Of the subscription."`
	Role           string     `json:"role,omitempty"`
	GroupID        *uuid.UUID `json:"group_id,omitempty" format:"uuid"`
	Withheld       bool       `json:"withheld,omitempty"` // ids are missing that the asker may not see
}

// The kinds of a Ground.
const (
	kindSubscription = "subscription"
	kindRole         = "role"
	kindOwner        = "owner"
	kindTarget       = "target"
)

// Where a Ground or a level is.
const (
	onResource = "resource"
	above      = "above"
	beside     = "beside" // elsewhere below the parent of the resource
)
