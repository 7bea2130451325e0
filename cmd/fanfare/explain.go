package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/explain"
	"github.com/fanfarehq/fanfare/preferences"
)

// maxExplained limits the principals that are explained.
const maxExplained = 1000

func newExplainCommand(p process) *cobra.Command {
	var (
		selected  selection
		id        uuid.UUID
		principal uuid.UUID
		asJSON    bool
	)
	command := &cobra.Command{
		Use:   "explain [activity-id] --tenant ID [--as ID]",
		Short: "Explain who is notified of an activity, and why",
		Long: `Explain for everybody whom an activity concerns whether a delivery at this moment would notify them,
and which rule decides. With --as, explain every rule with regard to one principal, and what the
inbox holds of the delivery. Without an id, explain the newest activity of the tenant.

The setting --mutations must be that of the workers. The role needs the privileges of a worker, and
SELECT on fanfare.notifications.`,
		Example: `  fanfare explain --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f
  fanfare explain 01a02dd6-bf06-7c0e-b021-0c1dcb6d9da2 --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f \
    --as 0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f`,
		Args: func(_ *cobra.Command, args []string) (err error) {
			switch len(args) {
			case 0:
				return nil
			case 1:
				if id, err = parseID(args[0]); err != nil {
					return &usageError{fmt.Sprintf("%q is not the id of an activity", args[0])}
				}
				return nil
			default:
				return &usageError{"at most one argument is accepted: the id of an activity"}
			}
		},
		PreRunE: func(*cobra.Command, []string) error { return selected.validate() },
	}
	selected.addTenantFlag(command.Flags())
	command.Flags().Var(&uuidValue{&principal}, "as", "explain it for the principal with this id")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withConfig(p, command, config.Explain(), func(ctx context.Context, c *config.Config) error {
		return usePool(ctx, c, func(pool *pgxpool.Pool) error {
			a, err := oneActivity(ctx, pglog.New(pool), selected, id)
			if err != nil {
				return err
			}
			x, err := newExplainer(ctx, pool, c)
			if err != nil {
				return err
			}
			if principal != uuid.Nil {
				return explainFor(ctx, p, x, &a, principal, asJSON)
			}
			return explainToAll(ctx, p, x, &a, asJSON)
		})
	})
}

// oneActivity returns the activity with an id, or the newest one.
func oneActivity(ctx context.Context, log *pglog.Log, s selection, id uuid.UUID) (activity.Activity, error) {
	if id != uuid.Nil {
		a, err := log.Get(ctx, s.tenant, id)
		if err != nil {
			return activity.Activity{}, fmt.Errorf("activity %s: %w", id, err)
		}
		return a, nil
	}
	found, _, err := newest(ctx, log, s, 1, uuid.Nil)
	if err != nil {
		return activity.Activity{}, err
	}
	if len(found) == 0 {
		return activity.Activity{}, errors.New("the tenant has no activities")
	}
	return found[0], nil
}

// newExplainer returns an Explainer that decides as the workers do.
func newExplainer(ctx context.Context, pool *pgxpool.Pool, c *config.Config) (*explain.Explainer, error) {
	applied, err := taxonomy.Load(ctx, pool)
	if err != nil {
		return nil, err
	}
	filter := preferences.NewFilter(c.Mutations)
	filter.SetNotify(taxonomy.NotifyByAction(applied.Actions()))
	return &explain.Explainer{DB: pool, Filter: filter}, nil
}

func operatorOf(a *activity.Activity) explain.Asker {
	return explain.Asker{Principal: activity.Principal{TenantID: a.TenantID}, Operator: true}
}

