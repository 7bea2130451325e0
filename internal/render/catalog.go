// Package render renders activities as events, with the texts of the applied taxonomy.
//
// It is the only renderer: a publication, an entry of a feed and an entry of a tenant stream are
// the same event for the same activity, directory and taxonomy.
package render

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/activity/taxonomy/template"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// Catalog renders events with the texts that Set received last. A nil Catalog renders the defaults,
// as does one before the first Set. It is safe for concurrent use; the zero value works.
type Catalog struct {
	texts atomic.Pointer[map[string]*texts] // by action; a stored map is never modified
}

// texts are those of one action. A zero field selects the default.
type texts struct {
	title, summary template.Template
	icon, category string
}

// Set replaces the texts of all actions. A title or a summary that is not a valid template is left
// out; the error lists them, and all other texts apply.
func (c *Catalog) Set(actions []taxonomy.Action) error {
	var errs []error
	parse := func(action, field, text string) template.Template {
		t, err := template.Parse(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s of %s: %w", field, action, err))
		}
		return t
	}
	byAction := make(map[string]*texts, len(actions))
	for _, a := range actions {
		byAction[a.Name] = &texts{
			title:    parse(a.Name, "title", a.Title),
			summary:  parse(a.Name, "summary", a.Summary),
			icon:     a.Icon,
			category: a.Category,
		}
	}
	c.texts.Store(&byAction)
	if len(errs) > 0 {
		return fmt.Errorf("the taxonomy contains invalid templates: %w", errors.Join(errs...))
	}
	return nil
}

// Event renders an activity. The title, summary, icon and category are those of the taxonomy, and
// the defaults where it has none. The message of the activity precedes any other summary, and a
// category that its writer set precedes that of the taxonomy. The zero Actor is one that the
// directory does not contain.
func (c *Catalog) Event(a *activity.Activity, actor directory.Actor) activity.Event {
	e := newEvent(a, actor)
	h := &e.UIHints
	if t := c.lookup(a.Action); t != nil {
		var scratch [256]byte
		if !t.title.IsZero() {
			h.Title = string(t.title.Append(scratch[:0], a, actor.DisplayName))
		}
		if a.Message == "" && !t.summary.IsZero() {
			h.Summary = string(t.summary.Append(scratch[:0], a, actor.DisplayName))
		}
		if t.icon != "" {
			h.Icon = t.icon
		}
		if t.category != "" && a.Category == activity.DefaultCategory(a.Action) {
			h.Category = t.category
		}
	}
	if h.Title == "" {
		h.Title = defaultTitle(a.Action)
	}
	if h.Summary == "" {
		h.Summary = defaultSummary(a, actor.DisplayName)
	}
	return e
}

// lookup returns the texts of an action, or nil if it has none.
func (c *Catalog) lookup(action string) *texts {
	if c == nil {
		return nil
	}
	byAction := c.texts.Load()
	if byAction == nil {
		return nil
	}
	return (*byAction)[action]
}

// Events renders activities in their order, with the names that the directory has for their actors.
// It runs one statement.
func (c *Catalog) Events(
	ctx context.Context,
	db pg.Querier,
	activities []*activity.Activity,
) ([]activity.Event, error) {
	if len(activities) == 0 {
		return nil, nil
	}
	named, err := directory.NameActors(ctx, db, ActorsOf(activities))
	if err != nil {
		return nil, err
	}
	return c.EventsOf(activities, named), nil
}

// ActorsOf returns the actors of activities, each once.
func ActorsOf(activities []*activity.Activity) []activity.Principal {
	actors := make(map[activity.Principal]struct{}, len(activities))
	for _, a := range activities {
		actors[a.Actor()] = struct{}{}
	}
	return slices.Collect(maps.Keys(actors))
}

// EventsOf renders activities in their order, with the names of their actors.
func (c *Catalog) EventsOf(
	activities []*activity.Activity, named map[activity.Principal]directory.Actor,
) []activity.Event {
	events := make([]activity.Event, len(activities))
	for i, a := range activities {
		events[i] = c.Event(a, named[a.Actor()])
	}
	return events
}
