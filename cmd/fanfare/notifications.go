package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/inbox"
	"github.com/fanfarehq/fanfare/watchers"
)

func newNotificationsCommand(p process) *cobra.Command {
	group := newGroup("notifications", "List, show, mark and test the notifications of a principal",
		`List, show, mark and test the notifications of a principal.

The commands do what the API does for the principal, and read and change only notifications of
activities that the principal may see now. They publish nothing: clients of the principal notice a
change with their next request.`)
	group.AddCommand(
		newNotificationsListCommand(p), newNotificationsShowCommand(p), newNotificationsMarkCommand(p),
		newNotificationsTestCommand(p))
	return group
}

// inboxSelection selects notifications of one principal.
type inboxSelection struct {
	selection
	as            uuid.UUID
	state, reason string
}

// addFlags adds the flags --tenant and --as and those of the filter.
func (s *inboxSelection) addFlags(command *cobra.Command) {
	flags := command.Flags()
	s.selection.addFlags(flags, time.Now())
	flags.Var(&uuidValue{&s.as}, "as", "id of the principal")
	flags.StringVar(&s.state, "state", "",
		"only notifications in this state: inbox (default), unread, unseen, archived, snoozed or all")
	flags.StringVar(&s.reason, "reason", "",
		"only notifications with this reason: subscribed, owner, delegator or target")
	completeFlag(command, "state", "inbox", "unread", "unseen", "archived", "snoozed", "all")
	completeFlag(command, "reason", "subscribed", "owner", "delegator", "target")
}

func (s *inboxSelection) principal() actingAs {
	var as actingAs
	as.TenantID, as.PrincipalID = s.tenant, s.as
	return as
}

// inbox returns the selection, or a usage error.
func (s *inboxSelection) inbox() (inbox.Selection, error) {
	as := s.principal()
	if err := as.validate(); err != nil {
		return inbox.Selection{}, err
	}
	selected := inbox.Selection{State: inbox.State(s.state), Filter: s.filter}
	if s.reason != "" {
		reason, known := watchers.ParseReason(s.reason)
		if !known {
			return inbox.Selection{}, &usageError{
				fmt.Sprintf("--reason %q: must be subscribed, owner, delegator or target", s.reason),
			}
		}
		selected.Reasons = reason
	}
	return selected, usageErrorOf(selected.Validate())
}

// shownNotification is a notification in the output of a command.
type shownNotification struct {
	ID           uuid.UUID       `json:"id"`
	Reasons      []string        `json:"reasons"`
	GroupID      *uuid.UUID      `json:"group_id"`
	CreatedAt    time.Time       `json:"created_at"`
	SeenAt       *time.Time      `json:"seen_at"`
	ReadAt       *time.Time      `json:"read_at"`
	ArchivedAt   *time.Time      `json:"archived_at"`
	SnoozedUntil *time.Time      `json:"snoozed_until"`
	Activity     json.RawMessage `json:"activity"`
}

func showNotification(n *inbox.Notification) shownNotification {
	shown := shownNotification{
		ID: n.ID, Reasons: n.Reasons.Names(), CreatedAt: n.CreatedAt.UTC(), SeenAt: inUTC(n.SeenAt),
		ReadAt: inUTC(n.ReadAt), ArchivedAt: inUTC(n.ArchivedAt), SnoozedUntil: inUTC(n.SnoozedUntil),
		Activity: jsonObject(&n.Activity),
	}
	if n.GroupID != uuid.Nil {
		shown.GroupID = &n.GroupID
	}
	return shown
}

func inUTC(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	utc := at.UTC()
	return &utc
}

// stateText describes what the principal has done with a notification.
func stateText(n *inbox.Notification) string {
	var words []string
	if n.SeenAt == nil {
		words = append(words, "unseen")
	}
	if n.ReadAt == nil {
		words = append(words, "unread")
	}
	if n.ArchivedAt != nil {
		words = append(words, "archived")
	}
	if n.SnoozedUntil != nil {
		words = append(words, "snoozed until "+n.SnoozedUntil.UTC().Format(time.RFC3339))
	}
	return cmp.Or(strings.Join(words, ", "), "read")
}

