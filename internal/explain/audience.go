package explain

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/fanout"
)

// Page selects part of an audience, which is ordered by principal id.
type Page struct {
	Limit    int       // maximum number of members; DefaultPage if not positive, MaxPage if above it
	After    uuid.UUID // only principals above this id
	Notified *bool     // only those who are notified now, or who are not; nil selects both
}

// The bounds of a page.
const (
	DefaultPage = 50
	MaxPage     = 200
	readBudget  = 5_000 // maximum number of candidates that are read for a page
	firstChunk  = 500   // number of candidates that are read at once with Notified
)

// Audience is a page of an audience.
type Audience struct {
	Members []AudienceMember
	Next    uuid.UUID // Page.After of the next page; uuid.Nil after the last
}

// Audience explains an activity with regard to all its candidates. A page may have fewer members
// than its limit, even none, and still have a Next. The error is activity.ErrNotFound if the asker
// may not ask about others.
func (x *Explainer) Audience(ctx context.Context, by Asker, id uuid.UUID, p Page) (Audience, error) {
	a, err := x.permitted(ctx, by, id, uuid.Nil)
	if err != nil {
		return Audience{}, err
	}
	var page Audience
	var found *findings
	err = x.snapshot(ctx, func(tx pgx.Tx) (err error) {
		found, page.Next, err = x.find(ctx, tx, &a, true, p)
		return err
	})
	if err != nil {
		return Audience{}, fmt.Errorf("explain activity %s: %w", id, err)
	}
	page.Members, err = x.members(ctx, by, found)
	return page, err
}

// find finds what is known of the candidates of a page.
func (x *Explainer) find(
	ctx context.Context,
	tx pgx.Tx,
	a *activity.Activity,
	recorded bool,
	p Page,
) (found *findings, next uuid.UUID, err error) {
	limit := DefaultPage
	if p.Limit > 0 {
		limit = min(p.Limit, MaxPage)
	}
	chunk := limit
	if p.Notified != nil {
		chunk = max(limit, firstChunk)
	}
	after, more := p.After, true
	for budget := readBudget; more && budget > 0 && (found == nil || len(found.principals) < limit); budget -= chunk {
		var part *findings
		if part, more, err = resolve(ctx, tx, a, after, chunk); err != nil {
			return nil, uuid.Nil, err
		}
		if found == nil {
			found = &findings{activity: a, recorded: recorded, tenant: part.tenant, candidates: part.candidates}
		}
		for i, id := range part.principals {
			after = id
			if x.selects(part, id, p.Notified) {
				found.principals, found.candidates[id] = append(found.principals, id), part.candidates[id]
			}
			if len(found.principals) == limit {
				more = more || i < len(part.principals)-1
				break
			}
		}
	}
	if more {
		next = after
	}
	return found, next, found.complete(ctx, tx)
}

// selects reports whether a page contains a candidate.
func (x *Explainer) selects(found *findings, principal uuid.UUID, notified *bool) bool {
	d := x.facts(found, principal).decision
	return d.Rule != fanout.RuleNone && (notified == nil || *notified == d.Notified)
}

// members describes the principals that were found, as far as the asker may see it.
func (x *Explainer) members(ctx context.Context, by Asker, found *findings) ([]AudienceMember, error) {
	seen, err := x.lookAt(ctx, by, found)
	if err != nil {
		return nil, err
	}
	members := make([]AudienceMember, len(found.principals))
	for i, id := range found.principals {
		f := x.facts(found, id)
		f.brief = true
		members[i] = member(found, seen, f)
	}
	return members, nil
}
