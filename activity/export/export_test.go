package export_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/export"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/uuidv7"
)

// fill stores activities of a tenant, a millisecond apart up to now, with payloads of a size in
// bytes.
func fill(t testing.TB, pool *pgxpool.Pool, tenant uuid.UUID, many, size int) {
	t.Helper()
	_, err := pool.Exec(t.Context(), `
		INSERT INTO fanfare.activities (id, tenant_id, actor_principal_id, resource_id, correlation_id, owner_id,
			occurred_at, recorded_at, resource_type, resource_name, action, visibility, status, severity, category,
			delivery_channels, message, request_id, user_agent, ip_hash, ip_key_id, payload)
		SELECT fanfare.uuidv7(at), $1, md5('p' || n % 100)::uuid, md5('r' || n % 1000)::uuid, gen_random_uuid(),
			md5('o' || n % 50)::uuid, at, at, 'signal', 'Signal ' || n % 1000,
			(ARRAY['signal.created', 'signal.updated', 'run.started', 'run.failed'])[n % 4 + 1], 'resource',
			CASE n % 4 WHEN 3 THEN 'failure' ELSE 'success' END, 'info', 'research', '{}',
			'Ada changed signal ' || n, 'req-' || n, 'Mozilla/5.0 (X11; Linux x86_64)',
			sha256(n::text::bytea), 1, jsonb_build_object('n', n, 'text', repeat('x', $3 - 20))
		FROM (
			SELECT n, now() - ($2 - n) * interval '1 millisecond' AS at FROM generate_series(1, $2::int) AS n
		) AS x`, tenant, many, size)
	if err != nil {
		t.Fatal(err)
	}
}

func ids(t testing.TB, text []byte) (list []uuid.UUID) {
	t.Helper()
	for line := range bytes.Lines(text) {
		var got object
		strictly(t, line, &got)
		list = append(list, got.ID)
	}
	return list
}

// TestExportEqualsList exports in steps while other activities are recorded, and compares with the
// pages of List at its beginning.
func TestExportEqualsList(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	tenant := uuid.New()
	fill(t, pool, tenant, 6_000, 600)
	fill(t, pool, uuid.New(), 100, 30)
	log := pglog.New(pool)
	for name, f := range map[string]activity.Filter{
		"all":      {},
		"action":   {Action: "run.*"},
		"resource": {Resource: uuid.UUID(md5.Sum([]byte("r7")))},
		"failures": {Status: "failure", Q: "SIGNAL 1"},
		"none":     {Q: "no such"},
	} {
		for _, newestFirst := range []bool{false, true} {
			var want []uuid.UUID
			for page, more := (activity.Page{Limit: activity.MaxPage}), true; more; more = page.Before != uuid.Nil {
				list, next, err := log.List(t.Context(), tenant, f, page)
				if err != nil {
					t.Fatal(err)
				}
				for _, a := range list {
					want = append(want, a.ID)
				}
				page.Before = next
			}
			if !newestFirst {
				slices.Reverse(want)
			}
			var out bytes.Buffer
			steps, part := 0, 0.0
			got, err := export.Export{
				Tenant: tenant, Filter: f, NewestFirst: newestFirst, Encoder: export.Encoder{Format: export.JSONL},
				Progress: func(p export.Progress) {
					if steps++; p.Part < part || p.Part > 1 {
						t.Errorf("%s: step %d is at %v, behind %v", name, steps, p.Part, part)
					}
					part = p.Part
					fill(t, pool, tenant, 3, 30)
				},
			}.Write(t.Context(), log, &out)
			if err != nil {
				t.Fatal(err)
			}
			if exported := ids(t, out.Bytes()); !slices.Equal(exported, want) {
				t.Errorf(
					"%s, newest first %v: got %d activities, want the %d of List",
					name,
					newestFirst,
					len(exported),
					len(want),
				)
			}
			if got.Activities != int64(len(want)) || got.Bytes != int64(out.Len()) || got.Part != 1 ||
				name == "all" && steps < 5 {
				t.Errorf(
					"%s: got %+v in %d steps, want %d activities and %d bytes, and of all in several",
					name,
					got,
					steps,
					len(want),
					out.Len(),
				)
			}
		}
	}
}

