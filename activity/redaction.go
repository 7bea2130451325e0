package activity

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// The bounds of a redaction.
const (
	MaxRedactionIDs    = 10_000 // of Redaction.IDs
	MaxRedactionReason = 500    // characters of Redaction.Reason
	redactionBatch     = MaxPage
)

// Redaction says which of a tenant's activities are to lose what they say, for who asks to be
// forgotten: either those that IDs name, or those for which all holds that is given of Actor,
// Target and Resource, of which there must be one, and Since and Until.
type Redaction struct {
	Tenant uuid.UUID
	IDs    []uuid.UUID

	Actor    uuid.UUID // who did it
	Target   uuid.UUID // whom it addressed
	Resource uuid.UUID // what it was done to
	Since    time.Time // recorded then or later
	Until    time.Time // recorded before

	By                uuid.UUID // who redacts; else the context's actor, else System
	Reason            string    // required; it is recorded
	KeepResourceNames bool
	OverrideHolds     bool // redact what a legal hold keeps, too
	DryRun            bool // count, and change nothing

	Progress func(Redacted) // told after each batch; may be nil
}

// Redacted counts what became of a redaction.
type Redacted struct {
	Run      uuid.UUID `json:"run_id"`   // the correlation id of the activities that record it
	Redacted int       `json:"redacted"` // or would be, were it not a dry run
	Held     int       `json:"held"`     // kept by a legal hold
	Already  int       `json:"already"`  // redacted before
}

// Validate returns an *invalid.Error that names every field which breaks a rule, or nil.
func (r Redaction) Validate() error {
	c := checks{}
	c.required("tenant", r.Tenant != uuid.Nil)
	if c.required("reason", strings.TrimSpace(r.Reason) != "") {
		c.length("reason", r.Reason, 1, MaxRedactionReason)
	}
	criteria := r.Actor != uuid.Nil || r.Target != uuid.Nil || r.Resource != uuid.Nil
	switch {
	case len(r.IDs) > MaxRedactionIDs:
		c.refuse("ids", fmt.Sprint(len(r.IDs), " ids"), fmt.Sprintf("must be at most %d", MaxRedactionIDs))
	case len(r.IDs) > 0 && (criteria || !r.Since.IsZero() || !r.Until.IsZero()):
		c.refuse("ids", "", "must not be given together with actor, target, resource, since or until")
	case len(r.IDs) == 0 && !criteria:
		c.refuse("ids", "", "must be given, or an actor, a target or a resource")
	}
	if invalidErr, ok := errors.AsType[*invalid.Error](r.filter().Validate()); ok {
		c.broken = append(c.broken, invalidErr.Fields...)
	}
	if len(c.broken) > 0 {
		return &invalid.Error{Subject: "redaction", Fields: c.broken}
	}
	return nil
}

func (r Redaction) filter() Filter {
	return Filter{Actor: r.Actor, Target: r.Target, Resource: r.Resource, Since: r.Since, Until: r.Until}
}

// RedactionDB is a *pgxpool.Pool or a *pgx.Conn, of a role that may read the log and execute
// fanfare.redact_activities. In a transaction of the caller's everything is redacted at once, or
// nothing.
type RedactionDB interface {
	pg.Batcher
	pg.RowQuerier
}

// Redact replaces the payload of activities by {"redacted": true, "redaction": id}, and clears
// their message, user agent, hash of an address, note on the taxonomy and, unless they are kept,
// names of resources. Ids, action, times, status and the like stay. What is pending goes out
// redacted.
//
// It works in batches. The transaction of each records it, as an activity "activity.redacted" on
// the resource that the payloads name, so that whatever ends it, nothing is redacted and not
// recorded; doing it again goes on where it ended. What is recorded while it runs may stay as it
// is. Its error is an *invalid.Error if the redaction is not one; else the counts tell how far it
// came.
func Redact(ctx context.Context, db RedactionDB, r Redaction) (done Redacted, err error) {
	if err := r.Validate(); err != nil {
		return Redacted{}, err
	}
	if actor, known := ActorFrom(ctx); known {
		r.By = cmp.Or(r.By, actor)
	}
	r.By = cmp.Or(r.By, System)
	if done.Run, err = uuid.NewV7(); err != nil {
		return Redacted{}, err
	}
	if len(r.IDs) > 0 {
		ids := slices.Clone(r.IDs)
		slices.SortFunc(ids, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
		for batch := range slices.Chunk(slices.Compact(ids), redactionBatch) {
			if err := r.redact(ctx, db, batch, &done); err != nil {
				return done, err
			}
		}
		return done, nil
	}
	log := NewPostgresLog(db)
	for page, more := (Page{Limit: redactionBatch}), true; more; more = page.Before != uuid.Nil {
		found, next, err := log.Outlines(ctx, r.Tenant, r.filter(), page)
		if err != nil {
			return done, err
		}
		ids := make([]uuid.UUID, len(found))
		for i := range found {
			ids[i] = found[i].ID
		}
		if err := r.redact(ctx, db, ids, &done); err != nil {
			return done, err
		}
		page.Before = next
	}
	return done, nil
}

// redact redacts a batch and adds to the counts.
func (r Redaction) redact(ctx context.Context, db RedactionDB, ids []uuid.UUID, done *Redacted) error {
	if len(ids) == 0 {
		return nil
	}
	criteria, err := json.Marshal(r.criteria())
	if err != nil {
		return err
	}
	var batch Redacted
	if err := db.QueryRow(ctx, `
		SELECT redacted, held, already
		FROM fanfare.redact_activities($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		r.Tenant, uuids(ids), r.By, r.Reason, done.Run, string(criteria), r.KeepResourceNames, r.OverrideHolds, r.DryRun,
	).Scan(&batch.Redacted, &batch.Held, &batch.Already); err != nil {
		return fmt.Errorf("redact activities: %w", err)
	}
	done.Redacted += batch.Redacted
	done.Held += batch.Held
	done.Already += batch.Already
	if r.Progress != nil {
		r.Progress(*done)
	}
	return nil
}

// criteria is what the record says of them.
func (r Redaction) criteria() any {
	return struct {
		IDs      int       `json:"ids,omitzero"` // how many: the redacted ones name the record
		Actor    uuid.UUID `json:"actor,omitzero"`
		Target   uuid.UUID `json:"target,omitzero"`
		Resource uuid.UUID `json:"resource,omitzero"`
		Since    time.Time `json:"since,omitzero"`
		Until    time.Time `json:"until,omitzero"`
	}{len(r.IDs), r.Actor, r.Target, r.Resource, r.Since, r.Until}
}
