package outbox

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/internal/pg"
)

// How often a failure of one kind is logged, and how long there must be none before the log says
// that deliveries succeed again.
const (
	repeatEvery = time.Minute
	quietFor    = 3 * time.Second
)

// trouble logs failures: each kind once a minute, however often it happens, and their end.
type trouble struct {
	log *zap.Logger

	mu       sync.Mutex
	said     map[string]time.Time // by kind, when it was last logged
	last     time.Time            // when the latest failure happened; zero: there is none
	failures int                  // since the last end
}

// note logs a failure. what is the message and the kind, together with the cause.
func (t *trouble) note(what string, err error, now time.Time, fields ...zap.Field) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last, t.failures = now, t.failures+1
	kind := kindOf(what, err)
	level := zap.DebugLevel
	if said, known := t.said[kind]; !known || now.Sub(said) >= repeatEvery {
		if t.said == nil {
			t.said = map[string]time.Time{}
		}
		t.said[kind], level = now, zap.WarnLevel
	}
	t.log.Log(level, what, append(fields, zap.Error(err))...)
}

// ended logs the end of the failures if there has been none for some time and something was
// delivered since the latest one.
func (t *trouble) ended(delivered, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last.IsZero() || now.Sub(t.last) < quietFor || !delivered.After(t.last) {
		return
	}
	t.log.Info("deliveries succeed again", zap.Int("failures", t.failures))
	t.said, t.last, t.failures = nil, time.Time{}, 0
}

// kindOf returns what failures of one cause have in common: an outage is one kind, whatever lane
// and statement meet it.
func kindOf(what string, err error) string {
	if server, ok := errors.AsType[*pgconn.PgError](err); ok {
		if pg.ReasonOf(err) == pg.Configuration {
			return server.Code + server.Message // which names the object
		}
		return server.Code
	}
	if errors.Is(err, ErrUnavailable) {
		return "outage"
	}
	return fmt.Sprintf("%s %.200s", what, err)
}
