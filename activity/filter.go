package activity

import (
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/fnmatch"
)

// The bounds of a Filter's texts.
const (
	MaxGlobBytes  = 200 // of Filter.Action
	MaxQueryRunes = 200 // of Filter.Q
)

// Filter selects the activities that match every given field. A field that has its zero value
// matches every activity.
type Filter struct {
	Action        string // a pattern of Python's fnmatch.fnmatchcase: "signal.*"
	Actor         uuid.UUID
	Resource      uuid.UUID
	Target        uuid.UUID // one of the targets
	Owner         uuid.UUID
	CorrelationID uuid.UUID
	ResourceType  string
	RequestID     string
	Status        string
	Severity      string
	Category      string
	Since         time.Time // recorded at this time or later
	Until         time.Time // recorded before this time
	Q             string    // a substring of the message, the resource's name or the action, in any case
}

// OfEntity selects the activities of a resource.
func OfEntity(resourceType string, id uuid.UUID) Filter {
	return Filter{ResourceType: resourceType, Resource: id}
}

// ByActor selects the activities of an actor.
func ByActor(principal uuid.UUID) Filter { return Filter{Actor: principal} }

// OfOwner selects the activities on the resources of an owner.
func OfOwner(principal uuid.UUID) Filter { return Filter{Owner: principal} }

// OfAction selects the activities whose action matches a pattern: "signal.created", "signal.*".
func OfAction(pattern string) Filter { return Filter{Action: pattern} }

// OfWorkflow selects the activities with a correlation id.
func OfWorkflow(correlation uuid.UUID) Filter { return Filter{CorrelationID: correlation} }

// Validate returns an *invalid.Error that names every field which violates a rule, or nil.
func (f Filter) Validate() error {
	var v validator
	if v.text("action", f.Action) && len(f.Action) > MaxGlobBytes {
		v.refuse("action", f.Action, "must be at most 200 bytes")
	}
	v.maxLength("resource_type", f.ResourceType, 100)
	v.maxLength("request_id", f.RequestID, 200)
	v.oneOf("status", f.Status, "success", "failure")
	v.oneOf("severity", f.Severity, "info", "warning", "error", "critical")
	v.maxLength("category", f.Category, 100)
	v.year("since", f.Since)
	v.year("until", f.Until)
	if !f.Since.IsZero() && !f.Until.IsZero() && !f.Since.Before(f.Until) {
		v.refuse("until", f.Until.UTC().Format(time.RFC3339Nano), "must be after since")
	}
	v.maxLength("q", f.Q, MaxQueryRunes)
	return v.err("filter")
}

// actionAlphabet holds the characters of every action.
const actionAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789_."

// ActionRegexp returns the pattern of Action as a regular expression, which has the same meaning to
// Go and to PostgreSQL. f must be valid.
func (f Filter) ActionRegexp() string { return fnmatch.Parse(f.Action).Regexp(actionAlphabet) }

// Matcher returns the function that reports whether an activity of any tenant passes the filter, as
// pglog.Log.List decides it, except that Q folds the case of letters beyond ASCII by Unicode's
// rules and not by those of the database's locale. f must be valid.
func (f Filter) Matcher() func(a *Activity) bool {
	var action *regexp.Regexp
	if f.Action != "" {
		action = regexp.MustCompile(f.ActionRegexp())
	}
	q := strings.ToLower(f.Q)
	return func(a *Activity) bool {
		return (action == nil || action.MatchString(a.Action)) &&
			wantedID(f.Actor, a.ActorPrincipalID) &&
			wantedID(f.Resource, a.ResourceID) &&
			(f.Target == uuid.Nil || a.HasTarget(f.Target)) &&
			wantedID(f.Owner, a.OwnerID) &&
			wantedID(f.CorrelationID, a.CorrelationID) &&
			wanted(f.ResourceType, a.ResourceType) &&
			wanted(f.RequestID, a.RequestID) &&
			wanted(f.Status, string(a.Status)) &&
			wanted(f.Severity, string(a.Severity)) &&
			wanted(f.Category, a.Category) &&
			(f.Since.IsZero() || !a.RecordedAt.Before(f.Since)) &&
			(f.Until.IsZero() || a.RecordedAt.Before(f.Until)) &&
			(q == "" || strings.Contains(strings.ToLower(a.Message), q) ||
				strings.Contains(strings.ToLower(a.ResourceName), q) || strings.Contains(a.Action, q))
	}
}

func wantedID(want, got uuid.UUID) bool { return want == uuid.Nil || want == got }

func wanted(want, got string) bool { return want == "" || want == got }
