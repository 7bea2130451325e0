package activity

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/wait"
)

const (
	phrasesRefreshed = 10 * time.Second // how often the taxonomy is looked at
	phrasesSought    = time.Second      // how often while it was never read
	phrasesPatience  = 5 * time.Second  // how long one look may take
)

// Phrasebook renders events in the words that the applied taxonomy has for them (the table
// fanfare.taxonomy). It is safe for concurrent use. A nil one has no words, as one has that is not
// loaded.
type Phrasebook struct {
	db     pg.Querier
	report func(error)
	ready  chan struct{}
	words  atomic.Pointer[words]
	failed bool // the last look; Run's
}

// words are those of every action, and never change.
type words struct {
	version string
	of      map[string]*wording
}

// wording is what an action's events say; what is zero is left to the action's own name.
type wording struct {
	title, summary Phrase
	icon, category string
}

// NewPhrasebook makes an empty phrasebook that Run fills from a *pgxpool.Pool. Run tells report
// when it cannot, once until it can again, and of phrases that nobody can render; report may be
// nil.
func NewPhrasebook(db pg.Querier, report func(error)) *Phrasebook {
	if report == nil {
		report = func(error) {}
	}
	return &Phrasebook{db: db, report: report, ready: make(chan struct{})}
}

// Run keeps the phrasebook as the taxonomy is, within about ten seconds, until ctx ends; then it
// returns nil. Where it cannot read the taxonomy, the phrasebook stays as it is. It runs once.
func (p *Phrasebook) Run(ctx context.Context) error {
	for {
		p.look(ctx)
		select {
		case <-p.ready:
		default:
			close(p.ready)
		}
		pause := phrasesRefreshed
		if p.words.Load() == nil {
			pause = phrasesSought
		}
		if wait.Sleep(ctx, pause) != nil {
			return nil
		}
	}
}

// Ready is closed once Run has tried to read the taxonomy for the first time, which takes a few
// seconds at most.
func (p *Phrasebook) Ready() <-chan struct{} { return p.ready }

func (p *Phrasebook) look(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, phrasesPatience)
	defer cancel()
	err := p.Refresh(bounded)
	var faulty *faultyPhrases
	if err != nil && ctx.Err() == nil && (!p.failed || errors.As(err, &faulty)) {
		p.report(err)
	}
	p.failed = err != nil && !errors.As(err, &faulty)
}

// phrasesVersion tells whether anything that a phrasebook holds has changed, whoever changed it and
// however.
const phrasesVersion = `
SELECT coalesce(md5(string_agg(md5(row(action, title, summary, icon, category)::text), '' ORDER BY action)), '')
FROM fanfare.taxonomy`

const phrasesRead = `
SELECT action, title, summary, icon, category
FROM fanfare.taxonomy`

// Refresh reads the taxonomy if it has changed. With an error, the phrasebook stays as it is, but
// where single phrases are at fault: these alone are left out.
func (p *Phrasebook) Refresh(ctx context.Context) error {
	rows, err := p.db.Query(ctx, phrasesVersion)
	if err != nil {
		return fmt.Errorf("read the taxonomy's version: %w", err)
	}
	version, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("read the taxonomy's version: %w", err)
	}
	if known := p.words.Load(); known != nil && known.version == version {
		return nil
	}
	if rows, err = p.db.Query(ctx, phrasesRead); err != nil {
		return fmt.Errorf("read the taxonomy's phrases: %w", err)
	}
	fresh, faulty := &words{version: version, of: map[string]*wording{}}, &faultyPhrases{}
	var action, title, summary, icon, category string
	if _, err = pgx.ForEachRow(rows, []any{&action, &title, &summary, &icon, &category}, func() error {
		fresh.of[action] = &wording{
			title: faulty.parse(action, "title", title), summary: faulty.parse(action, "summary", summary), icon: icon, category: category,
		}
		return nil
	}); err != nil {
		return fmt.Errorf("read the taxonomy's phrases: %w", err)
	}
	p.words.Store(fresh)
	if len(faulty.errs) > 0 {
		return faulty
	}
	return nil
}

// faultyPhrases are phrases that came into the table past every check.
type faultyPhrases struct{ errs []error }

func (f *faultyPhrases) Error() string {
	return fmt.Sprintf("the taxonomy holds phrases that cannot be rendered: %v", errors.Join(f.errs...))
}

func (f *faultyPhrases) parse(action, field, text string) Phrase {
	phrase, err := ParsePhrase(text)
	if err != nil {
		f.errs = append(f.errs, fmt.Errorf("%s of %s: %w", field, action, err))
	}
	return phrase
}

// Event renders an activity, as NewEvent does, with the title, summary, icon and category that the
// taxonomy has for its action. The activity's own message is the summary before any other, and a
// category that its writer gave it stays.
func (p *Phrasebook) Event(a *Activity, kind, name string) Event {
	said := p.wording(a.Action)
	if said == nil {
		return NewEvent(a, kind, name)
	}
	e := newEvent(a, kind, name)
	var scratch [256]byte
	h := &e.UIHints
	if !said.title.IsZero() {
		h.Title = string(said.title.Append(scratch[:0], a, name))
	}
	if h.Title == "" {
		h.Title = titled(wordsOf(a.Action))
	}
	if a.Message == "" && !said.summary.IsZero() {
		h.Summary = string(said.summary.Append(scratch[:0], a, name))
	}
	if h.Summary == "" {
		h.Summary = summaryOf(a, wordsOf(a.Action), name)
	}
	if said.icon != "" {
		h.Icon = said.icon
	}
	if said.category != "" && a.Category == firstWord(a.Action) {
		h.Category = said.category
	}
	return e
}

func (p *Phrasebook) wording(action string) *wording {
	if p == nil {
		return nil
	}
	known := p.words.Load()
	if known == nil {
		return nil
	}
	return known.of[action]
}
