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
		r, outcome := decide(a, c, filter)
		if outcome == unconcerned {
			continue
		}
		explanations = append(explanations, Explanation{
			PrincipalID: c.PrincipalID, Reasons: r.Reasons.Names(), Notified: outcome == isRecipient,
			Why: why(a, c, r, outcome),
		})
	}
	return explanations, nil
}

func why(a *activity.Activity, c *watchers.Candidate, r Recipient, o outcome) string {
	switch o {
	case isActor:
		return "is the actor"
	case isInactive:
		return "is inactive in the directory"
	case withoutPermission:
		switch a.Visibility {
		case activity.Private:
			return "the activity is private, and a subscription alone does not permit to see it"
		case activity.ScopeWide:
			return "holds no role on the resource, above it, or under its parent"
		default:
			return "holds no role on the resource or above it"
		}
	case hasMuted:
		return "muted notifications"
	case isFiltered:
		if preferences.Mode(c.FilterMode) == preferences.ModeCustom {
			return fmt.Sprintf("the filter mode custom does not include %s: %s",
				a.Action, strings.Join(c.CustomActions, ", "))
		}
		return fmt.Sprintf("the filter mode mutations does not include %s; "+
			"the taxonomy (notify), the setting --mutations or a preference can", a.Action)
	default:
		if !r.Push {
			return "the target muted notifications: stored without a push"
		}
		return "has permission, and the preference includes the action"
	}
}