// TestExportKeepsEveryValue compares exported values with those in the database.
func TestExportKeepsEveryValue(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	log := pglog.New(pool)
	rapid.Check(t, func(rt *rapid.T) {
		tenant := uuid.New()
		text := rapid.StringOf(rapid.Rune().Filter(func(r rune) bool { return r != 0 })).Draw(rt, "text")
		number := rapid.StringMatching(`-?[1-9][0-9]{0,40}(\.[0-9]{1,40})?`).Draw(rt, "number")
		quoted, err := json.Marshal(text)
		if err != nil {
			rt.Fatal(err)
		}
		if _, err := pool.Exec(t.Context(), `
			SELECT fanfare.record_activity(jsonb_build_object('tenant_id', $1::text, 'actor_principal_id', $2::text,
				'resource_id', $2::text, 'resource_type', 'signal', 'action', 'signal.created',
				'message', left($3, 4000), 'ip', '192.0.2.7', 'payload', $4::jsonb))`,
			tenant.String(), uuid.NewString(), text, `{"n":`+number+`,"s":`+string(quoted)+`}`); err != nil {
			rt.Fatal(err)
		}
		var out bytes.Buffer
		if _, err := (export.Export{
			Tenant:  tenant,
			Encoder: export.Encoder{Format: export.JSONL},
		}).Write(t.Context(), log, &out); err != nil {
			rt.Fatal(err)
		}
		list, _, err := log.List(t.Context(), tenant, activity.Filter{}, activity.Page{})
		if err != nil || len(list) != 1 {
			rt.Fatalf("got %v, %v, want one activity", list, err)
		}
		var got object
		strictly(t, out.Bytes(), &got)
		want := objectOf(&list[0])
		if got.Message != text || got.IPHash == nil || *got.IPHash != *want.IPHash || *got.IPKeyID != *want.IPKeyID ||
			strings.Contains(out.String(), "192.0.2.7") {
			rt.Errorf("got %s, want the message %q, and of the address its hash", out.Bytes(), text)
		}
		var payload struct {
			N json.Number
			S string
		}
		if err := json.Unmarshal(got.Payload, &payload); err != nil || payload.N.String() != number ||
			payload.S != text {
			rt.Errorf("payload: got %s, %v, want the number %s to the digit and %q", got.Payload, err, number, text)
		}
	})
}

func TestGzip(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	tenant := uuid.New()
	fill(t, pool, tenant, 100, 100)
	e := export.Export{Tenant: tenant, Encoder: export.Encoder{Format: export.CSV}}
	var plain, zipped bytes.Buffer
	if _, err := e.Write(t.Context(), pglog.New(pool), &plain); err != nil {
		t.Fatal(err)
	}
	e.Gzip = true
	if _, err := e.Write(t.Context(), pglog.New(pool), &zipped); err != nil {
		t.Fatal(err)
	}
	size := zipped.Len()
	reader, err := gzip.NewReader(&zipped)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(reader); err != nil || !bytes.Equal(got, plain.Bytes()) || size >= plain.Len() {
		t.Errorf("got %d bytes in %d, %v, want the %d of the plain export", len(got), size, err, plain.Len())
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	var interrupted *export.InterruptedError
	for name, e := range map[string]export.Export{
		"format": {Encoder: export.Encoder{Format: "xml"}},
		"filter": {Encoder: export.Encoder{Format: export.CSV}, Filter: activity.Filter{Status: "?"}},
	} {
		var out bytes.Buffer
		if _, err := e.Write(t.Context(), pglog.New(nil), &out); err == nil ||
			errors.As(err, &interrupted) ||
			out.Len() > 0 {
			t.Errorf("%s: got %v and %q, want an error before any output", name, err, &out)
		}
	}
}

// TestInterrupted interrupts an export by its context and by its output. The output consists of
// complete lines, and the error counts them.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	tenant := uuid.New()
	fill(t, pool, tenant, 6_000, 600)
	log := pglog.New(pool)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out bytes.Buffer
	_, err := export.Export{
		Tenant: tenant, Encoder: export.Encoder{Format: export.JSONL}, Progress: func(export.Progress) { cancel() },
	}.Write(ctx, log, &out)
	var interrupted *export.InterruptedError
	if !errors.As(err, &interrupted) || !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want an *InterruptedError with its cause", err)
	}
	if got := ids(t, out.Bytes()); len(got) == 0 || len(got) >= 6_000 || int64(len(got)) != interrupted.Written {
		t.Errorf("got %d activities and a count of %d, want them equal and not 0", len(got), interrupted.Written)
	}

	errNoSpace := errors.New("no space left")
	var zipped bytes.Buffer
	_, err = export.Export{
		Tenant:  tenant,
		Encoder: export.Encoder{Format: export.CSV},
		Gzip:    true,
	}.Write(
		t.Context(),
		log,
		&failing{w: &zipped, after: 20_000, err: errNoSpace},
	)
	if !errors.As(err, &interrupted) || !errors.Is(err, errNoSpace) {
		t.Errorf("got %v, want an *InterruptedError with its cause", err)
	}
	if reader, err := gzip.NewReader(&zipped); err != nil {
		t.Error(err)
	} else if _, err := io.Copy(io.Discard, reader); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the compressed part: got %v, want an unexpected EOF", err)
	}
}

