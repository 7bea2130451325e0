package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/subscriptionlog"
	"github.com/fanfarehq/fanfare/watchers/subscriptions"
)

func newSubscriptionsCommand(p process) *cobra.Command {
	group := newGroup("subscriptions", "List, add and remove the subscriptions of a principal",
		`List, add and remove the subscriptions of a principal.

The commands do what the API does for the principal: a new subscription is recorded in the tenant's
log as subscription.created, a revoked one as subscription.revoked, and the principal is the actor.`)
	group.AddCommand(newSubscriptionsListCommand(p), newSubscriptionsAddCommand(p), newSubscriptionsRemoveCommand(p))
	return group
}

// shownSubscription is a subscription in the output of a command.
type shownSubscription struct {
	ID          uuid.UUID `json:"id"`
	PrincipalID uuid.UUID `json:"principal_id"`
	ResourceID  uuid.UUID `json:"resource_id"`
	Scope       string    `json:"scope"`
	CreatedAt   time.Time `json:"created_at"`
}

func showSubscription(s subscriptions.Subscription) shownSubscription {
	return shownSubscription{s.ID, s.PrincipalID, s.ResourceID, s.Scope, s.CreatedAt.UTC()}
}

func newSubscriptionsListCommand(p process) *cobra.Command {
	return pagedList[subscriptions.Subscription, shownSubscription]{
		short:  "List the subscriptions of a principal, the oldest first",
		things: "subscriptions",
		id:     "subscription",
		header: []string{"ID", "SUBSCRIBER", "RESOURCE", "SCOPE", "CREATED"},
		list:   subscriptions.List,
		flag:   "through-groups",
		usage:  "also list the subscriptions of the groups that the principal belongs to",
		other:  subscriptions.ListThroughGroups,
		show:   showSubscription,
		cells: func(s subscriptions.Subscription) []string {
			return []string{
				s.ID.String(), s.PrincipalID.String(), s.ResourceID.String(), s.Scope,
				s.CreatedAt.UTC().Format(time.RFC3339),
			}
		},
	}.command(p)
}

func newSubscriptionsAddCommand(p process) *cobra.Command {
	var (
		as      actingAs
		request subscriptions.SubscribeRequest
		asJSON  bool
	)
	command := &cobra.Command{
		Use:   "add <resource-id> --tenant ID --as ID",
		Short: "Subscribe a principal to a resource",
		Long: `Subscribe a principal to a resource. The principal must own the resource or hold a role on it or on
one of its ancestors. If the subscription exists already, it is shown and nothing changes.`,
		Example: `  fanfare subscriptions add 0192d3c1-6b7a-7f00-9d1e-3c4d5e6f7a8b --scope descendants \
    --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f --as 0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f`,
		Args: idArgument("resource", &request.ResourceID),
		PreRunE: func(*cobra.Command, []string) error {
			if err := as.validate(); err != nil {
				return err
			}
			if s := request.Scope; s != subscriptions.ScopeResource && s != subscriptions.ScopeDescendants {
				return &usageError{fmt.Sprintf("--scope %q must be one of resource, descendants", s)}
			}
			return nil
		},
	}
	flags := command.Flags()
	as.addFlags(flags, "id of the principal")
	flags.StringVar(&request.Scope, "scope", subscriptions.ScopeResource,
		"resource: the resource alone; descendants: it and everything under it")
	flags.Var(&uuidValue{&request.GroupID}, "group",
		"id of a group to subscribe instead; the principal must be the owner or a delegator")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	completeFlag(command, "scope", subscriptions.ScopeResource, subscriptions.ScopeDescendants)
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		s, created, err := subscriptionlog.Subscribe(ctx, pool, as.caller(), request)
		if err != nil {
			return err
		}
		if asJSON {
			return writeJSON(p.stdout, struct {
				shownSubscription
				Created bool `json:"created"`
			}{showSubscription(s), created})
		}
		text := "Subscription added: %s\n"
		if !created {
			text = "Subscription exists: %s\n"
		}
		_, err = fmt.Fprintf(p.stdout, text, s.ID)
		return err
	})
}

func newSubscriptionsRemoveCommand(p process) *cobra.Command {
	var (
		as     actingAs
		id     uuid.UUID
		asJSON bool
	)
	command := &cobra.Command{
		Use:     "remove <subscription-id> --tenant ID --as ID",
		Short:   "Revoke a subscription of a principal",
		Long:    `Revoke a subscription of a principal. Revoking it again changes nothing.`,
		Args:    idArgument("subscription", &id),
		PreRunE: func(*cobra.Command, []string) error { return as.validate() },
	}
	as.addFlags(command.Flags(), "id of the principal")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		revoked, err := subscriptionlog.Unsubscribe(ctx, pool, as.caller(), id)
		if err != nil {
			return err
		}
		if asJSON {
			return writeJSON(p.stdout, map[string]bool{"revoked": revoked})
		}
		text := "Subscription revoked: %s\n"
		if !revoked {
			text = "Subscription was revoked before: %s\n"
		}
		_, err = fmt.Fprintf(p.stdout, text, id)
		return err
	})
}

// caller returns the principal as the one that subscribes.
func (a *actingAs) caller() subscriptionlog.Caller {
	return subscriptionlog.Caller{Principal: a.Principal, UserAgent: "fanfare " + release()}
}
