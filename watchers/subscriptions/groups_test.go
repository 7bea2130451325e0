package subscriptions_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/directorytest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/watchers/subscriptions"
)

// TestSubscribeAGroup subscribes groups as their resource's owner, delegator and viewer.
func TestSubscribeAGroup(t *testing.T) {
	t.Parallel()
	d := directorytest.New(t, pgtest.New(t))
	withMembers, byKind := uuid.New(), uuid.New()
	d.Exec(t, `INSERT INTO fanfare.memberships (tenant_id, group_id, principal_id) VALUES ($1, $2, $3)`,
		d.ID, withMembers, d.Neighbour)
	d.Exec(t, `INSERT INTO fanfare.principals (tenant_id, id, kind) VALUES ($1, $2, 'group')`, d.ID, byKind)
	tx := d.Begin(t)
	of := func(group uuid.UUID) subscriptions.SubscribeRequest {
		return subscriptions.SubscribeRequest{ResourceID: d.Doc, GroupID: group}
	}
	for _, tt := range []struct {
		name      string
		principal uuid.UUID
		group     uuid.UUID
		err       error
	}{
		{"by the owner", d.Owner, withMembers, nil},
		{"by a delegator", d.Delegator, byKind, nil},
		{"by a viewer", d.Viewer, withMembers, activity.ErrNotFound},
		{"by a member of the group", d.Neighbour, withMembers, activity.ErrNotFound},
		{"by a stranger", d.Stranger, withMembers, activity.ErrNotFound},
		{"of another person", d.Owner, d.Viewer, activity.ErrNotFound},
		{"of an unknown group", d.Owner, uuid.New(), activity.ErrNotFound},
		{"of oneself", d.Viewer, d.Viewer, nil},
	} {
		s, created, err := subscriptions.Subscribe(t.Context(), tx, d.Principal(tt.principal), of(tt.group))
		if !errors.Is(err, tt.err) || (err == nil) != created || err == nil && s.PrincipalID != tt.group {
			t.Errorf("%s: got %+v, created %t, %v, want %v", tt.name, s, created, err, tt.err)
		}
	}

	results, err := subscriptions.SubscribeMany(t.Context(), tx, d.Principal(d.Owner),
		[]subscriptions.SubscribeRequest{of(withMembers), of(uuid.Nil), of(byKind), of(d.Owner), of(uuid.New())})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		subscriber uuid.UUID
		created    bool
	}{{withMembers, false}, {d.Owner, true}, {byKind, false}, {d.Owner, false}, {uuid.Nil, false}} {
		if got := results[i]; got.PrincipalID != want.subscriber || got.Created != want.created ||
			(got.Err == nil) != (want.subscriber != uuid.Nil) {
			t.Errorf("result %d: got %+v, want %+v", i, got, want)
		}
	}

	id := results[0].ID
	for name, principal := range map[string]uuid.UUID{
		"a viewer": d.Viewer, "a member": d.Neighbour, "a stranger": d.Stranger, "an unknown principal": uuid.New(),
	} {
		_, _, err := subscriptions.Unsubscribe(t.Context(), tx, d.Principal(principal), id)
		if !errors.Is(err, activity.ErrNotFound) {
			t.Errorf("revoked by %s: got %v, want ErrNotFound", name, err)
		}
	}
	own := results[1].ID
	if _, _, err := subscriptions.Unsubscribe(t.Context(), tx, d.Principal(d.Delegator), own); !errors.Is(
		err, activity.ErrNotFound) {
		t.Errorf("a person's, revoked by a delegator: got %v, want ErrNotFound", err)
	}
	for _, want := range []bool{true, false} {
		s, revoked, err := subscriptions.Unsubscribe(t.Context(), tx, d.Principal(d.Delegator), id)
		if err != nil || revoked != want || s.PrincipalID != withMembers {
			t.Errorf("revoked by a delegator: got %+v, %t, %v, want %t", s, revoked, err, want)
		}
	}
}
