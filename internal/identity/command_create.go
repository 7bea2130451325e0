package identity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// CreateToken is "fanfare token create", with its flags as they were given.
type CreateToken struct {
	Tenant, Principal string
	Name              string
	Scopes            []string
	Lifetime          string // such as 90d or 12h
	JSON              bool
}

// Validate reports every mistake at once.
func (c CreateToken) Validate() error {
	_, err := c.parse()
	return err
}

// Run makes the token and writes its text to out, alone on a line for scripts to read, and what is
// known of it to notes. With JSON both go to out.
func (c CreateToken) Run(ctx context.Context, tokens *Tokens, out, notes io.Writer) error {
	wanted, err := c.parse()
	if err != nil {
		return err
	}
	text, token, err := tokens.Create(ctx, wanted)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(out, struct {
			Text string `json:"token"`
			Token
		}{string(text), token})
	}
	if _, err := fmt.Fprintln(out, string(text)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(
		notes,
		"This is shown once. It is token %s and ends on %s.\n",
		token.ID,
		shown(&token.ExpiresAt),
	)
	return err
}

func (c CreateToken) parse() (NewToken, error) {
	var wrong mistakes
	wanted := NewToken{
		TenantID: wrong.id("tenant", c.Tenant), PrincipalID: wrong.id("principal", c.Principal),
		Name: c.Name, Scopes: c.Scopes, Lifetime: wrong.lifetime(c.Lifetime),
	}
	if err := errors.Join(wrong...); err != nil {
		return NewToken{}, err
	}
	return wanted, wanted.Validate()
}

// lifetime reads a duration that may be in days.
func (m *mistakes) lifetime(text string) time.Duration {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return time.Duration(n) * 24 * time.Hour
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		m.add("lifetime %q: must be a duration, such as 90d or 12h", text)
	}
	return d
}
