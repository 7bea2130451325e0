package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/console"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

func newConsoleCommand(p process) *cobra.Command {
	group := newGroup("console", "Sign in to the console",
		`Sign in to the console, which fanfare run and fanfare serve serve at /console/.`)
	group.AddCommand(newConsoleLinkCommand(p))
	return group
}

// consoleLink is the output of fanfare console link.
type consoleLink struct {
	URL         string          `json:"url"`
	TenantID    uuid.UUID       `json:"tenant_id"`
	PrincipalID uuid.UUID       `json:"principal_id"`
	Scopes      identity.Scopes `json:"scopes"`
	ExpiresAt   time.Time       `json:"expires_at"` // of the link, not of the session
	Lifetime    string          `json:"session_lifetime"`
}

func newConsoleLinkCommand(p process) *cobra.Command {
	session := identity.NewSession{Lifetime: identity.MaxSessionLifetime}
	asJSON := false
	command := &cobra.Command{
		Use:   "link --tenant ID --principal ID",
		Short: "Print a one-time link that signs a principal in to the console",
		Long: `Print a link that signs a principal in to the console. It works once, within 5 minutes. The browser
that opens it has a session with the given scopes, which ends after 12 hours or when the person
signs out. 'fanfare token list' lists sessions, and 'fanfare token revoke' ends them.

A person with the link is the principal: give it to no other one. Do not open it on another
machine over HTTP without TLS.`,
		Example: `  fanfare console link --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f \
    --principal 0192d3c1-6b7a-7f00-9d1e-3c4d5e6f7a8b
  fanfare console link --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f \
    --principal 0192d3c1-6b7a-7f00-9d1e-3c4d5e6f7a8b --scope activity:admin,installation:read`,
		PreRunE: func(*cobra.Command, []string) error { return usageErrorOf(session.Validate()) },
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.Var(&uuidValue{&session.TenantID}, "tenant", "id of the tenant")
	flags.Var(&uuidValue{&session.PrincipalID}, "principal", "id of the principal that the session acts as")
	flags.StringSliceVar(&session.Scopes, "scope", nil,
		"scope of the session: "+identity.ScopeList+"; may be repeated")
	flags.Var(&daysValue{&session.Lifetime}, "expires-in", "lifetime of the session, such as 1h; at most 12h")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	flags.SetNormalizeFunc(consoleLinkFlag)
	return withConfig(p, command, config.ConsoleLink(), func(ctx context.Context, c *config.Config) error {
		return usePool(ctx, c, func(pool *pgxpool.Pool) error {
			principal := activity.Principal{TenantID: session.TenantID, PrincipalID: session.PrincipalID}
			active, err := directory.IsActive(ctx, pool, principal)
			if err == nil && !active {
				err = fmt.Errorf("principal %s: the application has marked it inactive", principal.PrincipalID)
			}
			if err != nil {
				return err
			}
			sessions := identity.NewSessions(identity.NewTokens(pool, nil), nil)
			code, expires, err := sessions.Issue(ctx, session)
			if err != nil {
				return err
			}
			link := consoleLink{
				URL: console.Link(c.ConsoleAddress(), string(code)), TenantID: session.TenantID,
				PrincipalID: session.PrincipalID, Scopes: session.Granted(), ExpiresAt: expires,
				Lifetime: session.Lifetime.String(),
			}
			if asJSON {
				return writeJSON(p.stdout, link)
			}
			if _, err := fmt.Fprintln(p.stdout, link.URL); err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.stderr, "The link works once, until %s. Its session lasts %s.\n",
				expires.Format(time.RFC3339), session.Lifetime)
			return err
		})
	})
}

// consoleLinkFlag lets the flags also have the names that the API has for their values.
func consoleLinkFlag(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	names := map[string]string{
		"tenant-id": "tenant", "principal-id": "principal", "scopes": "scope", "lifetime": "expires-in",
	}
	if known, ok := names[name]; ok {
		name = known
	}
	return pflag.NormalizedName(name)
}