func newNotificationsListCommand(p process) *cobra.Command {
	var (
		selected inboxSelection
		query    inbox.Query
		asJSON   bool
	)
	command := &cobra.Command{
		Use:   "list --tenant ID --as ID",
		Short: "List the notifications of a principal, the newest first",
		Example: `  fanfare notifications list --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f \
    --as 0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f --state unread --action 'project.*'`,
		PreRunE: func(*cobra.Command, []string) (err error) {
			if query.Limit < 1 || query.Limit > inbox.MaxPage {
				return &usageError{fmt.Sprintf("--limit %d: must be from 1 to %d", query.Limit, inbox.MaxPage)}
			}
			query.Selection, err = selected.inbox()
			return err
		},
	}
	selected.addFlags(command)
	flags := command.Flags()
	flags.IntVar(&query.Limit, "limit", inbox.DefaultPage,
		fmt.Sprintf("maximum number of notifications, at most %d", inbox.MaxPage))
	flags.Var(&uuidValue{&query.After}, "before",
		"only notifications older than the one with this id, for the next page")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		list, next, err := listNotifications(ctx, pool, selected.principal(), query)
		if err != nil {
			return err
		}
		shown := make([]shownNotification, len(list))
		rows := [][]string{{"CREATED", "ID", "STATE", "REASONS", "ACTION", "RESOURCE", "MESSAGE"}}
		for i := range list {
			n := &list[i]
			shown[i] = showNotification(n)
			rows = append(rows, []string{
				shown[i].CreatedAt.Format(time.RFC3339), n.ID.String(), stateText(n), n.Reasons.String(),
				n.Activity.Action, resourceText(&n.Activity), printable(n.Activity.Message),
			})
		}
		switch {
		case asJSON:
			return writeJSON(p.stdout, map[string]any{"items": shown, "next_before": next})
		case len(list) == 0:
			_, err := fmt.Fprintln(p.stdout, "No notifications.")
			return err
		}
		if err := writeTable(p.stdout, rows); err != nil || next == nil {
			return err
		}
		_, err = fmt.Fprintf(p.stderr, "For older notifications, use --before %s\n", next)
		return err
	})
}

// listNotifications reads pages until there are as many notifications as the limit. next is the id
// after which reading continues, or nil at the end.
func listNotifications(
	ctx context.Context, pool *pgxpool.Pool, as actingAs, q inbox.Query,
) (list []inbox.Notification, next *uuid.UUID, err error) {
	for limit := q.Limit; ; q.Limit = limit - len(list) {
		page, err := inbox.List(ctx, pool, as.Principal, q)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, page.Items...)
		if page.Next == uuid.Nil {
			return list, nil, nil
		}
		if len(list) == limit {
			return list, &page.Next, nil
		}
		q.After = page.Next
	}
}

func newNotificationsShowCommand(p process) *cobra.Command {
	var (
		as     actingAs
		id     uuid.UUID
		asJSON bool
	)
	command := &cobra.Command{
		Use:     "show <notification-id> --tenant ID --as ID",
		Short:   "Show a notification and its activity",
		Args:    idArgument("notification", &id),
		PreRunE: func(*cobra.Command, []string) error { return as.validate() },
	}
	as.addFlags(command.Flags(), "id of the principal")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		n, err := inbox.Get(ctx, pool, as.Principal, id)
		if err != nil {
			return err
		}
		if asJSON {
			return writeJSON(p.stdout, showNotification(&n))
		}
		rows := [][]string{
			{"state", stateText(&n)},
			{"reasons", n.Reasons.String()},
			{"created at", n.CreatedAt.UTC().Format(time.RFC3339Nano)},
		}
		for _, mark := range []struct {
			name string
			at   *time.Time
		}{{"seen at", n.SeenAt}, {"read at", n.ReadAt}, {"archived at", n.ArchivedAt}} {
			if mark.at != nil {
				rows = append(rows, []string{mark.name, mark.at.UTC().Format(time.RFC3339Nano)})
			}
		}
		if n.GroupID != uuid.Nil {
			rows = append(rows, []string{"group", n.GroupID.String()})
		}
		return writeTable(p.stdout, append(rows, activityRows(&n.Activity)...))
	})
}
