package stage

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"
)

const defaultDays = 6

// teller invents what happened in a world. The same options give the same story.
type teller struct {
	world     *World
	random    *rand.Rand
	now       time.Time // of the next envelope
	envelopes []Envelope
}

// history returns the envelopes of the last days, the oldest first. The last ones are of the last
// minutes.
func (w *World) history(o WorldOptions, now time.Time) []Envelope {
	if o.Activities == 0 || len(w.Resources) == 1 {
		return nil
	}
	days := o.Days
	if days == 0 {
		days = defaultDays
	}
	t := &teller{world: w, random: rand.New(rand.NewPCG(1, 11))}
	span := time.Duration(days) * 24 * time.Hour
	for len(t.envelopes) < o.Activities {
		// The density grows towards the present.
		past := 1 - float64(len(t.envelopes))/float64(o.Activities)
		t.now = now.Add(-2*time.Second - time.Duration(past*past*float64(span)))
		t.invent()
	}
	return t.envelopes[:o.Activities]
}

func (t *teller) invent() {
	switch n := t.random.IntN(100); {
	case n < 26:
		t.comment()
	case n < 48:
		t.change()
	case n < 60:
		t.file()
	case n < 72:
		t.pipeline()
	case n < 80:
		t.device()
	case n < 86:
		t.invoice()
	case n < 92:
		t.members()
	case n < 97:
		t.account()
	default:
		t.announcement()
	}
}

func (t *teller) pick(keys ...string) string { return keys[t.random.IntN(len(keys))] }

// tell adds an envelope. Fields are those besides the actor, the resource and the action.
func (t *teller) tell(actor, action, resource string, payload map[string]any, fields ...any) {
	e := t.world.envelope(actor, action, resource, payload)
	e["occurred_at"] = t.now.UTC().Format(time.RFC3339Nano)
	for i := 0; i+1 < len(fields); i += 2 {
		e[fields[i].(string)] = fields[i+1]
	}
	t.envelopes = append(t.envelopes, e)
}

// envelope returns an envelope of principals and resources by their keys.
func (w *World) envelope(actor, action, resource string, payload any) Envelope {
	r := w.Resources[resource]
	return Envelope{
		"tenant_id": w.TenantID, "actor_principal_id": w.Principals[actor].ID, "action": action,
		"resource_id": r.ID, "resource_type": r.Type, "payload": payload,
	}
}

var remarks = []string{
	"Can we ship this on Thursday? The torque limits look right to me now.",
	"I measured it again: 7.6 ms at the 99th percentile, with the new driver.",
	"Please look at the second table before we close this.",
	"Agreed.",
	"This breaks when the arm is cold; see the log of last night.",
	"Merging when it is green.",
	"I moved the open questions to the end of the document, so that the first page can be read in two minutes. " +
		"Nothing else changed.",
}

func (t *teller) comment() {
	actor := t.pick("ada", "grace", "linus", "mei", "omar", "priya", "scout")
	on := t.pick("atlas-grip", "atlas-calibrate", "atlas-estop", "atlas-spec", "mercury-copy", "mercury-dark",
		"mercury-brand")
	body := remarks[t.random.IntN(len(remarks))]
	payload := map[string]any{"comment_id": uuid.New(), "body": body}
	if t.random.IntN(3) == 0 {
		target := t.world.Principals[t.pick("grace", "ada", "mei")]
		payload["body"] = "@" + strings.Fields(target.Name)[0] + " " + body
		t.tell(actor, "comment.created", on, payload, "target_principal_ids", []uuid.UUID{target.ID})
		return
	}
	t.tell(actor, t.pick("comment.created", "comment.created", "comment.created", "comment.updated"), on, payload)
}

func (t *teller) change() {
	actor := t.pick("ada", "grace", "linus", "mei", "priya", "courier")
	on := t.pick("atlas-grip", "atlas-estop", "atlas-spec", "atlas-idea", "mercury-copy", "mercury-icons",
		"atlas-runbooks")
	action := t.pick("resource.updated", "resource.updated", "resource.updated", "resource.created", "resource.deleted",
		"resource.shared")
	payload := map[string]any{}
	switch action {
	case "resource.shared":
		payload["role"] = "viewer"
	case "resource.deleted":
		payload["reason"] = "It is replaced by the motion planner specification."
	default:
		payload["changed"] = []string{t.pick("title", "status", "assignee", "due_at"), "description"}
	}
	t.tell(actor, action, on, payload)
}

