package activity

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/fnmatch"
)

// The bounds of a Filter's texts.
const (
	MaxGlobBytes  = 200 // of Filter.Action
	MaxQueryRunes = 200 // of Filter.Q
)

// Filter says which activities are wanted: those for which all that is given holds. The zero value
// of a field asks nothing.
type Filter struct {
	Action        string // a pattern as Python's fnmatch.fnmatchcase has it: "signal.*"
	Actor         uuid.UUID
	Resource      uuid.UUID
	Target        uuid.UUID
	Owner         uuid.UUID
	CorrelationID uuid.UUID
	ResourceType  string
	RequestID     string
	Status        string
	Severity      string
	Category      string
	Since         time.Time // recorded then or later
	Until         time.Time // recorded before
	Q             string    // a part of the message, the resource's name or the action, in upper or lower case
}

// Validate returns an *invalid.Error that names every field which breaks a rule, or nil.
func (f Filter) Validate() error {
	c := checks{}
	if c.text("action", f.Action) && len(f.Action) > MaxGlobBytes {
		c.refuse("action", f.Action, "must be at most 200 bytes")
	}
	c.atMost("resource_type", f.ResourceType, 100)
	c.atMost("request_id", f.RequestID, 200)
	c.oneOf("status", f.Status, "success", "failure")
	c.oneOf("severity", f.Severity, "info", "warning", "error", "critical")
	c.atMost("category", f.Category, 100)
	c.year("since", f.Since)
	c.year("until", f.Until)
	if !f.Since.IsZero() && !f.Until.IsZero() && !f.Since.Before(f.Until) {
		c.refuse("until", f.Until.UTC().Format(time.RFC3339Nano), "must be after since")
	}
	c.atMost("q", f.Q, MaxQueryRunes)
	if len(c.broken) > 0 {
		return &invalid.Error{Subject: "filter", Fields: c.broken}
	}
	return nil
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
			wantedID(f.Target, a.TargetPrincipalID) &&
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

func (c *checks) atMost(field, value string, runes int) {
	if c.text(field, value) && utf8.RuneCountInString(value) > runes {
		c.refuse(field, value, "must be at most "+strconv.Itoa(runes)+" characters")
	}
}
