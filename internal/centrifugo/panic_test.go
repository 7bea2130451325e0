package centrifugo

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

// poisoned panics on a request that contains a text, and accepts every other one.
type poisoned struct {
	transport
	text string
}

func (p poisoned) post(_ context.Context, commands []command) ([]reply, error) {
	for _, c := range commands {
		if bytes.Contains(c.data, []byte(p.text)) {
			panic("poisoned request")
		}
	}
	return nil, nil
}

func TestPublishRecoversPanics(t *testing.T) {
	t.Parallel()
	client, err := New(Options{APIURL: "http://localhost:9000/api", PipeSize: 1, MaxInFlight: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	client.api.endpoints[0].transport = poisoned{client.api.endpoints[0].transport, "poison"}
	order := [16]byte{1}
	results := client.Publish(t.Context(), []Broadcast{
		{Order: order, Channels: []string{"user:a"}, Data: []byte(`{"n":1}`)},
		{Order: order, Channels: []string{"user:b", "user:c"}, Data: []byte(`{"n":"poison"}`)},
		{Order: order, Channels: []string{"user:d"}, Data: []byte(`{"n":3}`)},
		{Channels: []string{"user:e"}, Data: []byte(`{"n":4}`)},
	})
	for _, i := range []int{0, 2, 3} {
		if results[i].Err != nil || results[i].Failed != nil {
			t.Errorf("broadcast %d: got %+v, want it accepted", i, results[i])
		}
	}
	failed, ok := errors.AsType[*Error](results[1].Err)
	if !ok || failed.Class != Transient || !strings.Contains(failed.Error(), "poisoned request") {
		t.Errorf("got %v, want a transient error with the panic", results[1].Err)
	}
	if want := []string{"user:b", "user:c"}; !slices.Equal(results[1].Failed, want) {
		t.Errorf("failed: got %q, want %q", results[1].Failed, want)
	}
}
