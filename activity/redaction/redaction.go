// Package redaction erases the contents of activities on request, for a principal who asks to be
// forgotten. The activities themselves stay in the log.
package redaction

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
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// The bounds of a request.
const (
	MaxIDs    = 10_000 // of Request.IDs
	MaxReason = 500    // characters of Request.Reason
	batchSize = activity.MaxPage
)

// Request selects the activities of a tenant to redact: either those with one of the IDs, or those
// that match every given field of Actor, Target, Resource, Since and Until. Without IDs, one of
// Actor, Target and Resource is required.
type Request struct {
	Tenant uuid.UUID
	IDs    []uuid.UUID

	Actor    uuid.UUID
	Target   uuid.UUID
	Resource uuid.UUID
	Since    time.Time // recorded at this time or later
	Until    time.Time // recorded before this time

	By                uuid.UUID // the principal who redacts; default the actor of the context, then activity.System
	Reason            string    // required; it is recorded
	KeepResourceNames bool
	OverrideHolds     bool // also redact activities under a legal hold
	DryRun            bool // count only

	Progress func(Result) // called after each batch; may be nil
}

// Result counts the activities of a request by outcome.
type Result struct {
	Run      uuid.UUID `json:"run_id"`   // the correlation id of the activities that record the redaction
	Redacted int       `json:"redacted"` // in a dry run, the number that would be redacted
	Held     int       `json:"held"`     // kept because of a legal hold
	Already  int       `json:"already"`  // redacted earlier
}

// Validate returns an *invalid.Error that names every field which violates a rule, or nil.
func (r Request) Validate() error {
	var fields []invalid.Field
	refuse := func(name, value, rule string) {
		fields = append(fields, invalid.Field{Name: name, Value: value, Rule: rule})
	}
	if r.Tenant == uuid.Nil {
		refuse("tenant", "", "is required")
	}
	switch length := utf8.RuneCountInString(r.Reason); {
	case strings.TrimSpace(r.Reason) == "":
		refuse("reason", "", "is required")
	case !utf8.ValidString(r.Reason) || strings.Contains(r.Reason, "\x00"):
		refuse("reason", "", "must be valid UTF-8 without NUL")
	case length > MaxReason:
		refuse("reason", fmt.Sprint(length, " characters"), fmt.Sprintf("must be at most %d characters", MaxReason))
	}
	criteria := r.Actor != uuid.Nil || r.Target != uuid.Nil || r.Resource != uuid.Nil
	switch {
	case len(r.IDs) > MaxIDs:
		refuse("ids", fmt.Sprint(len(r.IDs), " ids"), fmt.Sprintf("must be at most %d", MaxIDs))
	case len(r.IDs) > 0 && (criteria || !r.Since.IsZero() || !r.Until.IsZero()):
		refuse("ids", "", "must not be given together with actor, target, resource, since or until")
	case len(r.IDs) == 0 && !criteria:
		refuse("ids", "", "must be given, or an actor, a target or a resource")
	}
	if filterErr, ok := errors.AsType[*invalid.Error](r.filter().Validate()); ok {
		fields = append(fields, filterErr.Fields...)
	}
	if len(fields) > 0 {
		return &invalid.Error{Subject: "redaction", Fields: fields}
	}
	return nil
}

func (r Request) filter() activity.Filter {
	return activity.Filter{Actor: r.Actor, Target: r.Target, Resource: r.Resource, Since: r.Since, Until: r.Until}
}

// DB is a *pgxpool.Pool or a *pgx.Conn of a role that may read the log and execute
// fanfare.redact_activities. In a pgx.Tx, everything is redacted or nothing.
type DB interface {
	pg.Batcher
	pg.RowQuerier
}

// Redact replaces the payload of the requested activities by {"redacted": true, "redaction": id}
// and clears their message, user agent, IP hash, warning and, unless they are kept, resource names.
// Their ids, action, times, status and the other fields stay. Activities that have not been
// delivered yet are delivered redacted.
//
// Redact works in batches. Each batch is a transaction that also records the redaction, as an
// activity "activity.redacted" whose resource id is the one in the payloads. After an error the
// result counts the completed batches, and the same request resumes the redaction. Activities that
// are recorded while Redact runs may be left out.
//
// The error is an *invalid.Error if the request is invalid.
func Redact(ctx context.Context, db DB, r Request) (result Result, err error) {
	if err := r.Validate(); err != nil {
		return Result{}, err
	}
	if actor, ok := activity.ActorFrom(ctx); ok {
		r.By = cmp.Or(r.By, actor)
	}
	r.By = cmp.Or(r.By, activity.System)
	if result.Run, err = uuid.NewV7(); err != nil {
		return Result{}, err
	}
	if len(r.IDs) > 0 {
		ids := slices.SortedFunc(slices.Values(r.IDs), func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
		for batch := range slices.Chunk(slices.Compact(ids), batchSize) {
			if err := r.redactBatch(ctx, db, batch, &result); err != nil {
				return result, err
			}
		}
		return result, nil
	}
	log := pglog.New(db)
	for page, more := (activity.Page{Limit: batchSize}), true; more; more = page.Before != uuid.Nil {
		headers, next, err := log.ListHeaders(ctx, r.Tenant, r.filter(), page)
		if err != nil {
			return result, err
		}
		ids := make([]uuid.UUID, len(headers))
		for i := range headers {
			ids[i] = headers[i].ID
		}
		if err := r.redactBatch(ctx, db, ids, &result); err != nil {
			return result, err
		}
		page.Before = next
	}
	return result, nil
}

// redactBatch redacts a batch and adds its counts to the result.
func (r Request) redactBatch(ctx context.Context, db DB, ids []uuid.UUID, result *Result) error {
	if len(ids) == 0 {
		return nil
	}
	criteria, err := json.Marshal(r.criteria())
	if err != nil {
		return err
	}
	var batch Result
	if err := db.QueryRow(ctx, `
		SELECT redacted, held, already
		FROM fanfare.redact_activities($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		r.Tenant, pg.UUIDs(ids), r.By, r.Reason, result.Run, string(criteria),
		r.KeepResourceNames, r.OverrideHolds, r.DryRun,
	).Scan(&batch.Redacted, &batch.Held, &batch.Already); err != nil {
		return fmt.Errorf("redact activities: %w", err)
	}
	result.Redacted += batch.Redacted
	result.Held += batch.Held
	result.Already += batch.Already
	if r.Progress != nil {
		r.Progress(*result)
	}
	return nil
}

// criteria returns the selection as the redaction's record describes it.
func (r Request) criteria() any {
	return struct {
		IDs      int       `json:"ids,omitzero"` // their number: the redacted activities refer to the record
		Actor    uuid.UUID `json:"actor,omitzero"`
		Target   uuid.UUID `json:"target,omitzero"`
		Resource uuid.UUID `json:"resource,omitzero"`
		Since    time.Time `json:"since,omitzero"`
		Until    time.Time `json:"until,omitzero"`
	}{len(r.IDs), r.Actor, r.Target, r.Resource, r.Since, r.Until}
}
