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

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/cells"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/migrations"
)

// Options identify the servers to check and repeat the settings that Fanfare runs with. They
// contain secrets.
type Options struct {
	// Pool connects to the database with the role that Fanfare uses. Two connections suffice.
	Pool *pgxpool.Pool
	// Connections is the maximum number of connections that a worker opens.
	Connections int

	// Standbys connect to the hot standbys that the API reads from, unless they lag by more than
	// MaxLag.
	Standbys []*pgxpool.Pool
	MaxLag   time.Duration

	// API is Centrifugo's server API.
	API centrifugo.Options
	// SocketURL is the WebSocket URL of clients: ws://host:port/connection/websocket.
	SocketURL string
	// Tokens are the options of tokens. Without a secret, the checks that connect as a client are
	// skipped.
	Tokens centrifugo.TokenOptions
	// Formats are the formats of channels.
	Formats centrifugo.Formats
	// Origins are web origins that must be able to connect, such as https://app.example.
	Origins []string

	// Cells are the cells of the installation, and Cell the name of the one whose database Pool
	// connects to. Without cells, both are zero.
	Cells *cells.File
	Cell  string

	// Timeout bounds the examination; one check may take half of it. Default 20 seconds.
	Timeout time.Duration
	// LongTransaction is the age from which an open transaction is reported; default 1 minute.
	LongTransaction time.Duration
	// OldBacklog is the age from which a pending activity is reported; default 1 minute.
	OldBacklog time.Duration
}

// Examine runs all checks one after the other and returns within the timeout. Its error concerns
// the options or ctx, and never what the checks found.
func Examine(ctx context.Context, o Options) (Report, error) {
	x, err := newExamination(o)
	if err != nil {
		return Report{}, err
	}
	defer x.close()
	bounded, cancel := context.WithTimeout(ctx, x.Timeout)
	defer cancel()
	report := runChecks(bounded, x, x.checks())
	return report, ctx.Err()
}

// examination is the state that checks share.
type examination struct {
	Options
	api       *centrifugo.Client
	all       []*node // the addresses of the API
	nodes     []*node // those that work, after checkAPI
	channels  *centrifugo.Channels
	tokens    *centrifugo.Tokens // nil without a secret
	principal activity.Principal // random; Centrifugo's client in the checks
	role      string             // of Pool, quoted for SQL; set by checkReachable
	schema    migrations.Status  // set by checkSchemaVersion
	info      apiInfo            // set by checkAPI
}

// randomPrincipal returns a principal of random ids.
func randomPrincipal() activity.Principal {
	return activity.Principal{TenantID: uuid.New(), PrincipalID: uuid.New()}
}

func newExamination(o Options) (*examination, error) {
	o.Timeout = cmp.Or(o.Timeout, 20*time.Second)
	o.LongTransaction = cmp.Or(o.LongTransaction, time.Minute)
	o.OldBacklog = cmp.Or(o.OldBacklog, time.Minute)
	channels, err := centrifugo.ParseFormats(o.Formats)
	x := &examination{Options: o, channels: channels, principal: randomPrincipal()}
	if o.Tokens.Secret != "" {
		var tokenErr error
		x.tokens, tokenErr = centrifugo.NewTokens(o.Tokens)
		err = errors.Join(err, tokenErr)
	}
	if err != nil {
		return nil, err
	}
	if x.api, err = centrifugo.New(o.API); err != nil {
		return nil, err
	}
	x.nodes, err = newNodes(o.API)
	x.all = x.nodes
	return x, err
}

func (x *examination) close() {
	x.api.Close()
	for _, n := range x.all {
		n.client.Close()
	}
}

// check is one check. It is skipped if a check that it requires failed or was skipped.
type check struct {
	id       string
	requires []string
	run      func(ctx context.Context, x *examination) finding
}

// runChecks runs checks in their order until ctx ends.
func runChecks(ctx context.Context, x *examination, checks []check) Report {
	report := Report{OK: true, Diagnostics: make([]Diagnostic, 0, len(checks))}
	causes := map[string]string{} // by check that failed or was skipped, the first check that caused it
	for _, c := range checks {
		f := skipped("", "")
		if i := slices.IndexFunc(c.requires, func(id string) bool { return causes[id] != "" }); i >= 0 {
			causes[c.id] = causes[c.requires[i]]
			f.detail = "skipped: see " + causes[c.id]
		} else if f = c.runWithin(ctx, x); f.status == Fail || f.status == Skipped {
			causes[c.id] = c.id
		}
		report.OK = report.OK && f.status != Fail
		report.Diagnostics = append(report.Diagnostics, Diagnostic{c.id, f.status, f.detail, f.remedy})
	}
	return report
}

// runWithin runs the check within its share of the timeout.
func (c check) runWithin(ctx context.Context, x *examination) finding {
	if ctx.Err() != nil {
		return skipped(
			fmt.Sprintf("skipped: the checks before it took longer than %s", x.Timeout),
			"find out why they take so long",
		)
	}
	ctx, cancel := context.WithTimeout(ctx, x.Timeout/2)
	defer cancel()
	return c.run(ctx, x)
}
