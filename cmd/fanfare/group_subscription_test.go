package main

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// TestSubscribeAGroup subscribes a group as the owner of the resource, and revokes that.
func TestSubscribeAGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	group := uuid.New()
	if _, err := w.db.Pool.Exec(t.Context(), `
		INSERT INTO fanfare.memberships (tenant_id, group_id, principal_id) VALUES ($1, $2, $3)`,
		w.tenant, group, w.actor); err != nil {
		t.Fatal(err)
	}
	do := w.as(t, "subscriptions")
	id, added := strings.CutPrefix(do("add", w.resource.String(), "--group", group.String()), "Subscription added: ")
	if id = strings.TrimSpace(id); !added || do("list") != "No subscriptions.\n" {
		t.Errorf("got %q, want a subscription that is not the owner's", id)
	}
	member := fanfare(t, w.environ(), "subscriptions", "list", "--through-groups", "--tenant", w.tenant.String(),
		"--as", w.actor.String())
	if !strings.Contains(member.stdout, id+"   "+group.String()+"   "+w.resource.String()) {
		t.Errorf("of a member: got exit code %d and %q, want the group's", member.code, member.stdout)
	}
	if got := do("remove", id); got != "Subscription revoked: "+id+"\n" {
		t.Errorf("remove: got %q", got)
	}
	r := fanfare(t, w.environ(), w.asOwner("subscriptions", "add", w.resource.String(), "--group", w.actor.String())...)
	if r.code != exitFailure || !strings.Contains(r.stderr, "group "+w.actor.String()+": not found") {
		t.Errorf("what is no group: got exit code %d and %q", r.code, r.stderr)
	}
}
