package identity

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"
)

// RevokeToken is "fanfare token revoke".
type RevokeToken struct {
	Tenant, ID string
	JSON       bool
}

// Validate reports every mistake at once.
func (c RevokeToken) Validate() error {
	_, _, err := c.parse()
	return err
}

// Run ends the token and says so on out. A token that is not the tenant's is [ErrNoToken].
func (c RevokeToken) Run(ctx context.Context, tokens *Tokens, out io.Writer) error {
	tenant, id, err := c.parse()
	if err != nil {
		return err
	}
	token, err := tokens.Revoke(ctx, tenant, id)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(out, token)
	}
	_, err = fmt.Fprintf(out, "Token %s (%s) is revoked since %s.\n", token.ID, token.Name, shown(token.RevokedAt))
	return err
}

func (c RevokeToken) parse() (tenant, id uuid.UUID, err error) {
	var wrong mistakes
	tenant, id = wrong.id("tenant", c.Tenant), wrong.id("token", c.ID)
	return tenant, id, errors.Join(wrong...)
}
