package fanout

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers"
)

// Explanation is what would become of one candidate if the activity was delivered now.
type Explanation struct {
	PrincipalID uuid.UUID `json:"principal_id"`
	Reasons     []string  `json:"reasons"`
	Notified    bool      `json:"notified"`
	Why         string    `json:"why"` // one clause
}

// Explain returns the explanations of at most limit candidates of an activity, ordered by principal
// id. It decides as a delivery at this moment would. A principal that is not among the candidates
// is not notified, because it neither subscribed to the resource or to an ancestor with its
// descendants, nor owns it, nor is a delegator or the target.
func Explain(
	ctx context.Context,
	tx pgx.Tx,
	a *activity.Activity,
	filter *preferences.Filter,
	limit int,
) ([]Explanation, error) {
	query := watchers.Query{Limit: limit, MaxRows: limit}
	subject := query.Add(a)
	resolved, err := watchers.Resolve(ctx, tx, &query)
	if err != nil {
		return nil, err
	}
	explanations := []Explanation{}
	for i := range resolved.Candidates[subject] {
		c := &resolved.Candidates[subject][i]
		d := Decide(a, c, resolved.Tenants[a.TenantID], filter)
		if d.Rule == RuleNone {
			continue
		}
		explanations = append(explanations, Explanation{
			PrincipalID: c.PrincipalID, Reasons: d.Reasons.Names(), Notified: d.Told, Why: why(a, c, d),
		})
	}
	return explanations, nil
}

func why(a *activity.Activity, c *watchers.Candidate, d Decision) string {
	switch d.Rule {
	case RuleActor:
		return "is the actor"
	case RuleGroup:
		return "is a group: its members are notified"
	case RuleInactive:
		return "is inactive in the directory"
	case RulePermission:
		switch a.Visibility {
		case activity.Private:
			return "the activity is private, and a subscription alone does not permit to see it"
		case activity.ScopeWide:
			return "holds no role on the resource, above it, or under its parent"
		default:
			return "holds no role on the resource or above it"
		}
	case RuleMutedActor:
		return "muted the actor"
	case RuleMuted:
		return "muted notifications"
	}
	switch {
	case d.Told && !d.Push:
		return "muted notifications: stored without a push"
	case d.Rule == RuleLevel:
		return fmt.Sprintf("the level %s of the resource %s decides", c.Level, c.LevelResourceID)
	case d.Told:
		return "has permission, and the preference includes the action"
	case d.Preference.Mode == preferences.ModeCustom:
		return fmt.Sprintf("the filter mode custom does not include %s: %s",
			a.Action, strings.Join(d.Preference.CustomActions, ", "))
	default:
		return fmt.Sprintf("the filter mode mutations does not include %s; "+
			"the taxonomy (notify), the setting --mutations or a preference can", a.Action)
	}
}
