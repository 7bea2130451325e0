// Package subscriptionlog creates and revokes subscriptions, and records each change in the
// activity log in the same transaction.
package subscriptionlog

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/actions/builtin"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/watchers/directory"
	"github.com/fanfarehq/fanfare/watchers/subscriptions"
)

// Caller is the principal that subscribes or unsubscribes, and the actor of what is recorded.
type Caller struct {
	activity.Principal
	UserAgent string
}

// errNothingToRecord rolls back the transaction of a subscription that already exists or is already
// revoked.
var errNothingToRecord = errors.New("nothing to record")

// Subscribe creates a subscription as subscriptions.Subscribe does. It records a new one as
// subscription.created.
func Subscribe(ctx context.Context, db pg.Beginner, by Caller, request subscriptions.SubscribeRequest) (
	s subscriptions.Subscription, created bool, err error,
) {
	_, _, err = outbox.TxActivity(ctx, db, activity.Envelope{},
		func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) (_ struct{}, err error) {
			if s, created, err = subscriptions.Subscribe(ctx, tx, by.Principal, request); err != nil {
				return struct{}{}, err
			}
			if !created {
				return struct{}{}, errNothingToRecord
			}
			types, err := directory.ResourceTypes(ctx, tx, by.TenantID, []uuid.UUID{s.ResourceID})
			*e = by.created(s, types)
			return struct{}{}, err
		})
	if err != nil && !errors.Is(err, errNothingToRecord) {
		return subscriptions.Subscription{}, false, err
	}
	return s, created, nil
}

// SubscribeMany creates subscriptions as subscriptions.SubscribeMany does. It records the new ones
// as subscription.created.
func SubscribeMany(
	ctx context.Context, db pg.Beginner, by Caller, requests []subscriptions.SubscribeRequest,
) (results []subscriptions.SubscribeResult, err error) {
	err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) (err error) {
		if results, err = subscriptions.SubscribeMany(ctx, tx, by.Principal, requests); err != nil {
			return err
		}
		return by.recordCreated(ctx, tx, results)
	})
	if err != nil {
		return nil, fmt.Errorf("subscribe to many: %w", err)
	}
	return results, nil
}

// Unsubscribe revokes a subscription as subscriptions.Unsubscribe does, and reports whether it was
// active. It records the revocation of an active one as subscription.revoked.
func Unsubscribe(ctx context.Context, db pg.Beginner, by Caller, id uuid.UUID) (revoked bool, err error) {
	_, _, err = outbox.TxActivity(ctx, db, activity.Envelope{},
		func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) (_ struct{}, err error) {
			var s subscriptions.Subscription
			if s, revoked, err = subscriptions.Unsubscribe(ctx, tx, by.Principal, id); err != nil {
				return struct{}{}, err
			}
			if !revoked {
				return struct{}{}, errNothingToRecord
			}
			types, err := directory.ResourceTypes(ctx, tx, by.TenantID, []uuid.UUID{s.ResourceID})
			*e = by.revoked(s, types)
			return struct{}{}, err
		})
	if err != nil && !errors.Is(err, errNothingToRecord) {
		return false, err
	}
	return revoked, nil
}

// recordCreated records the subscriptions that were created.
func (by Caller) recordCreated(ctx context.Context, tx pgx.Tx, results []subscriptions.SubscribeResult) error {
	var created []subscriptions.Subscription
	var resources []uuid.UUID
	for _, r := range results {
		if r.Err == nil && r.Created {
			created, resources = append(created, r.Subscription), append(resources, r.ResourceID)
		}
	}
	if len(created) == 0 {
		return nil
	}
	types, err := directory.ResourceTypes(ctx, tx, by.TenantID, resources)
	if err != nil {
		return err
	}
	envelopes := make([]activity.Envelope, len(created))
	for i, s := range created {
		envelopes[i] = by.created(s, types)
	}
	_, err = outbox.RecordMany(ctx, tx, envelopes)
	return err
}

func (by Caller) created(s subscriptions.Subscription, types map[uuid.UUID]string) activity.Envelope {
	p := builtin.SubscriptionCreated{SubscriptionID: s.ID, Scope: s.Scope, GroupID: by.group(s)}
	return by.complete(p.On(by.TenantID, s.ResourceID), s, types)
}

func (by Caller) revoked(s subscriptions.Subscription, types map[uuid.UUID]string) activity.Envelope {
	p := builtin.SubscriptionRevoked{SubscriptionID: s.ID, Scope: s.Scope, GroupID: by.group(s)}
	return by.complete(p.On(by.TenantID, s.ResourceID), s, types)
}

// group returns the group that is subscribed, or uuid.Nil for the caller itself.
func (by Caller) group(s subscriptions.Subscription) uuid.UUID {
	if s.PrincipalID == by.PrincipalID {
		return uuid.Nil
	}
	return s.PrincipalID
}

// unknownType is the type of a resource that the directory does not contain.
const unknownType = "resource"

// complete completes the envelope of an activity about a subscription. The subscription's id is the
// correlation id of its creation and its revocation.
func (by Caller) complete(
	e activity.Envelope, s subscriptions.Subscription, types map[uuid.UUID]string,
) activity.Envelope {
	e.ActorPrincipalID, e.UserAgent = by.PrincipalID, by.UserAgent
	e.Visibility, e.Category = activity.Private, "subscription"
	e.CorrelationID, e.ResourceType = s.ID, cmp.Or(types[s.ResourceID], unknownType)
	return e
}
