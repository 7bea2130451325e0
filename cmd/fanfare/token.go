package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/identity"
)

func newTokenCommand(p process) *cobra.Command {
	group := newGroup("token", "Create, list and revoke service tokens", `Create, list and revoke service tokens.

A service token authenticates a service or a script to the API. It acts as one principal of one
tenant, with the scopes that it was created with, until it expires or is revoked. The database
stores only a hash of it.`)
	group.AddCommand(newTokenCreateCommand(p), newTokenListCommand(p), newTokenRevokeCommand(p))
	return group
}

func newTokenCreateCommand(p process) *cobra.Command {
	var (
		token  identity.NewToken
		asJSON bool
	)
	token.Lifetime = 90 * 24 * time.Hour
	command := &cobra.Command{
		Use:   "create --tenant ID --principal ID --name NAME",
		Short: "Create a service token",
		Long: `Create a service token and print it on a line of standard output. Its id and its expiry are
printed to standard error. The token cannot be shown again.`,
		Example: `  fanfare token create --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f \
    --principal 0192d3c1-6b7a-7f00-9d1e-3c4d5e6f7a8b --name reports --scope activity:read
  fanfare token create --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f \
    --principal 0192d3c1-6b7a-7f00-9d1e-3c4d5e6f7a8b --name shop --scope activity:write --actions 'order.*'`,
		PreRunE: func(*cobra.Command, []string) error { return usageErrorOf(token.Validate()) },
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.Var(&uuidValue{&token.TenantID}, "tenant", "id of the tenant")
	flags.Var(&uuidValue{&token.PrincipalID}, "principal", "id of the principal that the token acts as")
	flags.StringVar(&token.Name, "name", "", "name of the token, for lists of tokens")
	flags.StringSliceVar(&token.Scopes, "scope", nil, "scope of the token: "+identity.ScopeList+
		"; may be repeated")
	flags.StringSliceVar(&token.Actions, "actions", nil,
		"pattern of the actions that the token may record, such as order.*; may be repeated (default all)")
	flags.Var(&daysValue{&token.Lifetime}, "expires-in", "lifetime of the token, such as 12h or 90d; at most 366d")
	flags.BoolVar(&asJSON, "json", false, "print JSON, all of it to standard output")
	return withTokens(p, command, func(ctx context.Context, tokens *identity.Tokens) error {
		text, created, err := tokens.Create(ctx, token)
		if err != nil {
			return err
		}
		if asJSON {
			return writeJSON(p.stdout, struct {
				Text string `json:"token"`
				identity.Token
			}{string(text), created})
		}
		if _, err := fmt.Fprintln(p.stdout, string(text)); err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stderr, "Token %s was created and expires at %s. It is shown only once.\n",
			created.ID, created.ExpiresAt.UTC().Format(time.RFC3339))
		return err
	})
}

func newTokenListCommand(p process) *cobra.Command {
	var (
		tenant uuid.UUID
		asJSON bool
	)
	command := &cobra.Command{
		Use:   "list --tenant ID",
		Short: "List the service tokens and the sessions of a tenant",
		Long: `List the service tokens of a tenant and the sessions of its console, the newest first. Their secrets
are not stored.`,
		PreRunE: func(*cobra.Command, []string) error { return requireTenant(tenant) },
	}
	command.Flags().Var(&uuidValue{&tenant}, "tenant", "id of the tenant")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withTokens(p, command, func(ctx context.Context, tokens *identity.Tokens) error {
		list, err := tokens.List(ctx, tenant)
		if err != nil {
			return err
		}
		if asJSON {
			return writeJSON(p.stdout, list)
		}
		return writeTokens(p.stdout, list, time.Now())
	})
}

func writeTokens(w io.Writer, tokens []identity.Token, now time.Time) error {
	if len(tokens) == 0 {
		_, err := fmt.Fprintln(w, "No service tokens.")
		return err
	}
	rows := [][]string{{
		"ID", "NAME", "PURPOSE", "PRINCIPAL", "STATE", "CREATED", "EXPIRES", "LAST USED", "SCOPES", "ACTIONS",
	}}
	for _, t := range tokens {
		lastUsed, scopes, actions := "never", "none", ""
		if t.LastUsedAt != nil {
			lastUsed = t.LastUsedAt.Format(time.RFC3339)
		}
		if len(t.Scopes) > 0 {
			scopes = strings.Join(t.Scopes, ",")
		}
		switch {
		case t.Actions != nil:
			actions = strings.Join(t.Actions, ",")
		case t.Scopes.Has(identity.ScopeWrite):
			actions = "all"
		}
		rows = append(rows, []string{
			t.ID.String(), t.Name, string(t.Purpose), t.PrincipalID.String(), t.State(now),
			t.CreatedAt.Format(time.RFC3339), t.ExpiresAt.Format(time.RFC3339), lastUsed, scopes, printable(actions),
		})
	}
	return writeTable(w, rows)
}

func newTokenRevokeCommand(p process) *cobra.Command {
	var (
		tenant, id uuid.UUID
		asJSON     bool
	)
	command := &cobra.Command{
		Use:   "revoke <token-id> --tenant ID",
		Short: "Revoke a service token or a session",
		Long: `Revoke a service token, or a session of the console. Requests with it are refused from then on. This
cannot be undone.`,
		Args:    idArgument("token", &id),
		PreRunE: func(*cobra.Command, []string) error { return requireTenant(tenant) },
	}
	command.Flags().Var(&uuidValue{&tenant}, "tenant", "id of the tenant")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withTokens(p, command, func(ctx context.Context, tokens *identity.Tokens) error {
		revoked, err := tokens.Revoke(ctx, tenant, id)
		if err != nil {
			return err
		}
		if asJSON {
			return writeJSON(p.stdout, revoked)
		}
		_, err = fmt.Fprintf(p.stdout, "Token %s (%s) was revoked at %s.\n",
			revoked.ID, revoked.Name, revoked.RevokedAt.Format(time.RFC3339))
		return err
	})
}

// withTokens makes command run with the service tokens of the database.
func withTokens(
	p process, command *cobra.Command, run func(ctx context.Context, tokens *identity.Tokens) error,
) *cobra.Command {
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		return run(ctx, identity.NewTokens(pool, nil))
	})
}
