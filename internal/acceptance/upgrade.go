package acceptance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/acceptance/clients"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/internal/acceptance/next"
	"github.com/fanfarehq/fanfare/internal/wait"
)

// UpgradeOptions describe a run of Upgrade.
type UpgradeOptions struct {
	Programs next.Programs
	Rate     int           // activities a second
	People   int           // connected watchers
	Pause    time.Duration // between the steps of a phase, while traffic goes on
	Seed     uint64        // selects the resources
}

// UpgradePhase is what a run observed during one step of an upgrade.
type UpgradePhase struct {
	Step         string `json:"step"`
	ServerErrors int    `json:"api_answers_5xx"`
	Phase
}

// UpgradeResult is the result of Upgrade.
type UpgradeResult struct {
	Schema struct {
		Before   int `json:"before"`
		Next     int `json:"next"`
		Contract int `json:"contract,omitempty"`
	} `json:"schema"` // the last migrations of the programs
	Phases []UpgradePhase `json:"phases"`
	// Stopped has the errors with which the programs that do not work with the contract have ended.
	Stopped []string `json:"stopped"`
}

// Err returns the violations of all phases, joined, or nil if there are none.
func (r *UpgradeResult) Err() error {
	var errs []error
	for _, p := range r.Phases {
		for _, err := range p.violations {
			errs = append(errs, fmt.Errorf("%s: %w", p.Step, err))
		}
	}
	return errors.Join(errs...)
}

// upgradeRun is one run of Upgrade.
type upgradeRun struct {
	phases
	UpgradeOptions
	fleet  *fleet
	result *UpgradeResult
	number int // of the next activity
}

// Upgrade replaces the programs of an installation by those of the next version and back, while
// services record and clients receive: the schema is migrated while programs of the version before
// run, both versions work side by side, and the programs are replaced one by one. It verifies that
// nothing is lost, doubled or reordered, and that no request is answered with a status of 500 or
// more. With Programs.Contract, a migration with which programs of the version before do not work
// ends them: they stop with an error, and nothing is lost.
func Upgrade(ctx context.Context, e *Environment, o UpgradeOptions) (result *UpgradeResult, err error) {
	u := &upgradeRun{
		phases: phases{
			Environment: e, world: fixture.New(fixture.Options{People: o.People}),
			before: map[activity.Principal]clients.History{},
		},
		UpgradeOptions: o, result: &UpgradeResult{Stopped: []string{}}, fleet: newFleet(e.DatabaseURL, e.Centrifugo),
	}
	if err := u.prepare(ctx); err != nil {
		return nil, err
	}
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		err = errors.Join(err, u.fleet.stop(stopping))
	}()
	var closeAll func()
	u.set, closeAll, err = Connect(ctx, e.Centrifugo, u.world.Principals(), ConnectOptions{Timeout: e.ClientTimeout})
	if err != nil {
		return nil, err
	}
	defer closeAll()
	for _, step := range u.steps() {
		e.progress("%s", step.name)
		if err := u.phase(ctx, step); err != nil {
			return nil, fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return u.result, nil
}

// prepare gives the database the schema of the version before, and loads the world.
func (u *upgradeRun) prepare(ctx context.Context) (err error) {
	schema := &u.result.Schema
	for _, p := range []struct {
		program string
		latest  *int
	}{
		{u.Programs.Before, &schema.Before}, {u.Programs.Next, &schema.Next}, {u.Programs.Contract, &schema.Contract},
	} {
		if p.program == "" {
			continue
		}
		status, err := u.fleet.status(ctx, p.program)
		if err != nil {
			return err
		}
		*p.latest = status.Latest
	}
	status, err := u.fleet.status(ctx, u.Programs.Next)
	if err != nil {
		return err
	}
	if status.Current > schema.Before { // of a release
		if _, err := u.fleet.migrateDown(ctx, u.Programs.Next, schema.Before); err != nil {
			return err
		}
	}
	return errors.Join(u.world.Load(ctx, u.Pool), u.world.AddThings(ctx, u.Pool))
}

// upgradeStep is a part of an upgrade, during which traffic goes on.
type upgradeStep struct {
	name     string
	act      func(ctx context.Context) error
	tolerant bool // requests may be answered with a status of 500 or more
}

func (u *upgradeRun) steps() []upgradeStep {
	p := u.Programs
	steps := []upgradeStep{
		{name: "programs of the version before", act: u.start(p.Before)},
		{name: "migrate up", act: u.migrateUpBehindReader},
		{name: "programs of both versions", act: u.start(p.Next)},
		{name: "programs of the version before stop", act: u.end(p.Before)},
		{name: "programs of the version before start again", act: u.start(p.Before)},
		{name: "migrate down", act: u.migrateDown},
	}
	if p.Contract == "" {
		return append(steps, upgradeStep{name: "programs of the next version stop", act: u.end(p.Next)})
	}
	return append(
		steps,
		upgradeStep{name: "migrate up again", act: u.migrateUp(p.Next)},
		upgradeStep{name: "migrate up to the contract, refused", act: u.refuseContract},
		upgradeStep{name: "migrate up to the contract, forced", act: u.contract, tolerant: true},
	)
}

// phase runs a step while traffic is recorded, and judges it.
func (u *upgradeRun) phase(ctx context.Context, step upgradeStep) error {
	if len(u.result.Phases) == 0 { // no server runs before
		if err := step.act(ctx); err != nil {
			return err
		}
		step.act = func(ctx context.Context) error { return nil }
	}
	t := &traffic{
		world: u.world, pool: u.Pool, issuer: u.fleet.issuer, rate: u.Rate, seed: u.Seed, next: &u.number,
		server: u.fleet.address, read: true, recorder: NewRecorder(), ended: make(chan struct{}),
	}
	found, err := u.run(ctx, t, func(ctx context.Context) error {
		if err := wait.Sleep(ctx, u.Pause); err != nil {
			return err
		}
		return errors.Join(step.act(ctx), wait.Sleep(ctx, u.Pause))
	})
	if err != nil {
		return err
	}
	p := UpgradePhase{Step: step.name, ServerErrors: int(t.serverErrors.Load()), Phase: *found}
	if p.ServerErrors > 0 && !step.tolerant {
		p.violations = append(p.violations, fmt.Errorf("%d requests answered with 500 or more", p.ServerErrors))
	}
	if p.Repeats > 0 {
		p.violations = append(p.violations, fmt.Errorf("%d deliveries repeated", p.Repeats))
	}
	u.result.Phases = append(u.result.Phases, p)
	return nil
}

func (u *upgradeRun) start(program string) func(ctx context.Context) error {
	return func(ctx context.Context) error { return u.fleet.start(ctx, program) }
}

// end stops the daemons of a program, one after the other.
func (u *upgradeRun) end(program string) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		for _, m := range u.fleet.members(program) {
			if err := errors.Join(u.fleet.retire(ctx, m), wait.Sleep(ctx, u.Pause/2)); err != nil {
				return err
			}
		}
		return nil
	}
}

