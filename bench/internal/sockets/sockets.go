// Package sockets connects people to Centrifugo as their browsers would: over WebSocket, with a
// token, each on the channel that comes with the connection.
package sockets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge-go"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
)

// Reception is one publication that reached one person.
type Reception struct {
	Person   uuid.UUID
	Activity uuid.UUID
	Resource uuid.UUID
	Version  int64 // of the fixture's Change
	At       time.Time
}

// Audience is everybody's connections. Its methods are safe for concurrent use.
type Audience struct {
	clients []*centrifuge.Client

	mu         sync.Mutex
	receptions []Reception
	failures   []error
}

// Connect connects everybody who may watch in the world, and returns once all are on their
// channels.
func Connect(ctx context.Context, world *fixture.World, webSocketURL, tokenSecret string) (*Audience, error) {
	a := &Audience{}
	var ready sync.WaitGroup
	for _, tenant := range world.Tenants {
		for _, person := range tenant.People {
			if err := a.add(tenant.ID, person, webSocketURL, tokenSecret, &ready); err != nil {
				a.Close()
				return nil, err
			}
		}
	}
	all := make(chan struct{})
	go func() { ready.Wait(); close(all) }()
	select {
	case <-all:
		return a, nil
	case <-ctx.Done():
	case <-time.After(time.Minute):
	}
	a.Close()
	return nil, errors.Join(append(a.failures, errors.New("not everybody got a channel"))...)
}

func (a *Audience) add(tenant, person uuid.UUID, url, secret string, ready *sync.WaitGroup) error {
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": fmt.Sprintf("%s.%s", tenant, person), "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString([]byte(secret))
	if err != nil {
		return err
	}
	client := centrifuge.NewJsonClient(url, centrifuge.Config{Token: token})
	a.clients = append(a.clients, client)
	ready.Add(1)
	var once sync.Once
	client.OnSubscribed(func(e centrifuge.ServerSubscribedEvent) {
		if e.WasRecovering && !e.Recovered {
			a.fail(fmt.Errorf("%s was away for too long and missed messages", person))
		}
		once.Do(ready.Done)
	})
	client.OnError(func(e centrifuge.ErrorEvent) { a.fail(e.Error) })
	client.OnPublication(func(e centrifuge.ServerPublicationEvent) { a.receive(person, e.Data) })
	return client.Connect()
}

func (a *Audience) receive(person uuid.UUID, data []byte) {
	now := time.Now()
	var event struct {
		EventID  uuid.UUID `json:"event_id"`
		Resource struct {
			ID uuid.UUID `json:"resource_id"`
		} `json:"resource"`
		Payload struct {
			Version int64 `json:"version"`
		} `json:"payload"`
	}
	if err := json.Unmarshal(data, &event); err != nil {
		a.fail(fmt.Errorf("%s got %q: %w", person, data, err))
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.receptions = append(
		a.receptions,
		Reception{
			Person:   person,
			Activity: event.EventID,
			Resource: event.Resource.ID,
			Version:  event.Payload.Version,
			At:       now,
		},
	)
}

func (a *Audience) fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failures = append(a.failures, err)
}

// Len is how many publications have arrived.
func (a *Audience) Len() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.receptions)
}

// Receptions returns what has arrived, for each person in the order of arrival.
func (a *Audience) Receptions() []Reception {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]Reception(nil), a.receptions...)
}

// Failures returns what has gone wrong with connections.
func (a *Audience) Failures() []error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]error(nil), a.failures...)
}

// Await waits until n publications have arrived, or none has for quiet.
func (a *Audience) Await(ctx context.Context, n int, quiet time.Duration) {
	last, since := a.Len(), time.Now()
	for last < n && time.Since(since) < quiet && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
		if now := a.Len(); now != last {
			last, since = now, time.Now()
		}
	}
}

// Close disconnects everybody.
func (a *Audience) Close() {
	for _, c := range a.clients {
		c.Close()
	}
}
