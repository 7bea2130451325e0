package centrifugo

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// poisoned panics on a request that contains a text, and sends every other one.
type poisoned struct {
	text string
	http.RoundTripper
}

func (p poisoned) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if bytes.Contains(body, []byte(p.text)) {
		panic("poisoned request")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return p.RoundTripper.RoundTrip(r)
}

func TestPublishRecoversPanics(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"replies":[{"broadcast":{"responses":[{"result":{}}]}}]}`)
	}))
	defer server.Close()
	client, err := New(Options{APIURL: server.URL, PipeSize: 1, MaxInFlight: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	client.poster.Transport = poisoned{"poison", client.poster.Transport}
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