func (u *upgradeRun) migrateUp(program string) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		_, err := u.fleet.run(ctx, program, "migrate", "up")
		return err
	}
}

// migrateUpBehindReader migrates while another transaction has read the log and stays open for
// longer than a migration waits for its lock: others wait for a moment, and it is tried again.
func (u *upgradeRun) migrateUpBehindReader(ctx context.Context) error {
	tx, err := u.Pool.Begin(ctx)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `SELECT FROM fanfare.activities LIMIT 1`); err != nil {
		return errors.Join(err, tx.Rollback(ctx))
	}
	migrated := make(chan error, 1)
	go func() { migrated <- u.migrateUp(u.Programs.Next)(ctx) }()
	return errors.Join(wait.Sleep(ctx, readerOpen), tx.Rollback(context.WithoutCancel(ctx)), <-migrated)
}

// readerOpen is longer than a migration waits for a lock.
const readerOpen = 3 * time.Second

// migrateDown reverts the next version's migrations. If its programs need them, they are stopped
// first.
func (u *upgradeRun) migrateDown(ctx context.Context) error {
	status, err := u.fleet.status(ctx, u.Programs.Next)
	if err != nil {
		return err
	}
	if status.Needed > u.result.Schema.Before {
		if err := u.end(u.Programs.Next)(ctx); err != nil {
			return err
		}
	}
	_, err = u.fleet.migrateDown(ctx, u.Programs.Next, u.result.Schema.Before)
	return err
}

// refuseContract migrates to the contract without force, which names the workers that would stop.
func (u *upgradeRun) refuseContract(ctx context.Context) error {
	text, err := u.fleet.run(ctx, u.Programs.Contract, "migrate", "up")
	switch {
	case err == nil:
		return errors.New("the migration is not refused while workers run that do not work with it")
	case !strings.Contains(text, "(before, migration "):
		return fmt.Errorf("the refusal names no worker: %w", err)
	}
	return nil
}

// contract migrates with force, starts daemons of the last version, and waits until those of the
// version before have ended with the error that names the schema.
func (u *upgradeRun) contract(ctx context.Context) error {
	if _, err := u.fleet.run(ctx, u.Programs.Contract, "migrate", "up", "--force"); err != nil {
		return err
	}
	ending, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	for _, m := range u.fleet.members(u.Programs.Before) {
		code, log, err := m.daemon.AwaitEnd(ending)
		if err != nil {
			return err
		}
		_, words, found := strings.Cut(log, "fanfare: the ")
		if code != 1 || !found || !strings.Contains(words, "which requires a program with the migrations up to") {
			return fmt.Errorf("%v ended with code %d, want 1 and the error that names the schema:\n%s",
				m.daemon, code, log)
		}
		u.result.Stopped = append(u.result.Stopped, m.daemon.String()+": "+"the "+strings.TrimSpace(words))
		if err := u.fleet.retire(ctx, m); err != nil {
			return err
		}
	}
	return u.fleet.start(ctx, u.Programs.Contract)
}
