package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

// Options say whom to examine, and with which of Fanfare's settings. They hold secrets.
type Options struct {
	// Pool is of the database, as the role that Fanfare works as. Two connections are enough.
	Pool *pgxpool.Pool
	// Connections is how many a worker would open.
	Connections int

	// API is Centrifugo's server API.
	API centrifugo.Options
	// SocketURL is where clients connect: ws://host:port/connection/websocket.
	SocketURL string
	// Tokens say how tokens are signed. Without a secret, nothing that a client does is checked.
	Tokens centrifugo.TokenOptions
	// Formats are those of the channels.
	Formats centrifugo.Formats
	// Origins are pages that must be able to connect, as https://app.example.
	Origins []string

	// Timeout bounds the examination; one check may take a quarter of it. Default 15 seconds.
	Timeout time.Duration
	// LongTransaction is from how long on a transaction or a snapshot is worth a warning; default 1
	// minute.
	LongTransaction time.Duration
	// OldBacklog is from how old a pending activity is on it is worth a warning; default 1 minute.
	OldBacklog time.Duration
}

// Examine makes all checks, one after the other, and returns within the timeout. The error is not
// about what it found: it is about the options, or ctx has ended.
func Examine(ctx context.Context, o Options) (Report, error) {
	x, err := newExamination(o)
	if err != nil {
		return Report{}, err
	}
	defer x.api.Close()
	bounded, cancel := context.WithTimeout(ctx, x.Timeout)
	defer cancel()
	report := run(bounded, x, checks())
	return report, ctx.Err()
}

// examination is what the checks work on.
type examination struct {
	Options
	api      *centrifugo.Client
	channels *centrifugo.Channels
	tokens   *centrifugo.Tokens // nil without a secret
	who      principal          // made up, as a client of Centrifugo
	role     string             // of ours in PostgreSQL, quoted for SQL; known once the database was reached
	info     apiInfo            // what Centrifugo says of itself; known once its API was reached
}

// principal is somebody's ids.
type principal struct{ tenant, id uuid.UUID }

// somebody makes a principal up.
func somebody() principal { return principal{uuid.New(), uuid.New()} }

func newExamination(o Options) (*examination, error) {
	o.Timeout = cmp.Or(o.Timeout, 15*time.Second)
	o.LongTransaction = cmp.Or(o.LongTransaction, time.Minute)
	o.OldBacklog = cmp.Or(o.OldBacklog, time.Minute)
	channels, err := centrifugo.ParseFormats(o.Formats)
	x := &examination{Options: o, channels: channels, who: somebody()}
	if o.Tokens.Secret != "" {
		var tokenErr error
		x.tokens, tokenErr = centrifugo.NewTokens(o.Tokens)
		err = errors.Join(err, tokenErr)
	}
	if err != nil {
		return nil, err
	}
	x.api, err = centrifugo.New(o.API)
	return x, err
}

// check is one thing to look at. It is made when all that it needs was made and did not fail.
type check struct {
	name  string
	needs []string
	look  func(ctx context.Context, x *examination) verdict
}

// run makes the checks in their order until ctx ends.
func run(ctx context.Context, x *examination, checks []check) Report {
	report := Report{OK: true, Checks: make([]Check, 0, len(checks))}
	missing := map[string]string{} // by check, the one because of which it, or what needs it, cannot be made
	for _, c := range checks {
		v := skipped("", "")
		if i := slices.IndexFunc(c.needs, func(need string) bool { return missing[need] != "" }); i >= 0 {
			missing[c.name] = missing[c.needs[i]]
			v.detail = "not checked: see " + missing[c.name]
		} else if v = c.within(ctx, x); v.status == Fail || v.status == Skipped {
			missing[c.name] = c.name
		}
		report.OK = report.OK && v.status != Fail
		report.Checks = append(report.Checks, Check{c.name, v.status, v.detail, v.remedy})
	}
	return report
}

// within makes the check in the time that it has.
func (c check) within(ctx context.Context, x *examination) verdict {
	if ctx.Err() != nil {
		return skipped(
			fmt.Sprintf("not checked: the checks before it took all of the %s there are", x.Timeout),
			"see why they take so long",
		)
	}
	ctx, cancel := context.WithTimeout(ctx, x.Timeout/4)
	defer cancel()
	return c.look(ctx, x)
}
