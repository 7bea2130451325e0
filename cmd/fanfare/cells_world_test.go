package main

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// twoCells are two worlds, each in a cell of its own: a lists its tenant, b has all slots.
type twoCells struct {
	a, b       world
	centrifugo *devstack.Centrifugo
	file       string
}

func newTwoCells(t testing.TB, a, b *pgtest.DB) twoCells {
	t.Helper()
	c := twoCells{a: newWorld(t, a), b: newWorld(t, b), centrifugo: startCentrifugo(t)}
	c.file = writeCells(t, fmt.Sprintf("cells:\n  - name: a\n    database_url: %q\n    tenants: [%s]\n"+
		"  - name: b\n    database_url: %q\n    slots: 0-65535\n", a.URL, c.a.tenant, b.URL))
	return c
}

// writeCells writes a file of cells.
func writeCells(t testing.TB, content string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "cells.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// environ returns the environment of a daemon and of commands for the cells.
func (c twoCells) environ() map[string]string {
	environ := environment(c.a.db, c.centrifugo)
	delete(environ, "FANFARE_DATABASE_URL")
	environ["FANFARE_CELLS"] = c.file
	return environ
}

// commands returns the environment of commands that need no more than the cells.
func (c twoCells) commands() map[string]string { return map[string]string{"FANFARE_CELLS": c.file} }

// newToken returns a new service token of a world's tenant, whose cell the command finds.
func (c twoCells) newToken(t testing.TB, w world, scopes string) string {
	t.Helper()
	return strings.TrimSpace(must(t, c.commands(), "token", "create", "--tenant", w.tenant.String(),
		"--principal", w.owner.String(), "--name", "tests", "--scope", scopes))
}

var codeOfLink = regexp.MustCompile(`#code=([A-Z2-7]+)\n`)

// newCode returns the code of a new link for the owner of a world.
func (c twoCells) newCode(t testing.TB, w world) string {
	t.Helper()
	link := must(t, c.commands(), "console", "link", "--tenant", w.tenant.String(), "--principal", w.owner.String())
	return codeOfLink.FindStringSubmatch(link)[1]
}

// signIn begins a session and returns the value of its cookie, or "" with the status.
func (c caller) signIn(t testing.TB, code string) (token string, status int) {
	t.Helper()
	answer := c.send(t, http.MethodPost, "/session", fmt.Sprintf(`{"code":%q}`, code))
	_ = answer.Body.Close()
	cookie, _, _ := strings.Cut(answer.Header.Get("Set-Cookie"), ";")
	return strings.TrimPrefix(cookie, "fanfare_session="), answer.StatusCode
}

// session returns a caller with a session.
func (c caller) session(token string) caller {
	return c.with("Cookie", "fanfare_session="+token).with("Sec-Fetch-Site", "same-origin")
}

// me is the answer of GET /me, with the fields that the tests use.
type me struct {
	TenantID string `json:"tenant_id"`
}

// isOf fails the test unless a request is answered for the tenant of a world.
func (c caller) isOf(t testing.TB, what string, w world) {
	t.Helper()
	got := c.do(t, http.MethodGet, "/me", "")
	var body me
	if got.status == http.StatusOK {
		got.read(t, &body)
	}
	if body.TenantID != w.tenant.String() {
		t.Errorf("%s: got status %d with %s, want the tenant %s", what, got.status, got.body, w.tenant)
	}
}

// isRefused fails the test unless a request is refused as one with an unknown credential is.
func (c caller) isRefused(t testing.TB, what string) {
	t.Helper()
	got := c.do(t, http.MethodGet, "/me", "")
	if got.status != http.StatusUnauthorized || !strings.Contains(got.body, "/problems/unauthenticated") {
		t.Errorf("%s: got status %d with %s, want 401", what, got.status, got.body)
	}
}

// without returns an environment without a variable.
func without(environ map[string]string, name string) map[string]string {
	environ = maps.Clone(environ)
	delete(environ, name)
	return environ
}
