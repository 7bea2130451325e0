package main

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/identity"
)

func newTokenCommand(p process) *cobra.Command {
	group := newGroup("token", "Make, list and end service tokens",
		`A service token is what a service or a script says who it is with: it acts as one principal of one tenant, with
the scopes that it was given, until it expires or is revoked. Only a hash of it is stored.`)
	group.AddCommand(newTokenCreateCommand(p), newTokenListCommand(p), newTokenRevokeCommand(p))
	return group
}

func newTokenCreateCommand(p process) *cobra.Command {
	var create identity.CreateToken
	command := &cobra.Command{
		Use:   "create --tenant ID --principal ID --name NAME",
		Short: "Make a service token, which is shown once",
		Long: `Makes a token and writes it to standard output, alone on a line; what else there is to say goes to standard
error. It cannot be shown again.`,
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&create.Tenant, "tenant", "", "the tenant's id")
	flags.StringVar(&create.Principal, "principal", "", "the id of the principal that the token acts as")
	flags.StringVar(&create.Name, "name", "", "what it is for, for those who look at the list")
	flags.StringSliceVar(
		&create.Scopes,
		"scope",
		nil,
		"a right beyond the principal's own, "+identity.ScopeRead+" or "+identity.ScopeAdmin+"; may be repeated",
	)
	flags.StringVar(&create.Lifetime, "expires-in", "90d", "how long it lasts, such as 12h or 90d; at most a year")
	flags.BoolVar(&create.JSON, "json", false, "as JSON, all on standard output")
	return withTokens(
		p,
		command,
		func() error { return create.Validate() },
		func(ctx context.Context, tokens *identity.Tokens) error {
			return create.Run(ctx, tokens, p.stdout, p.stderr)
		},
	)
}

func newTokenListCommand(p process) *cobra.Command {
	var list identity.ListTokens
	command := &cobra.Command{
		Use:   "list --tenant ID",
		Short: "Show a tenant's service tokens, without their secrets",
	}
	command.Flags().StringVar(&list.Tenant, "tenant", "", "the tenant's id")
	command.Flags().BoolVar(&list.JSON, "json", false, "as JSON")
	return withTokens(
		p,
		command,
		func() error { return list.Validate() },
		func(ctx context.Context, tokens *identity.Tokens) error {
			return list.Run(ctx, tokens, p.stdout)
		},
	)
}

func newTokenRevokeCommand(p process) *cobra.Command {
	var revoke identity.RevokeToken
	command := &cobra.Command{
		Use:   "revoke <token-id> --tenant ID",
		Short: "End a service token at once and for good",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &usageError{"name one token by its id, as fanfare token list shows it"}
			}
			revoke.ID = args[0]
			return nil
		},
	}
	command.Flags().StringVar(&revoke.Tenant, "tenant", "", "the tenant's id")
	command.Flags().BoolVar(&revoke.JSON, "json", false, "as JSON")
	return withTokens(
		p,
		command,
		func() error { return revoke.Validate() },
		func(ctx context.Context, tokens *identity.Tokens) error {
			return revoke.Run(ctx, tokens, p.stdout)
		},
	)
}

// withTokens makes a command of command, of what its flags must be, and of what it does.
func withTokens(
	p process,
	command *cobra.Command,
	validate func() error,
	do func(ctx context.Context, tokens *identity.Tokens) error,
) *cobra.Command {
	command.PreRunE = func(*cobra.Command, []string) error {
		if err := validate(); err != nil {
			return &usageError{strings.ReplaceAll(err.Error(), "\n", "; ")}
		}
		return nil
	}
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		return do(ctx, identity.NewTokens(pool, nil))
	})
}