func (t *teller) file() {
	on := t.pick("atlas-docs", "atlas-spec", "mercury-docs", "mercury-brand", "invoices")
	payload := map[string]any{"file_id": uuid.New(), "bytes": 1 << (10 + t.random.IntN(14))}
	if t.random.IntN(5) == 0 {
		t.tell(t.pick("mei", "grace"), "file.deleted", on, payload)
		return
	}
	payload["media_type"] = t.pick("application/pdf", "image/png", "text/csv")
	t.tell(t.pick("mei", "grace", "linus", "courier"), "file.uploaded", on, payload)
}

// pipeline adds a run in several steps, which have one correlation id.
func (t *teller) pipeline() {
	on, run := t.pick("atlas-nightly", "atlas-release", "mercury-ci"), uuid.New()
	correlated := []any{"correlation_id", run, "request_id", "req-" + run.String()[:8]}
	step := func(actor, action string, payload map[string]any, fields ...any) {
		t.tell(actor, action, on, payload, append(correlated, fields...)...)
		t.now = t.now.Add(time.Duration(4+t.random.IntN(180)) * time.Millisecond)
	}
	step("ci", "job.started", map[string]any{"job_id": run, "trigger": "schedule"})
	step("ci", "file.uploaded", map[string]any{
		"file_id": uuid.New(), "bytes": 48_231_004, "media_type": "application/zip",
	})
	if t.random.IntN(3) > 0 {
		step("ci", "job.completed", map[string]any{"job_id": run, "duration_ms": 40_000 + t.random.IntN(200_000)})
		step("scout", "comment.created", map[string]any{
			"comment_id": uuid.New(), "body": "All 1,204 checks passed. The image is 2 % smaller than the last one.",
		})
		return
	}
	step("ci", "job.failed", map[string]any{
		"job_id": run, "error": "flash: the verification of block 17 failed (0x3fa8 ≠ 0x3fa9)",
		"attempt": 1, "will_retry": true,
	}, "status", "failure", "severity", t.pick("error", "error", "critical"))
	step("scout", "comment.created", map[string]any{
		"comment_id": uuid.New(),
		"body":       "Block 17 failed on two boards of the same batch. I opened a task for the supplier.",
	})
}

func (t *teller) device() {
	on := t.pick("fleet-eu-1", "fleet-eu-2", "fleet-eu-3", "fleet-us-1", "fleet-us-2", "fleet-jp-1")
	if t.random.IntN(4) == 0 {
		t.tell("ci", "job.failed", on, map[string]any{
			"error": "The joint 3 drew 14.2 A for 800 ms; the arm stopped.", "attempt": 1, "will_retry": false,
		}, "severity", "critical", "status", "failure")
		return
	}
	t.tell(t.pick("ci", "noor"), "resource.updated", on, map[string]any{
		"changed": []string{"firmware"}, "firmware": "4.12.0",
	}, "message", "Firmware 4.12.0 is installed")
}

func (t *teller) invoice() {
	on := t.pick("invoice-117", "invoice-118")
	number := map[string]any{"invoice_id": t.pick("INV-2026-0117", "INV-2026-0118")}
	switch t.random.IntN(3) {
	case 0:
		number["reason"], number["will_retry"] = "declined", true
		t.tell("ledger", "billing.payment.failed", on, number, "status", "failure", "visibility", "resource")
	case 1:
		number["amount_minor"], number["currency"] = 1_240_000, "EUR"
		t.tell("ledger", "billing.payment.succeeded", on, number, "visibility", "resource")
	default:
		number["amount_minor"], number["currency"] = 1_240_000, "EUR"
		t.tell("ledger", "billing.invoice.issued", on, number, "visibility", "resource")
	}
}

func (t *teller) members() {
	on := t.pick("atlas", "mercury", "fleet")
	if t.random.IntN(2) == 0 {
		t.tell("ada", "member.invited", on, map[string]any{"role": "viewer"})
		return
	}
	target := t.world.Principals[t.pick("grace", "priya", "noor")].ID
	t.tell("ada", "member.role_changed", on, map[string]any{"from_role": "viewer", "to_role": "member"},
		"target_principal_ids", []uuid.UUID{target})
}

func (t *teller) account() {
	t.tell(t.pick("grace", "ada", "linus"), "auth.login.failure", "halden", map[string]any{
		"method": "password", "reason": "wrong_credentials", "attempts": 1 + t.random.IntN(6),
	}, "status", "failure", "ip", fmt.Sprintf("192.0.2.%d", 1+t.random.IntN(200)),
		"user_agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
}

func (t *teller) announcement() {
	t.tell("ada", "comment.created", "atlas", map[string]any{
		"comment_id": uuid.New(), "body": "The demonstration for the port of Rotterdam moves to the 14th.",
	}, "severity", "warning", "visibility", "tenant")
}
