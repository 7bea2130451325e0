package demo

import (
	"context"
	"errors"
	"maps"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers"
)

// scene is one thing that happens and its expected result.
type scene struct {
	title, story string
	recording    recording
	do           func(ctx context.Context, a actors, r recording) (outcome, error)

	rolledBack bool           // the recording must not be in the log
	recipients reasons        // who receives a push and an inbox row
	inboxOnly  reasons        // who receives an inbox row without a push
	others     map[string]Why // why the others do not receive it; default NotWatching, in other tenants OtherTenant
	shared     []string       // the kinds of shared channels that carry it
	unread     map[string]int // whose clients receive which unread count
}

// reasons maps names of people to their reasons.
type reasons = map[string]watchers.Reasons

// actors act in the scenes.
type actors struct {
	service  *service
	ledger   *ledgerSync
	requests *requests
	received func(tenant, name string) []uuid.UUID // in earlier scenes, as a push or in the inbox; newest first
}

// The reasons, for the script.
const (
	subscribed = watchers.Subscribed
	owner      = watchers.Owner
	delegator  = watchers.Delegator
	target     = watchers.Target
)

// script returns the scenes in their order. Each starts in the state that the previous ones left.
func script() []scene {
	// The watchers of Momentum 12 who never receive anything about it.
	never := map[string]Why{eva: Muted, dilan: LostRole, hana: NoRole, farid: Unsubscribed, gus: Inactive}
	resource := []string{activity.ToResource}
	update := recording{tenant: aurora, actor: ines, signal: momentum, action: "resource.updated"}
	run := recording{tenant: aurora, actor: scout, signal: momentum, action: "run.completed"}
	retried := run
	retried.correlation = idOf("run/1")
	private := update
	private.visibility = activity.Private

	return []scene{
		{
			title:      "Watchers are notified of a change",
			story:      "Ines sets the lookback of Momentum 12: the row and the activity commit in one transaction.",
			recording:  update,
			do:         setLookback(60),
			recipients: reasons{ada: delegator, bruno: subscribed, scout: subscribed},
			others:     merge(never, map[string]Why{ines: Actor, chen: Filtered}),
			shared:     resource,
		},
		{
			title:     "A subscription to a folder covers resources created later",
			story:     "Bruno creates Momentum 14 in Equities; its id is chosen inside the transaction.",
			recording: recording{tenant: aurora, actor: bruno, signal: "Momentum 14", action: "signal.created"},
			do: func(ctx context.Context, a actors, r recording) (outcome, error) {
				return a.service.createSignal(ctx, r, equities)
			},
			recipients: reasons{ada: delegator, scout: subscribed},
			others:     map[string]Why{bruno: Actor, eva: Muted, farid: Unsubscribed, gus: Inactive},
		},
		{
			title:     "A transaction that rolls back notifies no one",
			story:     "Ines changes Momentum 12 and records it; then a constraint refuses a lookback of 1000 days.",
			recording: update,
			do: func(ctx context.Context, a actors, r recording) (outcome, error) {
				return a.service.failHalfway(ctx, r)
			},
			rolledBack: true,
		},
		{
			title:      "Tenants are isolated",
			story:      "Borealis also has a Momentum 12, an Ada and a Bruno: the same names and even the same ids.",
			recording:  recording{tenant: borealis, actor: bruno, signal: momentum, action: "resource.updated"},
			do:         setLookback(30),
			recipients: reasons{ada: delegator, noor: subscribed},
			others:     map[string]Why{bruno: Actor},
		},
		{
			title:     "The API isolates tenants, too",
			story:     "Ada of Borealis requests what Ada of Aurora, who has the same id, has received.",
			recording: recording{tenant: aurora, actor: ada},
			do:        readOtherTenant,
		},
		{
			title:     "Any language can record activities",
			story:     "ledger-sync calls the SQL function record_activity, as a role with no other permission.",
			recording: recording{tenant: aurora, actor: ledger, signal: momentum, action: "promotion.requested"},
			do: func(ctx context.Context, a actors, r recording) (outcome, error) {
				out, err := a.ledger.record(ctx, r)
				return out, errors.Join(err, a.ledger.checkCannotRead(ctx))
			},
			recipients: reasons{ada: delegator, ines: owner, bruno: subscribed, chen: subscribed},
			others:     merge(never, map[string]Why{scout: Filtered}),
			shared:     resource,
		},
		{
			title:     "A retry is recorded once",
			story:     "Scout reports a run, gets no response, and reports it again with the same correlation id.",
			recording: retried,
			do: func(ctx context.Context, a actors, r recording) (outcome, error) {
				out, err := a.service.finishRun(ctx, r)
				if err != nil {
					return outcome{}, err
				}
				again, err := a.service.finishRun(ctx, r)
				if err == nil && again.activityID != out.activityID {
					err = errors.New("the retry was recorded as a second activity")
				}
				return out, err
			},
			recipients: reasons{ada: delegator, chen: subscribed},
			others:     merge(never, map[string]Why{scout: Actor, ines: Filtered, bruno: Filtered}),
			shared:     resource,
		},
		{
			title:     "Preferences select what a person receives",
			story:     "Bruno sets his preference to run.* in the API; Scout finishes another run.",
			recording: run,
			do: func(ctx context.Context, a actors, r recording) (outcome, error) {
				if err := setPatterns(ctx, a.requests, aurora, bruno, "run.*"); err != nil {
					return outcome{}, err
				}
				return a.service.finishRun(ctx, r)
			},
			recipients: reasons{ada: delegator, chen: subscribed, bruno: subscribed},
			others:     merge(never, map[string]Why{scout: Actor, ines: Filtered}),
			shared:     resource,
		},
		{
			title:      "They also exclude what a person received before",
			story:      "Ines changes the lookback as in the first scene, in which Bruno was a recipient.",
			recording:  update,
			do:         setLookback(45),
			recipients: reasons{ada: delegator, scout: subscribed},
			others:     merge(never, map[string]Why{ines: Actor, chen: Filtered, bruno: Filtered}),
			shared:     resource,
		},
		{
			title:      "A role permits a subscription",
			story:      "Farid, a viewer of Research, subscribes to Carry 3. Fanfare records a private activity.",
			recording:  recording{tenant: aurora, actor: farid, signal: carry, action: "subscription.created"},
			do:         subscribe,
			recipients: reasons{ada: delegator},
			others:     map[string]Why{farid: Actor, ines: Filtered},
		},
		{
			title:      "It applies from the next activity on",
			story:      "Ines sets the lookback of Carry 3.",
			recording:  recording{tenant: aurora, actor: ines, signal: carry, action: "resource.updated"},
			do:         setLookback(40),
			recipients: reasons{ada: delegator, farid: subscribed},
			others:     map[string]Why{ines: Actor},
		},
		{
			title:     "The inbox keeps notifications and a live unread count",
			story:     "Ada lists her inbox and marks it as read; her open clients receive the new count.",
			recording: recording{tenant: aurora, actor: ada},
			do:        listInbox,
			unread:    map[string]int{ada: 0},
		},
		{
			title:      "A private activity is for owners and delegators",
			story:      "Ines changes the lookback privately: no subscriber and no shared channel receives it.",
			recording:  private,
			do:         setLookback(50),
			recipients: reasons{ada: delegator},
			others: map[string]Why{
				ines: Actor, bruno: PrivateTo, chen: PrivateTo, scout: PrivateTo, dilan: PrivateTo, hana: PrivateTo,
				eva: Muted, farid: Unsubscribed, gus: Inactive,
			},
		},
		{
			title:      "A target is notified regardless of preferences",
			story:      "Ada mentions Chen in a note. His patterns do not include notes.",
			recording:  recording{tenant: aurora, actor: ada, signal: momentum, action: "note.added", target: chen},
			do:         addNote("@Chen: is this decay real?"),
			recipients: reasons{chen: subscribed | target},
			others:     merge(never, map[string]Why{ada: Actor, ines: Filtered, bruno: Filtered, scout: Filtered}),
			shared:     resource,
		},
		{
			title:     "A muted target finds it in the inbox",
			story:     "Ada requests a review from Eva, who has muted everything.",
			recording: recording{tenant: aurora, actor: ada, signal: momentum, action: "review.requested", target: eva},
			do:        addNote("@Eva: your review, please"),
			inboxOnly: reasons{eva: delegator | target},
			others: map[string]Why{
				ada: Actor, ines: Filtered, bruno: Filtered, scout: Filtered, chen: Filtered,
				dilan: LostRole, hana: NoRole, farid: Unsubscribed, gus: Inactive,
			},
			shared: resource,
		},
		{
			title:     "Permissions are checked at delivery",
			story:     "Chen loses his role on Equities and keeps his subscription; Scout finishes another run.",
			recording: run,
			do: func(ctx context.Context, a actors, r recording) (outcome, error) {
				if err := a.service.revokeRoles(ctx, aurora, chen, equities); err != nil {
					return outcome{}, err
				}
				return a.service.finishRun(ctx, r)
			},
			recipients: reasons{ada: delegator, bruno: subscribed},
			others:     merge(never, map[string]Why{scout: Actor, ines: Filtered, chen: LostRole}),
			shared:     resource,
		},
		{
			title: "Visibility can include the scope",
			story: "Ada approves the promotion, visible to all roles in Equities. Hana's is on US Prices.",
			recording: recording{
				tenant: aurora, actor: ada, signal: momentum, action: "promotion.approved",
				visibility: activity.ScopeWide,
			},
			do: func(ctx context.Context, a actors, r recording) (outcome, error) {
				return a.service.setStage(ctx, r, "production")
			},
			recipients: reasons{ines: owner, hana: subscribed},
			others: map[string]Why{
				ada: Actor, bruno: Filtered, scout: Filtered, chen: LostRole, dilan: LostRole,
				eva: Muted, farid: Unsubscribed, gus: Inactive,
			},
			shared: resource,
		},
		{
			title: "Or the tenant, with its activity stream",
			story: "ledger-sync transfers Momentum 12 to another book, visible to every subscriber of the tenant.",
			recording: recording{
				tenant: aurora, actor: ledger, signal: momentum, action: "transfer.completed",
				visibility: activity.TenantVisible,
				channels:   []string{activity.ToUser, activity.ToResource, activity.ToTenant},
			},
			do: func(ctx context.Context, a actors, r recording) (outcome, error) {
				return a.ledger.record(ctx, r)
			},
			recipients: reasons{ada: delegator, ines: owner, dilan: subscribed, hana: subscribed},
			others: map[string]Why{
				bruno: Filtered, scout: Filtered, chen: Filtered, eva: Muted, farid: Unsubscribed, gus: Inactive,
			},
			shared: []string{activity.ToResource, activity.ToTenant},
		},
		{
			title:     "Ignoring a resource beats owning it",
			story:     "Ines, who owns Carry 3, sets its level to ignore in the API; Ada sets its lookback.",
			recording: recording{tenant: aurora, actor: ada, signal: carry, action: "resource.updated"},
			do: func(ctx context.Context, a actors, r recording) (outcome, error) {
				if err := setLevel(ctx, a.requests, aurora, ines, carry, preferences.LevelIgnore); err != nil {
					return outcome{}, err
				}
				return a.service.setLookback(ctx, r, 25)
			},
			recipients: reasons{farid: subscribed},
			others:     map[string]Why{ada: Actor, ines: Ignored},
		},
		{
			title:     "The API explains every decision",
			story:     "Ines asks why she was not notified; Noor of Borealis asks for the same activity.",
			recording: recording{tenant: aurora, actor: ines},
			do:        explainIgnored,
		},
		{
			title:      "What a group follows, its members follow",
			story:      "The Macro desk may see Rates and is subscribed to Curve 7. Lena is a member of it.",
			recording:  recording{tenant: aurora, actor: ada, signal: curve, action: "resource.updated"},
			do:         setLookback(35),
			recipients: reasons{ines: owner, lena: subscribed},
			others:     map[string]Why{ada: Actor},
		},
		{
			title:     "Watchers of a deleted resource are notified",
			story:     "Ada deletes Momentum 12 and its resource in the transaction that records the activity.",
			recording: recording{tenant: aurora, actor: ada, signal: momentum, action: "resource.deleted"},
			do: func(ctx context.Context, a actors, r recording) (outcome, error) {
				return a.service.deleteSignal(ctx, r)
			},
			recipients: reasons{ines: owner, scout: subscribed},
			others:     merge(never, map[string]Why{ada: Actor, bruno: Filtered, chen: LostRole}),
			shared:     resource,
		},
	}
}

func setLookback(days int) func(context.Context, actors, recording) (outcome, error) {
	return func(ctx context.Context, a actors, r recording) (outcome, error) {
		return a.service.setLookback(ctx, r, days)
	}
}

func addNote(body string) func(context.Context, actors, recording) (outcome, error) {
	return func(ctx context.Context, a actors, r recording) (outcome, error) {
		return a.service.addNote(ctx, r, body)
	}
}

// merge returns the union of two maps.
func merge(a, b map[string]Why) map[string]Why {
	union := maps.Clone(a)
	maps.Copy(union, b)
	return union
}
