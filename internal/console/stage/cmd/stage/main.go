// Stage runs a private installation with a rich world, to develop the console against, until
// Ctrl-C. With a command, it runs the command instead and then ends.
//
//	go run ./internal/console/stage/cmd/stage -dist internal/console/dist
//	go run ./internal/console/stage/cmd/stage -- npm run browser
//
// The files of -dist are served as they are, so that vite build --watch suffices. The command's
// environment contains FANFARE_STAGE and FANFARE_STAGE_SECRET, which the tests in web/test read.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/fanfarehq/fanfare/internal/console/stage"
)

const (
	stopTimeout  = 30 * time.Second
	lifetime     = 7 * 24 * time.Hour
	commandGrace = 10 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx)
	stop()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		os.Exit(exit.ExitCode())
	case err != nil:
		fmt.Fprintln(os.Stderr, "stage:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	dist := flag.String("dist", "", "directory of the console's files; default those that the daemon contains")
	activities := flag.Int("activities", 400, "number of activities of the world")
	flag.Parse()
	options := stage.Options{Log: os.Stderr}
	if *dist != "" {
		if options.Dist, err = stage.DistOf(*dist); err != nil {
			return err
		}
		options.Examples = stage.ExamplesOf(*dist)
	}
	started := time.Now()
	s, err := stage.Start(ctx, options)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		err = errors.Join(err, s.Stop(ctx))
	}()
	if flag.NArg() > 0 {
		return runCommand(ctx, s, flag.Args())
	}
	w, err := s.NewWorld(ctx, stage.Rich(*activities))
	if err != nil {
		return err
	}
	fmt.Printf("The stage started in %.1f s; a world of %d activities took %s.\n\n",
		time.Since(started).Seconds(), w.Recorded, w.Took)
	fmt.Printf("Console      %s/console/\nAPI          %s/v1\nWebSocket    %s\nDatabase     %s\nTenant       %s\n\n",
		s.URL, s.URL, s.WebSocketURL, s.DatabaseURL, w.TenantID)
	fmt.Printf("export FANFARE_STAGE=%s FANFARE_STAGE_SECRET=%s\n\n", s.ControlURL, s.Secret)
	enter := make(chan struct{})
	go func() {
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			enter <- struct{}{}
		}
	}()
	for {
		if err := printPeople(ctx, s, w); err != nil {
			return err
		}
		fmt.Println("A link works once, within 5 minutes. Enter prints new ones; Ctrl-C stops everything.")
		select {
		case <-enter:
		case <-ctx.Done():
			return nil
		}
	}
}

// printPeople prints how several people sign in.
func printPeople(ctx context.Context, s *stage.Stage, w *stage.World) error {
	for _, p := range []struct {
		key, about string
		scopes     []string
	}{
		{"ada", "operates the installation and sees everything", stage.OperatorScopes()},
		{"grace", "a member with a full inbox", nil},
		{"noor", "sees one project", nil},
		{"zoe", "holds no role", nil},
	} {
		principal := w.Principal(p.key)
		token, err := s.Token(principal, lifetime, p.scopes...)
		if err != nil {
			return err
		}
		code, err := s.Code(ctx, principal, 0, p.scopes...)
		if err != nil {
			return err
		}
		fmt.Printf("%s: %s\n  %s\n  principal %s\n  token %s\n\n",
			w.Principals[p.key].Name, p.about, s.Link(code), principal.PrincipalID, token)
	}
	return nil
}

// runCommand runs a command with the address of the stage.
func runCommand(ctx context.Context, s *stage.Stage, args []string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = commandGrace
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), s.Environ()...)
	return cmd.Run()
}
