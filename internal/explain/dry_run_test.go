package explain_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/directorytest"
	"github.com/fanfarehq/fanfare/internal/explain"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/preferences"
)

// draftOf returns a draft that outbox.Record records.
func draftOf(e activity.Envelope, recordable bool) explain.Draft {
	return explain.Draft{
		ResourceID: e.ResourceID, Recordable: recordable,
		Record: func(ctx context.Context, tx pgx.Tx) (uuid.UUID, bool, error) {
			r, err := outbox.Record(ctx, tx, e)
			return r.ID, r.Created, err
		},
	}
}

func newExplainer(t *testing.T, d *directorytest.Tenant) *explain.Explainer {
	t.Helper()
	channels, err := centrifugo.ParseFormats(centrifugo.Formats{Resource: "things:{tenant}.{resource}"})
	if err != nil {
		t.Fatal(err)
	}
	return &explain.Explainer{DB: d.DB.Pool, Filter: preferences.NewFilter(nil), Channels: channels, Stream: true}
}

// TestDryRun checks who may ask, what the answer is, and that nothing is recorded.
func TestDryRun(t *testing.T) {
	t.Parallel()
	d := directorytest.New(t, pgtest.New(t))
	x := newExplainer(t, d)
	valid := activity.Envelope{
		TenantID: d.ID, ActorPrincipalID: d.Stranger, ResourceID: d.Doc, ResourceType: "doc", Action: "doc.updated",
		CorrelationID: uuid.New(),
	}
	with := func(change func(e *activity.Envelope)) activity.Envelope {
		e := valid
		change(&e)
		return e
	}
	unknown := with(func(e *activity.Envelope) { e.ResourceID, e.OwnerID, e.ParentID = uuid.New(), d.Viewer, d.Team })
	operator := explain.Asker{Principal: d.Principal(d.Stranger), Operator: true}
	as := func(id uuid.UUID) explain.Asker { return explain.Asker{Principal: d.Principal(id)} }
	shared := []string{"things:" + d.ID.String() + "." + d.Doc.String(), "tenant:" + d.ID.String()}
	for _, test := range []struct {
		name     string
		by       explain.Asker
		draft    explain.Draft
		err      error
		notified []uuid.UUID // nil: no audience
	}{
		{"the owner", as(d.Owner), draftOf(valid, false), nil, []uuid.UUID{d.Owner, d.Delegator}},
		{"a delegator", as(d.Delegator), draftOf(valid, false), nil, []uuid.UUID{d.Owner, d.Delegator}},
		{"an operator", operator, draftOf(valid, false), nil, []uuid.UUID{d.Owner, d.Delegator}},
		{"a viewer", as(d.Viewer), draftOf(valid, false), activity.ErrNotFound, nil},
		{"an inactive delegator", as(d.Inactive), draftOf(valid, false), activity.ErrNotFound, nil},
		{"a viewer who may record", as(d.Viewer), draftOf(valid, true), nil, nil},
		{"the owner that only the envelope names", as(d.Viewer), draftOf(unknown, false), activity.ErrNotFound, nil},
		{"a viewer, of an invalid one", as(d.Viewer), draftOf(with(func(e *activity.Envelope) {
			e.Action = "?"
		}), false), activity.ErrNotFound, nil},
	} {
		got, err := x.DryRun(t.Context(), test.by, test.draft, explain.Page{})
		if !errors.Is(err, test.err) || (got.Audience != nil) != (test.notified != nil) {
			t.Errorf("%s: got %+v, %v, want %v", test.name, got, err, test.err)
			continue
		}
		if err == nil && !slices.Equal(got.Channels, shared) {
			t.Errorf("%s: got channels %q, want %q", test.name, got.Channels, shared)
		}
		var notified []uuid.UUID
		if got.Audience != nil {
			for _, m := range got.Audience.Members {
				if m.Now.Notified && m.Then == nil {
					notified = append(notified, m.PrincipalID)
				}
			}
		}
		if len(notified) != len(test.notified) ||
			len(notified) == 2 && (!slices.Contains(notified, d.Owner) || notified[0] == notified[1]) {
			t.Errorf("%s: got %v notified, want %v", test.name, notified, test.notified)
		}
	}
	wrong := with(func(e *activity.Envelope) { e.Action = "?" })
	_, err := x.DryRun(t.Context(), as(d.Owner), draftOf(wrong, false), explain.Page{})
	if refused, ok := errors.AsType[*invalid.Error](err); !ok || refused.Fields[0].Name != "action" {
		t.Errorf("got %v, want the action refused", err)
	}
	private := with(func(e *activity.Envelope) { e.Visibility = activity.Private })
	if got, err := x.DryRun(t.Context(), operator, draftOf(private, false), explain.Page{}); err != nil ||
		len(got.Channels) != 0 {
		t.Errorf("private: got %+v, %v, want no channel", got, err)
	}
	undeliverable := with(func(e *activity.Envelope) {
		e.DeliveryChannels = []string{"things:" + d.ID.String() + ".x"}
	})
	if got, err := x.DryRun(t.Context(), operator, draftOf(undeliverable, false), explain.Page{}); err != nil ||
		got.Undeliverable == "" {
		t.Errorf("a channel of another resource: got %+v, %v, want it undeliverable", got, err)
	}
	var rows int
	err = d.DB.Pool.QueryRow(t.Context(), `
		SELECT (SELECT count(*) FROM fanfare.activities) + (SELECT count(*) FROM fanfare.outbox)
		     + (SELECT count(*) FROM fanfare.idempotency_keys)`).Scan(&rows)
	if err != nil || rows != 0 {
		t.Errorf("got %d rows, %v, want none", rows, err)
	}
	var recorded outbox.Recorded
	err = pgx.BeginFunc(t.Context(), d.DB.Pool, func(tx pgx.Tx) (err error) {
		recorded, err = outbox.Record(t.Context(), tx, valid)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := x.DryRun(t.Context(), operator, draftOf(valid, false), explain.Page{})
	if err != nil || got.Existing != recorded.ID || got.Audience != nil {
		t.Errorf("a duplicate: got %+v, %v, want %s", got, err, recorded.ID)
	}
}
