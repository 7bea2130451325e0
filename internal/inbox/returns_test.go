package inbox

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/centrifugal/centrifuge-go"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/centrifugotest"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/jwttest"
	"github.com/fanfarehq/fanfare/internal/nettest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// broker is a Centrifugo of a test.
type broker struct {
	server    *devstack.Centrifugo
	publisher *centrifugo.Client
	channels  *centrifugo.Channels
}

func newBroker(t *testing.T) *broker {
	t.Helper()
	server := centrifugotest.Start(t, devstack.CentrifugoOptions{})
	b := &broker{server: server, publisher: newPublisher(t, server.APIURLs(), server.APIKey())}
	var err error
	if b.channels, err = centrifugo.ParseFormats(centrifugo.Formats{}); err != nil {
		t.Fatal(err)
	}
	return b
}

func newPublisher(t *testing.T, url, key string) *centrifugo.Client {
	t.Helper()
	client, err := centrifugo.New(centrifugo.Options{APIURL: url, APIKey: key, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// listen connects the principal of a box and returns the messages on its own channel.
func (c *broker) listen(t *testing.T, b *box) <-chan returnedMessage {
	t.Helper()
	messages, ready := make(chan returnedMessage, 1000), make(chan struct{}, 1)
	subject := b.principal.TenantID.String() + "." + b.principal.PrincipalID.String()
	client := centrifuge.NewJsonClient(c.server.WebSocketURL(), centrifuge.Config{
		Token: jwttest.Sign(t, c.server.TokenSecret(), jwt.MapClaims{
			"sub": subject, "exp": time.Now().Add(time.Minute).Unix(),
		}),
	})
	t.Cleanup(client.Close)
	client.OnSubscribed(func(centrifuge.ServerSubscribedEvent) { ready <- struct{}{} })
	client.OnPublication(func(e centrifuge.ServerPublicationEvent) {
		var m returnedMessage
		if err := json.Unmarshal(e.Data, &m); err != nil {
			t.Errorf("%s: %v", e.Data, err)
		}
		messages <- m
	})
	if err := client.Connect(); err != nil {
		t.Fatal(err)
	}
	receive(t, ready)
	return messages
}

func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(20 * time.Second):
		t.Fatal("got nothing in 20 s")
		panic("not reached")
	}
}

// snooze snoozes notifications that were read an hour ago, for a number of seconds from now.
func (b *box) snooze(t *testing.T, ids []uuid.UUID, seconds int) {
	t.Helper()
	b.exec(t, `UPDATE fanfare.notifications SET read_at = now() - interval '1 hour',
		seen_at = now() - interval '1 hour', snoozed_until = now() + $2 * interval '1 second'
		WHERE activity_id = ANY ($1)`, bytesOf(ids), seconds)
}

func bytesOf(ids []uuid.UUID) [][16]byte {
	list := make([][16]byte, len(ids))
	for i, id := range ids {
		list[i] = id
	}
	return list
}

// TestSnoozedNotificationsReturn ends snoozes and checks what is stored and what is published.
func TestSnoozedNotificationsReturn(t *testing.T) {
	t.Parallel()
	server := newBroker(t)
	b := newBox(t, pgtest.New(t))
	returned, unread := b.add(t, 2, b.visible, true), b.add(t, 1, b.visible, false)
	hidden, archived := b.add(t, 1, b.hidden, true), b.add(t, 1, b.visible, true)
	later := b.add(t, 1, b.visible, true)
	for _, ids := range [][]uuid.UUID{returned, hidden, archived} {
		b.snooze(t, ids, -5)
	}
	b.snooze(t, later, 3600)
	b.exec(t, `UPDATE fanfare.notifications SET archived_at = now() WHERE activity_id = $1`, archived[0])
	messages := server.listen(t, b)
	var observed atomic.Int64
	r := NewReturner(b.db.Pool, ReturnOptions{
		Publisher: server.publisher, Channels: server.channels, Observe: func(n int) { observed.Add(int64(n)) },
	})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	m := receive(t, messages)
	slices.Reverse(returned)
	if m.Version != "1" || m.Type != "inbox.returned" || !slices.Equal(m.NotificationIDs, returned) ||
		m.UnreadCount != len(returned)+len(unread) {
		t.Errorf("got %+v, want %s and %d unread", m, returned, len(returned)+len(unread))
	}
	waittest.Until(t, "the batch is committed", func() bool { return observed.Load() == 4 })
	stop()
	if err := receive(t, done); err != nil {
		t.Errorf("Run: got %v, want nil", err)
	}
	for name, tt := range map[string]struct {
		id   uuid.UUID
		want string
	}{
		"returned": {returned[0], "unread"}, "of a hidden activity": {hidden[0], "unread"},
		"archived": {archived[0], "read"}, "later": {later[0], "read, snoozed"},
	} {
		var got string
		err := b.db.Pool.QueryRow(t.Context(), `
			SELECT concat_ws(', ', CASE WHEN read_at IS NULL AND seen_at IS NULL THEN 'unread' ELSE 'read' END,
				CASE WHEN snoozed_until IS NOT NULL THEN 'snoozed' END)
			FROM fanfare.notifications WHERE activity_id = $1`, tt.id).Scan(&got)
		if err != nil || got != tt.want {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, tt.want)
		}
	}
	select {
	case m := <-messages:
		t.Errorf("got another message %+v, want one", m)
	default:
	}
}

