// Package guard calls the code of others, such as observers, whose panic must not end the caller.
package guard

import (
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// repeatEvery is how often panics are logged.
const repeatEvery = time.Minute

// Guard calls functions of one origin. It is safe for concurrent use.
type Guard struct {
	Log  *zap.Logger // default none
	Name string      // of the origin, for the log

	said atomic.Int64 // Unix nanoseconds of the latest message
}

// Call calls f. It logs a panic of f, at most once a minute, and returns.
func (g *Guard) Call(f func()) {
	defer func() {
		cause := recover()
		if cause == nil || g.Log == nil {
			return
		}
		now, said := time.Now().UnixNano(), g.said.Load()
		if now-said >= int64(repeatEvery) && g.said.CompareAndSwap(said, now) {
			g.Log.Error(g.Name+" panicked", zap.Any("panic", cause), zap.Stack("stack"))
		}
	}()
	f()
}
