package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// calls is how scenes ask the API. It keeps account of what was asked, and of what was not answered
// as it should be. It is for one goroutine.
type calls struct {
	client *client
	login  login
	made   []*call
	wrong  []string
}

// call is a request and its answer.
type call struct {
	Request
	sent   time.Time
	answer []byte
}

// caller is somebody who asks.
type caller struct {
	calls       *calls
	tenant, who string
	scopes      []string
}

// as speaks for somebody, with scopes beyond their own rights.
func (c *calls) as(tenant, who string, scopes ...string) caller {
	return caller{c, tenant, who, scopes}
}

func (c caller) get(ctx context.Context, path string, want int) (*call, error) {
	return c.ask(ctx, http.MethodGet, path, nil, want)
}

// ask sends a request. An answer with another status than the one wanted is a mismatch, not an
// error.
func (c caller) ask(ctx context.Context, method, path string, body any, want int) (*call, error) {
	token, err := c.calls.login.token(tenantID(c.tenant), principalID(c.who), c.scopes...)
	if err != nil {
		return nil, err
	}
	made := &call{Request: Request{Who: c.who, Tenant: c.tenant, Method: method, Path: path}, sent: time.Now()}
	if made.Body, err = encode(body); err != nil {
		return nil, err
	}
	if made.Status, made.answer, err = c.calls.client.ask(ctx, token, method, path, made.Body); err != nil {
		return nil, err
	}
	made.Milliseconds = milliseconds(time.Since(made.sent))
	c.calls.made = append(c.calls.made, made)
	if made.Status != want {
		c.calls.mismatch("%s %s: got status %d, want %d: %s", method, path, made.Status, want, made.answer)
	}
	return made, nil
}

// note says in a few words what the answer is.
func (c *call) note(format string, args ...any) { c.Note = fmt.Sprintf(format, args...) }

// read reads the answer into what it points to.
func (c *call) read(into any) error {
	if err := json.Unmarshal(c.answer, into); err != nil {
		return fmt.Errorf("%s %s: %w in %s", c.Method, c.Path, err, c.answer)
	}
	return nil
}

func (c *calls) mismatch(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

// take returns the account since the last time.
func (c *calls) take() (made []Request, wrong []string) {
	made = []Request{}
	for _, each := range c.made {
		made = append(made, each.Request)
	}
	wrong = c.wrong
	c.made, c.wrong = nil, nil
	return made, wrong
}
