package randomworld

import (
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/acceptance/oracle"
)

// Activity returns a random activity as an envelope, and as the oracle needs it after the envelope
// is recorded; its ID is zero.
func (w *World) Activity() (activity.Envelope, oracle.Activity) {
	e := activity.Envelope{
		TenantID:         w.ID,
		ActorPrincipalID: w.holder(),
		ResourceID:       w.resource(),
		ResourceType:     "signal",
		Action: pick(w.random, []string{
			"signal.created", "signal.checked", "signal.updated", "comment.added", "alarm.raised",
			"resource.viewed", "resource.updated", "transfer.requested",
		}),
		Visibility: pick(w.random, []activity.Visibility{
			activity.Private, activity.ResourceWide, activity.ResourceWide, activity.ScopeWide, activity.TenantVisible,
		}),
	}
	if w.chance(3) {
		e.OwnerID = w.holder()
	}
	if w.chance(3) {
		e.ParentID = w.resource()
	}
	if w.chance(3) {
		for range 1 + w.random.IntN(4) {
			e.TargetPrincipalIDs = append(e.TargetPrincipalIDs, w.holder())
		}
		if w.chance(2) {
			e.TargetPrincipalID = w.principal()
		}
	}
	a := oracle.Activity{
		Resource: e.ResourceID, Actor: e.ActorPrincipalID, Owner: e.OwnerID, Parent: e.ParentID,
		Targets: append([]uuid.UUID{e.TargetPrincipalID}, e.TargetPrincipalIDs...),
		Action:  e.Action, Visibility: string(e.Visibility),
	}
	// The directory completes the envelope when it is recorded.
	if r, exists := w.Model.Resources[a.Resource]; exists {
		if a.Owner == uuid.Nil {
			a.Owner = r.Owner
		}
		if a.Parent == uuid.Nil {
			a.Parent = r.Parent
		}
	}
	return e, a
}

// RemoveResource removes a random resource from the model's directory and returns it. Activities
// about it keep the owner and the parent that were recorded.
func (w *World) RemoveResource() uuid.UUID {
	id := w.resource()
	delete(w.Model.Resources, id)
	return id
}
