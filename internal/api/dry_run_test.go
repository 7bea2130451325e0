package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/envelopetest"
	"github.com/fanfarehq/fanfare/internal/explain"
	"github.com/fanfarehq/fanfare/internal/identity"
)

const dryRunPath = "/v1/activities/dry-run"

type dryRun struct {
	ExistingID *uuid.UUID `json:"existing_id"`
	Channels   []string
	Items      []explain.AudienceMember
	NextCursor *string `json:"next_cursor"`
}

// writtenRows returns the number of rows that recording writes.
func (w *world) writtenRows() int {
	w.t.Helper()
	return w.count(`SELECT (SELECT count(*) FROM fanfare.activities) + (SELECT count(*) FROM fanfare.outbox)
		+ (SELECT count(*) FROM fanfare.idempotency_keys)`)
}

// TestDryRunRefusesWhatRecordingRefuses sends every case of the envelopes without recording it, and
// then records it.
func TestDryRunRefusesWhatRecordingRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	writer := w.writer(uuid.MustParse("11111111-1111-4111-8111-111111111111")).withHeader("X-Request-Id", "the-same")
	var refused, accepted int
	for _, c := range envelopetest.Cases(t) {
		text, before := c.JSON(t), w.writtenRows()
		dry := writer.do("POST", dryRunPath, text)
		if rows := w.writtenRows() - before; rows != 0 {
			t.Errorf("%s: %d rows were written", c.Name, rows)
		}
		recorded := writer.do("POST", "/v1/activities", text)
		switch {
		case dry.status == http.StatusOK && recorded.status == http.StatusAccepted:
			accepted++
			if got := as[dryRun](dry); got.Items != nil || got.ExistingID != nil {
				t.Errorf("%s: got %s, want no audience", c.Name, dry.body)
			}
		case dry.status == recorded.status && string(dry.body) == string(recorded.body):
			refused++
		default:
			t.Errorf("%s: got %d %s, and on recording %d %s",
				c.Name, dry.status, dry.body, recorded.status, recorded.body)
		}
	}
	t.Logf("%d envelopes are accepted, %d refused", accepted, refused)
	if accepted == 0 || refused == 0 {
		t.Errorf("got %d accepted and %d refused, want some of each", accepted, refused)
	}
}

// TestDryRunAudience asks as everybody who may, in pages, and as others.
func TestDryRunAudience(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	body := func(resource uuid.UUID, more string) string {
		return fmt.Sprintf(`{"resource_id":%q,"resource_type":"signal","action":"signal.updated"%s}`, resource, more)
	}
	before := w.writtenRows()
	actor := fmt.Sprintf(`,"actor_principal_id":%q`, uuid.New())
	for name, c := range map[string]client{
		"owner": at.as(at.owner), "delegator": at.as(at.delegator), "admin": at.as(at.outsider, identity.ScopeAdmin),
		"owner who may record": at.as(at.owner, identity.ScopeWrite),
	} {
		got := map[uuid.UUID]bool{}
		for cursor := ""; ; {
			target := dryRunPath + "?limit=1&cursor=" + cursor
			page := as[dryRun](c.do("POST", target, body(at.signal, actor)).want(http.StatusOK))
			for _, m := range page.Items {
				got[m.PrincipalID] = m.Now.Notified
			}
			if page.NextCursor == nil {
				break
			}
			cursor = *page.NextCursor
		}
		if len(got) != 3 || !got[at.owner] || !got[at.member] || !got[at.delegator] {
			t.Errorf("%s: got %v, want three who are notified", name, got)
		}
	}
	own := as[dryRun](at.as(at.owner).do("POST", dryRunPath+"?notified=false", body(at.signal, "")).want(http.StatusOK))
	if len(own.Items) != 1 || own.Items[0].Now.DecidedBy != "actor" || len(own.Channels) != 1 {
		t.Errorf("got %+v, want the caller as the actor", own)
	}
	existing := fmt.Sprintf(`,"correlation_id":%q`, at.shown) // recorded without one
	got := as[dryRun](at.as(at.owner).do("POST", dryRunPath, body(at.signal, existing)).want(http.StatusOK))
	if got.ExistingID == nil || *got.ExistingID != at.shown || got.Items != nil {
		t.Errorf("a duplicate: got %+v, want %s", got, at.shown)
	}
	owned := fmt.Sprintf(`,"owner_id":%q,"parent_id":%q`, at.member, at.folder)
	for name, request := range map[string]struct {
		by   client
		body string
	}{
		"a viewer":                               {at.as(at.member), body(at.signal, "")},
		"a viewer, of an invalid envelope":       {at.as(at.member), body(at.signal, `,"visibility":"all"`)},
		"a viewer with activity:read":            {at.as(at.member, identity.ScopeRead), body(at.signal, "")},
		"the owner that only the envelope names": {at.as(at.member), body(uuid.New(), owned)},
		"the owner of a foreign resource":        {at.as(at.owner), body(w.elsewhere.signal, "")},
		"nobody's resource":                      {at.as(at.owner), `{}`},
	} {
		if got := request.by.do("POST", dryRunPath, request.body); got.status != http.StatusNotFound {
			t.Errorf("%s: got %d %s, want 404", name, got.status, got.body)
		}
	}
	foreign := fmt.Sprintf(`,"tenant_id":%q`, w.elsewhere.id)
	at.as(at.owner).do("POST", dryRunPath, body(at.signal, foreign)).want(http.StatusUnprocessableEntity)
	at.as(at.owner).do("POST", dryRunPath, `{"activities":[]}`).want(http.StatusUnprocessableEntity)
	if rows := w.writtenRows() - before; rows != 0 {
		t.Errorf("%d rows were written", rows)
	}
}