// explainFor explains an activity with regard to one principal.
func explainFor(
	ctx context.Context,
	p process,
	x *explain.Explainer,
	a *activity.Activity,
	principal uuid.UUID,
	asJSON bool,
) error {
	e, err := x.Principal(ctx, operatorOf(a), a.ID, principal)
	if err != nil {
		return err
	}
	if asJSON {
		return writeJSON(p.stdout, e)
	}
	text := &strings.Builder{}
	fmt.Fprintf(text, "%s\n%s %s\n\n", headline(a), printable(e.DisplayName), principal)
	fmt.Fprintf(text, "Now: %s, decided by the rule %s: %s\n", notified(e.Now), e.Now.DecidedBy, printable(e.Now.Why))
	fmt.Fprintf(text, "Then: %s\n\n", then(e.Then))
	if _, err := fmt.Fprint(p.stdout, text); err != nil {
		return err
	}
	rows := [][]string{{"RULE", "RESULT", "WHY"}}
	for _, step := range e.Rules {
		rows = append(rows, []string{step.Rule, strings.ReplaceAll(step.Result, "_", " "), stepText(step)})
	}
	if err := writeTable(p.stdout, rows); err != nil || len(e.Grounds) == 0 {
		return err
	}
	if _, err := fmt.Fprintln(p.stdout); err != nil {
		return err
	}
	rows = [][]string{{"GROUND", "WHERE", "RESOURCE", "ROLE OR SCOPE", "THROUGH GROUP", "SUBSCRIPTION"}}
	for _, g := range e.Grounds {
		rows = append(rows, []string{
			g.Kind, g.Where, idText(g.ResourceID), cmp.Or(g.Role, g.Scope, "-"), idText(g.GroupID),
			idText(g.SubscriptionID),
		})
	}
	return writeTable(p.stdout, rows)
}

// explainToAll explains an activity with regard to everybody whom it concerns.
func explainToAll(ctx context.Context, p process, x *explain.Explainer, a *activity.Activity, asJSON bool) error {
	members := []explain.AudienceMember{}
	more := true
	for page := (explain.Page{Limit: explain.MaxPage}); more && len(members) < maxExplained; {
		audience, err := x.Audience(ctx, operatorOf(a), a.ID, page)
		if err != nil {
			return err
		}
		members = append(members, audience.Members...)
		page.After, more = audience.Next, audience.Next != uuid.Nil
	}
	if asJSON {
		return writeJSON(p.stdout, members)
	}
	if _, err := fmt.Fprintln(p.stdout, headline(a)); err != nil {
		return err
	}
	if len(members) == 0 {
		_, err := fmt.Fprintln(p.stdout,
			"No principal is concerned: the resource has no subscriber, owner, delegator or target.")
		return err
	}
	rows := [][]string{{"PRINCIPAL", "NAME", "REASONS", "NOTIFIED", "RULE", "WHY"}}
	for _, m := range members {
		rows = append(rows, []string{
			m.PrincipalID.String(), m.DisplayName, strings.Join(m.Now.Reasons, ","), notified(m.Now), m.Now.DecidedBy,
			m.Now.Why,
		})
	}
	if err := writeTable(p.stdout, rows); err != nil || !more {
		return err
	}
	_, err := fmt.Fprintf(p.stdout, "These are the first %d principals of the audience.\n", len(members))
	return err
}

func headline(a *activity.Activity) string {
	return fmt.Sprintf("%s %s, %s, visible to: %s", a.ID, a.Action, resourceText(a), a.Visibility)
}

// notified describes an outcome in one word or two.
func notified(o explain.Outcome) string {
	switch {
	case o.Push:
		return "yes"
	case o.Notified:
		return "inbox only"
	default:
		return "no"
	}
}

// then describes what the inbox holds of the delivery.
func then(t *explain.PastDelivery) string {
	switch t.State {
	case explain.StateNotified:
		text := "notified on " + t.At.UTC().Format("2006-01-02 15:04:05Z") + " as " + strings.Join(t.Reasons, ", ")
		if t.GroupID != nil {
			text += ", through the group " + t.GroupID.String()
		}
		if t.ReadAt != nil {
			return text + "; read on " + t.ReadAt.UTC().Format("2006-01-02 15:04:05Z")
		}
		return text + "; not read"
	case explain.StatePending:
		return "not delivered yet"
	case explain.StateDead:
		return "could not be delivered: a dead letter"
	default:
		return "not notified, or the notification has been removed"
	}
}

func stepText(s explain.RuleResult) string {
	text := s.Why
	if s.Level != nil && s.Level.Where != "resource" {
		text += " (" + idText(s.Level.ResourceID) + ")"
	}
	if s.SetBy != "" {
		text += " (set by the " + s.SetBy + ")"
	}
	return text
}

func idText(id *uuid.UUID) string {
	if id == nil {
		return "-"
	}
	return id.String()
}