// failing fails after a number of bytes.
type failing struct {
	w     io.Writer
	after int
	err   error
}

func (f *failing) Write(b []byte) (int, error) {
	if f.after -= len(b); f.after < 0 {
		return 0, f.err
	}
	return f.w.Write(b)
}

// TestLateCommit commits a transaction behind the position of the export. Its activity may be
// missing; no other activity is affected.
func TestLateCommit(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	tenant := uuid.New()
	fill(t, pool, tenant, 4_000, 600)
	log := pglog.New(pool)
	late, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = late.Rollback(context.WithoutCancel(t.Context())) }()
	before := uuidv7.At(time.Now().Add(-time.Hour), uuid.Nil)
	if _, err := late.Exec(t.Context(), `
		INSERT INTO fanfare.activities SELECT (jsonb_populate_record(a, jsonb_build_object('id', $1::text))).*
		FROM (SELECT a FROM fanfare.activities AS a WHERE tenant_id = $2 LIMIT 1) AS x`,
		before.String(), tenant); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	committed := false
	if _, err := (export.Export{
		Tenant:  tenant,
		Encoder: export.Encoder{Format: export.JSONL},
		Progress: func(export.Progress) {
			if !committed {
				if err := late.Commit(t.Context()); err != nil {
					t.Error(err)
				}
				committed = true
			}
		},
	}).Write(t.Context(), log, &out); err != nil {
		t.Fatal(err)
	}
	got := ids(t, out.Bytes())
	if len(got) != 4_000 || slices.Contains(got, before) ||
		!slices.IsSortedFunc(got, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }) ||
		len(slices.Compact(slices.Clone(got))) != len(got) {
		t.Errorf(
			"got %d activities, the late one too: %v; want the 4000 others, each once, in order",
			len(got),
			slices.Contains(got, before),
		)
	}
}

// TestMemoryIsConstant exports many activities, some large ones, and measures the heap meanwhile.
func TestMemoryIsConstant(t *testing.T) {
	pool := pgtest.New(t).Pool
	tenant := uuid.New()
	fill(t, pool, tenant, 100_000, 100)
	fill(t, pool, tenant, 500, 200_000)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, peak, steps := heap(), uint64(0), 0
	got, err := export.Export{
		Tenant:  tenant,
		Encoder: export.Encoder{Format: export.JSONL},
		Progress: func(export.Progress) {
			if steps++; steps%10 == 0 {
				peak = max(peak, heap())
			}
		},
	}.Write(
		t.Context(),
		pglog.New(pool),
		io.Discard,
	)
	if err != nil || got.Activities != 100_500 {
		t.Fatalf("got %+v, %v, want 100,500 activities", got, err)
	}
	const bound = 16 << 20
	if grown := int64(peak) - int64(before); grown > bound || peak == 0 {
		t.Errorf("the heap grew by %d MiB over %d MiB of text, want at most %d", grown>>20, got.Bytes>>20, bound>>20)
	}
}

func BenchmarkExport(b *testing.B) {
	pool := pgtest.New(b).Pool
	tenant := uuid.New()
	const many = 50_000
	fill(b, pool, tenant, many, 200)
	if _, err := pool.Exec(b.Context(), `VACUUM ANALYZE fanfare.activities`); err != nil {
		b.Fatal(err)
	}
	for _, f := range export.Formats() {
		for _, zipped := range []bool{false, true} {
			name := string(f)
			if zipped {
				name += ".gz"
			}
			b.Run(name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					got, err := export.Export{
						Tenant:  tenant,
						Encoder: export.Encoder{Format: f},
						Gzip:    zipped,
					}.Write(
						b.Context(),
						pglog.New(pool),
						io.Discard,
					)
					if err != nil || got.Activities != many {
						b.Fatal(got, err)
					}
				}
				b.ReportMetric(many*float64(b.N)/b.Elapsed().Seconds(), "activities/s")
			})
		}
	}
}
