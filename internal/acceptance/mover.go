package acceptance

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/tenantmove"
)

// moverVariable is the environment variable with the order of a moving process, as JSON. Other
// users cannot read it.
const moverVariable = "FANFARE_ACCEPTANCE_MOVER"

// moveOrder is what a moving process does.
type moveOrder struct {
	Tenant       uuid.UUID
	Source       cell
	Destination  cell
	At           tenantmove.Point // where it stops and waits to be killed; "" completes the move
	Abort        bool
	DrainTimeout time.Duration
	ChunkRows    int
}

// moveProcess is a moving process.
type moveProcess struct {
	*devstack.Process
	out   *os.File
	lines *bufio.Reader
}

// startMover runs a move in a process of its own. It ends when this process does.
func startMover(o moveOrder) (*moveProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	order, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), moverVariable+"="+string(order))
	cmd.Stderr = os.Stderr
	out, written, err := os.Pipe() // unlike that of cmd, it stays open after the process has ended
	if err != nil {
		return nil, err
	}
	cmd.Stdout = written
	var p *devstack.Process
	if _, err = cmd.StdinPipe(); err == nil { // open as long as this process runs
		p, err = devstack.StartProcess(cmd)
	}
	if err = errors.Join(err, written.Close()); err != nil {
		return nil, errors.Join(err, out.Close())
	}
	return &moveProcess{p, out, bufio.NewReader(out)}, nil
}

// Close closes the pipe from the process, which has ended.
func (p *moveProcess) Close() error { return p.out.Close() }

// awaitPoint returns when the process has reached its point. It does not kill it.
func (p *moveProcess) awaitPoint(at tenantmove.Point) error {
	line, err := p.lines.ReadString('\n')
	if err != nil || strings.TrimSpace(line) != "at "+string(at) {
		err = fmt.Errorf("the moving process printed %q instead of reaching the point %q: %w", line, at, err)
		return errors.Join(err, p.Kill())
	}
	return nil
}

// result returns what the process prints when it has completed.
func (p *moveProcess) result() (*tenantmove.Result, error) {
	var r tenantmove.Result
	if err := json.NewDecoder(p.lines).Decode(&r); err != nil {
		return nil, errors.Join(fmt.Errorf("the moving process failed: %w", err), p.Kill())
	}
	<-p.Done()
	return &r, nil
}

// runMover carries out the order of this process and prints the result, or the point that it has
// reached.
func runMover(ctx context.Context, text string) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); cancel() }()
	var o moveOrder
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	var db tenantmove.Databases
	for _, c := range []struct {
		conn **pgx.Conn
		url  string
	}{{&db.Source, o.Source.URL}, {&db.Lock, o.Source.URL}, {&db.Destination, o.Destination.URL}} {
		if *c.conn, err = pgx.Connect(ctx, c.url); err != nil {
			return err
		}
		defer func() { _ = (*c.conn).Close(context.WithoutCancel(ctx)) }()
	}
	do := tenantmove.Run
	if o.Abort {
		do = tenantmove.Abort
	}
	r, err := do(ctx, db, tenantmove.Options{
		Tenant: o.Tenant, SourceName: o.Source.Name, DestinationName: o.Destination.Name, By: activity.System,
		DrainTimeout: o.DrainTimeout, FreezeTimeout: 30 * time.Second, ChunkRows: o.ChunkRows,
		Progress: func(tenantmove.Progress) {},
		At: func(p tenantmove.Point) {
			if p == o.At {
				fmt.Println("at " + string(p))
				<-ctx.Done() // until it is killed
			}
		},
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}
