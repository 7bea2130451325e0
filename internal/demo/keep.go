package demo

import (
	"context"
	"time"

	"github.com/fanfarehq/fanfare/activity"
)

// interval is how often something happens by itself.
const interval = 2 * time.Second

// keep says how to join in, lets things happen, and shows who hears of them, until ctx ends.
func keep(ctx context.Context, stack *stack, s *stage, out report) error {
	how, err := connection(stack)
	if err != nil {
		return err
	}
	if err := out.connection(how); err != nil {
		return err
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for n := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := meanwhile(ctx, s.company.service, n); err != nil && ctx.Err() == nil {
				return err
			}
			n++
		case <-s.listeners.news:
			for _, sound := range s.listeners.take() {
				if err := out.live(liveOf(sound, s.tenants)); err != nil {
					return err
				}
			}
		}
	}
}

// meanwhile is what happens by itself, one thing after the other. All of it goes to the tenant's
// stream too.
func meanwhile(ctx context.Context, app *service, n int) error {
	var err error
	everywhere := []string{activity.ToUser, activity.ToResource, activity.ToTenant}
	switch n % 4 {
	case 0:
		_, err = app.setLookback(
			ctx,
			deed{tenant: aurora, actor: ines, signal: reversal, action: "resource.updated", channels: everywhere},
			20+n%100,
		)
	case 1:
		_, err = app.finishRun(
			ctx,
			deed{tenant: aurora, actor: scout, signal: reversal, action: "run.completed", channels: everywhere},
		)
	case 2:
		_, err = app.addNote(
			ctx,
			deed{tenant: aurora, actor: chen, signal: carry, action: "note.added", target: ada, channels: everywhere},
			"@Ada: have a look",
		)
	case 3:
		_, err = app.setLookback(
			ctx,
			deed{tenant: borealis, actor: ada, signal: reversal, action: "resource.updated", channels: everywhere},
			20+n%100,
		)
	}
	return err
}
