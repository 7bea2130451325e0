package identity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/google/uuid"
)

// ListTokens is "fanfare token list".
type ListTokens struct {
	Tenant string
	JSON   bool
}

// Validate reports every mistake at once.
func (c ListTokens) Validate() error {
	_, err := c.parse()
	return err
}

// Run writes the tenant's tokens to out, the newest first.
func (c ListTokens) Run(ctx context.Context, tokens *Tokens, out io.Writer) error {
	tenant, err := c.parse()
	if err != nil {
		return err
	}
	all, err := tokens.List(ctx, tenant)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(out, all)
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(out, "There are no tokens.")
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "ID\tNAME\tPRINCIPAL\tSTATE\tCREATED\tENDS\tLAST USED\tSCOPES")
	now := tokens.now()
	for _, t := range all {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Name, t.PrincipalID, t.State(now),
			shown(&t.CreatedAt), shown(&t.ExpiresAt), shown(t.LastUsedAt), shownScopes(t.Scopes))
	}
	return table.Flush()
}

func (c ListTokens) parse() (uuid.UUID, error) {
	var wrong mistakes
	tenant := wrong.id("tenant", c.Tenant)
	return tenant, errors.Join(wrong...)
}