// TestReturnersShareTheWork checks that several workers return each notification once.
func TestReturnersShareTheWork(t *testing.T) {
	t.Parallel()
	server := newBroker(t)
	b := newBox(t, pgtest.New(t))
	ids := b.add(t, 2*returnBatch+50, b.visible, true)
	b.snooze(t, ids, -5)
	messages := server.listen(t, b)
	var observed atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	var workers sync.WaitGroup
	for range 3 {
		r := NewReturner(b.db.Pool, ReturnOptions{
			Publisher: server.publisher, Channels: server.channels, Observe: func(n int) { observed.Add(int64(n)) },
		})
		workers.Go(func() { _ = r.Run(ctx) })
	}
	got := map[uuid.UUID]int{}
	for len(got) < len(ids) {
		for _, id := range receive(t, messages).NotificationIDs {
			if got[id]++; got[id] > 1 {
				t.Errorf("%s: published %d times", id, got[id])
			}
		}
	}
	waittest.Until(t, "all are committed", func() bool { return observed.Load() >= int64(len(ids)) })
	stop()
	workers.Wait()
	if n := observed.Load(); n != int64(len(ids)) || b.unread(t) != len(ids) {
		t.Errorf("got %d returned and %d unread, want %d", n, b.unread(t), len(ids))
	}
}

// TestReturnsAreDelayedByOutages checks that nothing changes while Centrifugo is away, that lists
// and counts are right meanwhile, and that the message follows.
func TestReturnsAreDelayedByOutages(t *testing.T) {
	t.Parallel()
	refused := nettest.Refused(t)
	server := newBroker(t)
	b := newBox(t, pgtest.New(t))
	ids := b.add(t, 1, b.visible, true)
	b.snooze(t, ids, -5)
	away := NewReturner(b.db.Pool, ReturnOptions{
		Publisher: newPublisher(t, "http://"+refused+"/api", "key"), Channels: server.channels,
		Observe: func(n int) { t.Errorf("got %d returned without Centrifugo, want none", n) },
	})
	if n, _, err := away.returnSome(t.Context()); n != 0 || err == nil {
		t.Errorf("without Centrifugo: got %d, %v, want an error", n, err)
	}
	var snoozed bool
	err := b.db.Pool.QueryRow(t.Context(), `SELECT snoozed_until IS NOT NULL AND read_at IS NOT NULL
		FROM fanfare.notifications WHERE activity_id = $1`, ids[0]).Scan(&snoozed)
	if err != nil || !snoozed || b.unread(t) != 1 {
		t.Errorf("without Centrifugo: got stored %t, %v, %d unread, want the row as it was and 1",
			snoozed, err, b.unread(t))
	}
	messages := server.listen(t, b)
	r := NewReturner(b.db.Pool, ReturnOptions{Publisher: server.publisher, Channels: server.channels})
	if n, _, err := r.returnSome(t.Context()); n != 1 || err != nil {
		t.Errorf("got %d, %v, want 1", n, err)
	}
	if m := receive(t, messages); !slices.Equal(m.NotificationIDs, ids) || m.UnreadCount != 1 {
		t.Errorf("got %+v, want %s and 1 unread", m, ids)
	}
}

// TestReturnsMakeProgress spends the budget of a transaction on the first principal: the others
// follow one by one, and none is left.
func TestReturnsMakeProgress(t *testing.T) {
	t.Parallel()
	server := newBroker(t)
	db := pgtest.New(t)
	r := NewReturner(db.Pool, ReturnOptions{Publisher: server.publisher, Channels: server.channels})
	r.budget = 0
	boxes := make([]*box, 3)
	for i := range boxes {
		boxes[i] = newBox(t, db)
		boxes[i].snooze(t, boxes[i].add(t, 2, boxes[i].visible, true), i-10)
	}
	for i, b := range boxes {
		n, more, err := r.returnSome(t.Context())
		if last := i == len(boxes)-1; n != 2 || more == last || err != nil {
			t.Errorf("transaction %d: got %d, more %t, %v, want 2 of one principal", i, n, more, err)
		}
		var left int
		err = db.Pool.QueryRow(t.Context(), `SELECT count(*) FROM fanfare.notifications
			WHERE tenant_id = $1 AND snoozed_until IS NOT NULL`, b.principal.TenantID).Scan(&left)
		if left != 0 || err != nil {
			t.Errorf("transaction %d: got %d snoozes of the longest ended left, %v, want none", i, left, err)
		}
	}
}
