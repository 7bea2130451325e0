package centrifugo_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/centrifugal/centrifuge-go"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

// tokensAt returns Tokens of the real server whose clock is shifted.
func tokensAt(t testing.TB, shift time.Duration) *centrifugo.Tokens {
	t.Helper()
	tokens, err := centrifugo.NewTokens(centrifugo.TokenOptions{
		Secret: server.TokenSecret(),
		Now:    func() time.Time { return time.Now().Add(shift) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// session is a client and the results that the server sends it: nil if permitted.
type session struct {
	client  *centrifuge.Client
	outcome chan error
}

// say records a result unless the test has ended.
func (s *session) say(outcome error) {
	select {
	case s.outcome <- outcome:
	default:
	}
}

// dial connects with a token and returns the server's error.
func dial(t testing.TB, token string, published func(channel string, data []byte)) (*session, error) {
	t.Helper()
	s := &session{
		client:  centrifuge.NewJsonClient(server.WebSocketURL(), centrifuge.Config{Token: token}),
		outcome: make(chan error, 8),
	}
	t.Cleanup(s.client.Close)
	s.client.OnConnected(func(centrifuge.ConnectedEvent) { s.say(nil) })
	s.client.OnConnecting(func(e centrifuge.ConnectingEvent) {
		if e.Code != 0 { // it was connected
			s.say(fmt.Errorf("connecting again: %d %s", e.Code, e.Reason))
		}
	})
	s.client.OnDisconnected(
		func(e centrifuge.DisconnectedEvent) { s.say(fmt.Errorf("disconnected: %d %s", e.Code, e.Reason)) },
	)
	s.client.OnPublication(func(e centrifuge.ServerPublicationEvent) { published(e.Channel, e.Data) })
	if err := s.client.Connect(); err != nil {
		t.Fatal(err)
	}
	return s, receiveOutcome(t, s.outcome)
}

// subscribe returns the server's error. A server that considers the request an attack closes the
// connection.
func (s *session) subscribe(t testing.TB, channel, token string) error {
	t.Helper()
	subscription, err := s.client.NewSubscription(channel, centrifuge.SubscriptionConfig{Token: token})
	if err != nil {
		t.Fatal(err)
	}
	subscription.OnSubscribed(func(centrifuge.SubscribedEvent) { s.say(nil) })
	subscription.OnUnsubscribed(
		func(e centrifuge.UnsubscribedEvent) { s.say(fmt.Errorf("unsubscribed: %d %s", e.Code, e.Reason)) },
	)
	if err := subscription.Subscribe(); err != nil {
		t.Fatal(err)
	}
	return receiveOutcome(t, s.outcome)
}

func receiveOutcome(t testing.TB, outcome <-chan error) error {
	t.Helper()
	select {
	case err := <-outcome:
		return err
	case <-time.After(10 * time.Second):
		t.Fatal("the server gave no answer")
		return nil
	}
}

func ignored(string, []byte) {}

func TestConnectionTokenSubscribesThePersonalChannel(t *testing.T) {
	t.Parallel()
	tenant, principal := uuid.New(), uuid.New()
	token, _ := tokensAt(t, 0).Connection(principalOf(tenant, principal))
	got := make(chan string, 4)
	if _, err := dial(t, token, func(channel string, data []byte) { got <- channel + " " + string(data) }); err != nil {
		t.Fatal(err)
	}
	channels := parse(t, centrifugo.Formats{})
	own, others := channels.User(principalOf(tenant, principal)), channels.User(principalOf(tenant, uuid.New()))
	wantAccepted(t, connect(t, centrifugo.Options{}).Publish(t.Context(), []centrifugo.Broadcast{
		withData(`"theirs"`, others), withData(`"mine"`, own),
	}))
	select {
	case message := <-got:
		if want := own + ` "mine"`; message != want {
			t.Errorf("got %s, want %s", message, want)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("got no message")
	}
}

func TestConnectionTokenIsRejected(t *testing.T) {
	t.Parallel()
	other, err := centrifugo.NewTokens(
		centrifugo.TokenOptions{Secret: strings.Repeat("x", centrifugo.MinTokenSecretBytes)},
	)
	if err != nil {
		t.Fatal(err)
	}
	expired, _ := tokensAt(t, -time.Hour).Connection(principalOf(uuid.New(), uuid.New()))
	foreign, _ := other.Connection(principalOf(uuid.New(), uuid.New()))
	for name, token := range map[string]string{"expired": expired, "of another secret": foreign, "none": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := dial(t, token, ignored); err == nil {
				t.Error("got a connection, want none")
			}
		})
	}
}

// A subscription token permits one user to subscribe to one channel, until it expires.
func TestSubscriptionToken(t *testing.T) {
	t.Parallel()
	tenant, principal := uuid.New(), uuid.New()
	now, past := tokensAt(t, 0), tokensAt(t, -time.Hour)
	channels := parse(t, centrifugo.Formats{})
	channel, other := channels.Resource(tenant, uuid.New()), channels.Resource(tenant, uuid.New())

	connection, _ := now.Connection(principalOf(tenant, principal))
	right, _ := now.Subscription(principalOf(tenant, principal), channel)
	otherChannel, _ := now.Subscription(principalOf(tenant, principal), other)
	otherPrincipal, _ := now.Subscription(principalOf(tenant, uuid.New()), channel)
	otherTenant, _ := now.Subscription(principalOf(uuid.New(), principal), channel)
	expired, _ := past.Subscription(principalOf(tenant, principal), channel)
	noChannel, _ := now.Subscription(principalOf(tenant, principal), "")

	for name, test := range map[string]struct {
		token string
		opens bool
	}{
		"right":              {right, true},
		"other channel":      {otherChannel, false},
		"other principal":    {otherPrincipal, false},
		"other tenant":       {otherTenant, false},
		"expired":            {expired, false},
		"no channel":         {noChannel, false},
		"a connection token": {connection, false},
		"none":               {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := dial(t, connection, ignored)
			if err != nil {
				t.Fatal(err)
			}
			if err := client.subscribe(t, channel, test.token); (err == nil) != test.opens {
				t.Errorf("got %v, want the channel open: %t", err, test.opens)
			}
		})
	}
}

// The personal channel of another principal is closed, also with a token for another channel.
func TestPersonalChannelOfAnotherIsClosed(t *testing.T) {
	t.Parallel()
	tenant, principal := uuid.New(), uuid.New()
	connection, _ := tokensAt(t, 0).Connection(principalOf(tenant, principal))
	client, err := dial(t, connection, ignored)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.subscribe(t, parse(t, centrifugo.Formats{}).User(principalOf(tenant, uuid.New())),
		""); err == nil {
		t.Error("got another's channel, want it closed")
	}
}

func TestTokenClaims(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 987654321, time.UTC)
	secret := strings.Repeat("s", 40)
	tokens, err := centrifugo.NewTokens(centrifugo.TokenOptions{
		Secret: secret, SubscriptionTTL: time.Minute, Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	tenant, principal := uuid.New(), uuid.New()
	connection, connectionEnd := tokens.Connection(principalOf(tenant, principal))
	subscription, subscriptionEnd := tokens.Subscription(principalOf(tenant, principal), "resource:x")

	subject := tenant.String() + "." + principal.String()
	for _, test := range []struct {
		token   string
		expires time.Time
		want    map[string]any
	}{
		{connection, connectionEnd, map[string]any{"sub": subject, "iat": 1772366400.0, "exp": 1772366700.0}},
		{subscription, subscriptionEnd, map[string]any{
			"sub": subject, "iat": 1772366400.0, "exp": 1772366460.0,
			"channel": "resource:x",
		}},
	} {
		claims := jwt.MapClaims{}
		_, err := jwt.NewParser(jwt.WithoutClaimsValidation(), jwt.WithValidMethods([]string{"HS256"})).
			ParseWithClaims(test.token, claims, func(*jwt.Token) (any, error) { return []byte(secret), nil })
		if err != nil {
			t.Fatal(err)
		}
		if meta, isConnection := claims["meta"].(map[string]any); isConnection != (test.want["channel"] == nil) {
			t.Errorf("meta: got %v, want the proof of a connection alone", meta)
		}
		delete(claims, "meta") // the proof is tested where it is verified
		if diff := cmp.Diff(test.want, map[string]any(claims)); diff != "" {
			t.Errorf("claims (-want +got):\n%s", diff)
		}
		if got, want := float64(test.expires.Unix()), test.want["exp"]; got != want || test.expires.Nanosecond() != 0 {
			t.Errorf("expires: got %s, want what the token says, %v", test.expires, want)
		}
	}
}

func TestNewTokensReportsEveryViolation(t *testing.T) {
	t.Parallel()
	_, err := centrifugo.NewTokens(
		centrifugo.TokenOptions{Secret: "hunter2", ConnectionTTL: -time.Second, SubscriptionTTL: 25 * time.Hour},
	)
	for _, want := range []string{
		"token secret", "at least 32", "connection token lifetime",
		"subscription token lifetime",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q among the violations", err, want)
		}
	}
	if err != nil && strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error shows the secret: %v", err)
	}
}

func TestTokensNeverPrintTheSecret(t *testing.T) {
	t.Parallel()
	options := centrifugo.TokenOptions{Secret: strings.Repeat("hunter2", 5)}
	tokens, err := centrifugo.NewTokens(options)
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []any{options, &options, tokens, *tokens} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if got := fmt.Sprintf(verb, value); spills(got) {
				t.Errorf("%s of %T shows the secret: %s", verb, value, got)
			}
		}
		if got, err := json.Marshal(value); spills(string(got)) {
			t.Errorf("JSON of %T: got %s, %v, want no secret", value, got, err)
		}
	}
}

// spills finds the secret as text, in hexadecimal and as a list of bytes.
func spills(printed string) bool {
	return strings.Contains(printed, "hunter2") || strings.Contains(printed, "68756e7465723") ||
		strings.Contains(printed, "104 117 110")
}

func TestTokensWithoutASecretSignNothing(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("got a token, want a panic")
		}
	}()
	new(centrifugo.Tokens).Connection(principalOf(uuid.New(), uuid.New()))
}
