package demo

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/watchers"
)

// scene is one thing that happens, and what is to come of it.
type scene struct {
	title, story string
	deed         deed
	do           func(ctx context.Context, c company, d deed) (done, error)

	rolledBack bool                        // what was to be recorded is not to be there
	hear       map[string]watchers.Reasons // who is to receive it, for which reasons; one inbox row each
	inboxOnly  map[string]watchers.Reasons // who is to find it in the inbox, without a push
	silent     map[string]Why              // who is not to hear, and why; whoever is named nowhere does not watch, or is another tenant's
	onScreen   []string                    // which kinds of shared channel are to carry it
	unread     map[string]int              // whose clients are to be told of how much that is unread
}

// company is who acts.
type company struct {
	service *service
	ledger  *ledgerSync
	api     *calls
	told    func(tenant, who string) []uuid.UUID // what somebody heard or found so far, the newest first
}

// The reasons for telling somebody, in the words of the script.
const (
	subscribed = watchers.Subscribed
	owner      = watchers.Owner
	delegator  = watchers.Delegator
	target     = watchers.Target
)

type reasons = map[string]watchers.Reasons

// script returns the scenes in their order. Each starts with what those before it have left.
func script() []scene {
	// Those who watch Momentum 12 in vain, whatever happens to it.
	never := map[string]Why{eva: Muted, dilan: LostRole, hana: NoRole, farid: Unsubscribed, gus: Inactive}
	resource := []string{activity.ToResource}
	run := deed{tenant: aurora, actor: scout, signal: momentum, action: "run.completed"}
	retried := run
	retried.correlation = uuid.NewSHA1(uuid.NameSpaceURL, []byte("demo/run/1"))

	return []scene{
		{
			title: "Who watches hears of a change",
			story: "Ines sets the lookback of Momentum 12: her row and the activity commit in one transaction.",
			deed:  deed{tenant: aurora, actor: ines, signal: momentum, action: "resource.updated"},
			do: func(ctx context.Context, c company, d deed) (done, error) {
				return c.service.setLookback(ctx, d, 60)
			},
			hear:     reasons{ada: delegator, bruno: subscribed, scout: subscribed},
			silent:   and(never, map[string]Why{ines: Actor, chen: Filtered}),
			onScreen: resource,
		},
		{
			title: "A subscription to a folder covers what is made in it later",
			story: "Bruno creates Momentum 14 in Equities; its id is known only inside the transaction.",
			deed:  deed{tenant: aurora, actor: bruno, signal: "Momentum 14", action: "signal.created"},
			do: func(ctx context.Context, c company, d deed) (done, error) {
				return c.service.createSignal(ctx, d, equities)
			},
			hear:   reasons{ada: delegator, scout: subscribed},
			silent: map[string]Why{bruno: Actor, eva: Muted, farid: Unsubscribed, gus: Inactive},
		},
		{
			title:      "A transaction that rolls back tells nobody",
			story:      "Ines changes Momentum 12 and records it; then the table refuses a lookback of 1000 days.",
			deed:       deed{tenant: aurora, actor: ines, signal: momentum, action: "resource.updated"},
			do:         func(ctx context.Context, c company, d deed) (done, error) { return c.service.failHalfway(ctx, d) },
			rolledBack: true,
		},
		{
			title: "Nothing crosses tenants",
			story: "Borealis has a Momentum 12, an Ada and a Bruno too: same names, even the same ids.",
			deed:  deed{tenant: borealis, actor: bruno, signal: momentum, action: "resource.updated"},
			do: func(ctx context.Context, c company, d deed) (done, error) {
				return c.service.setLookback(ctx, d, 30)
			},
			hear:   reasons{ada: delegator, noor: subscribed},
			silent: map[string]Why{bruno: Actor},
		},
		{
			title: "Nor can it be asked for",
			story: "Ada of Borealis has the very id of Ada of Aurora, and asks for what the latter was told of.",
			deed:  deed{tenant: aurora, actor: ada},
			do:    lookAbroad,
		},
		{
			title: "Any language can write",
			story: "ledger-sync says SELECT fanfare.record_activity(…), as a role that may do that and nothing else.",
			deed:  deed{tenant: aurora, actor: ledger, signal: momentum, action: "promotion.requested"},
			do: func(ctx context.Context, c company, d deed) (done, error) {
				made, err := c.ledger.report(ctx, d)
				return made, errors.Join(err, c.ledger.mayNotRead(ctx))
			},
			hear:     reasons{ada: delegator, ines: owner, bruno: subscribed, chen: subscribed},
			silent:   and(never, map[string]Why{scout: Filtered}),
			onScreen: resource,
		},
		{
			title: "A retry is told once",
			story: "Scout reports a run, gets no answer, and reports it again with the same correlation id.",
			deed:  retried,
			do: func(ctx context.Context, c company, d deed) (done, error) {
				made, err := c.service.finishRun(ctx, d)
				if err != nil {
					return done{}, err
				}
				again, err := c.service.finishRun(ctx, d)
				if err == nil && again.activityID != made.activityID {
					err = errors.New("the retry was recorded as a second activity")
				}
				return made, err
			},
			hear:     reasons{ada: delegator, chen: subscribed},
			silent:   and(never, map[string]Why{scout: Actor, ines: Filtered, bruno: Filtered}),
			onScreen: resource,
		},
		{
			title: "People choose what they hear",
			story: "Bruno asks the API for run.* and nothing else; Scout finishes another run.",
			deed:  run,
			do: func(ctx context.Context, c company, d deed) (done, error) {
				if err := choose(ctx, c.api, aurora, bruno, "run.*"); err != nil {
					return done{}, err
				}
				return c.service.finishRun(ctx, d)
			},
			hear:     reasons{ada: delegator, chen: subscribed, bruno: subscribed},
			silent:   and(never, map[string]Why{scout: Actor, ines: Filtered}),
			onScreen: resource,
		},
		{
			title: "And what they hear no longer",
			story: "Ines changes the lookback as in the first scene. Bruno heard of it then.",
			deed:  deed{tenant: aurora, actor: ines, signal: momentum, action: "resource.updated"},
			do: func(ctx context.Context, c company, d deed) (done, error) {
				return c.service.setLookback(ctx, d, 45)
			},
			hear:     reasons{ada: delegator, scout: subscribed},
			silent:   and(never, map[string]Why{ines: Actor, chen: Filtered, bruno: Filtered}),
			onScreen: resource,
		},
		{
			title:  "Who has a role can subscribe",
			story:  "Farid, a viewer of Research, subscribes to Carry 3. That too is an activity, a private one.",
			deed:   deed{tenant: aurora, actor: farid, signal: carry, action: "subscription.created"},
			do:     subscribe,
			hear:   reasons{ada: delegator},
			silent: map[string]Why{farid: Actor, ines: Filtered},
		},
		{
			title: "And hears from the next activity on",
			story: "Ines sets the lookback of Carry 3.",
			deed:  deed{tenant: aurora, actor: ines, signal: carry, action: "resource.updated"},
			do: func(ctx context.Context, c company, d deed) (done, error) {
				return c.service.setLookback(ctx, d, 40)
			},
			hear:   reasons{ada: delegator, farid: subscribed},
			silent: map[string]Why{ines: Actor},
		},
		{
			title:  "The inbox holds what was told, and its count is live",
			story:  "Ada reads what she was told of so far, and marks it as read; her open clients hear of that.",
			deed:   deed{tenant: aurora, actor: ada},
			do:     visitInbox,
			unread: map[string]int{ada: 0},
		},
		{
			title: "Private is for owners and delegators",
			story: "Ines changes the lookback once more, privately: no subscriber, and nothing on the wall.",
			deed: deed{
				tenant:     aurora,
				actor:      ines,
				signal:     momentum,
				action:     "resource.updated",
				visibility: activity.Private,
			},
			do: func(ctx context.Context, c company, d deed) (done, error) {
				return c.service.setLookback(ctx, d, 50)
			},
			hear: reasons{ada: delegator},
			silent: map[string]Why{
				ines: Actor, bruno: PrivateTo, chen: PrivateTo, scout: PrivateTo, dilan: PrivateTo, hana: PrivateTo,
				eva: Muted, farid: Unsubscribed, gus: Inactive,
			},
		},
		{
			title: "Whoever is addressed hears, filter or not",
			story: "Ada mentions Chen in a note. His patterns do not ask for notes.",
			deed:  deed{tenant: aurora, actor: ada, signal: momentum, action: "note.added", target: chen},
			do: func(ctx context.Context, c company, d deed) (done, error) {
				return c.service.addNote(ctx, d, "@Chen: is this decay real?")
			},
			hear:     reasons{chen: subscribed | target},
			silent:   and(never, map[string]Why{ada: Actor, ines: Filtered, bruno: Filtered, scout: Filtered}),
			onScreen: resource,
		},
		{
			title: "Unless they are muted: then it waits in the inbox",
			story: "Ada asks Eva for a review. Eva has muted everything.",
			deed:  deed{tenant: aurora, actor: ada, signal: momentum, action: "review.requested", target: eva},
			do: func(ctx context.Context, c company, d deed) (done, error) {
				return c.service.addNote(ctx, d, "@Eva: your review, please")
			},
			inboxOnly: reasons{eva: delegator | target},
			silent: map[string]Why{
				ada: Actor, ines: Filtered, bruno: Filtered, scout: Filtered, chen: Filtered,
				dilan: LostRole, hana: NoRole, farid: Unsubscribed, gus: Inactive,
			},
			onScreen: resource,
		},
		{
			title: "Permission is what holds now",
			story: "Chen loses his role on Equities and keeps his subscription; Scout finishes another run.",
			deed:  run,
			do: func(ctx context.Context, c company, d deed) (done, error) {
				if err := c.service.revokeRoles(ctx, aurora, chen, equities); err != nil {
					return done{}, err
				}
				return c.service.finishRun(ctx, d)
			},
			hear:     reasons{ada: delegator, bruno: subscribed},
			silent:   and(never, map[string]Why{scout: Actor, ines: Filtered, chen: LostRole}),
			onScreen: resource,
		},
		{
			title: "A wider visibility: the scope",
			story: "Ada approves the promotion, for whoever holds a role in Equities. Hana's is on US Prices.",
			deed: deed{
				tenant:     aurora,
				actor:      ada,
				signal:     momentum,
				action:     "promotion.approved",
				visibility: activity.ScopeWide,
			},
			do: func(ctx context.Context, c company, d deed) (done, error) {
				return c.service.setStage(ctx, d, "production")
			},
			hear: reasons{ines: owner, hana: subscribed},
			silent: map[string]Why{
				ada: Actor, bruno: Filtered, scout: Filtered, chen: LostRole, dilan: LostRole,
				eva: Muted, farid: Unsubscribed, gus: Inactive,
			},
			onScreen: resource,
		},
		{
			title: "The widest: the tenant, and its activity stream",
			story: "ledger-sync transfers Momentum 12 to another book, for every subscriber of the tenant to see.",
			deed: deed{
				tenant: aurora, actor: ledger, signal: momentum, action: "transfer.completed", visibility: activity.TenantVisible,
				channels: []string{activity.ToUser, activity.ToResource, activity.ToTenant},
			},
			do:   func(ctx context.Context, c company, d deed) (done, error) { return c.ledger.report(ctx, d) },
			hear: reasons{ada: delegator, ines: owner, dilan: subscribed, hana: subscribed},
			silent: map[string]Why{
				bruno: Filtered, scout: Filtered, chen: Filtered, eva: Muted, farid: Unsubscribed, gus: Inactive,
			},
			onScreen: []string{activity.ToResource, activity.ToTenant},
		},
		{
			title:    "What is deleted still finds its people",
			story:    "Ada deletes Momentum 12, and its place in the directory, in the transaction that tells of it.",
			deed:     deed{tenant: aurora, actor: ada, signal: momentum, action: "resource.deleted"},
			do:       func(ctx context.Context, c company, d deed) (done, error) { return c.service.deleteSignal(ctx, d) },
			hear:     reasons{ines: owner, scout: subscribed},
			silent:   and(never, map[string]Why{ada: Actor, bruno: Filtered, chen: LostRole}),
			onScreen: resource,
		},
	}
}

// and returns both.
func and(some, others map[string]Why) map[string]Why {
	both := make(map[string]Why, len(some)+len(others))
	for _, each := range []map[string]Why{some, others} {
		for who, why := range each {
			both[who] = why
		}
	}
	return both
}
