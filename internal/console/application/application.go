// Package application is an application that uses Fanfare, as small as one can be: it serves the
// example pages of the widgets, knows who its user is, and gives the user's browser short-lived
// JWTs for Fanfare's API. Fanfare knows the key of these tokens and the application's origin.
//
// Invariants:
//   - It answers requests for its own address only, so that no page of another site reads a token,
//     also not by a name that leads to this machine.
//   - Only a page of its own origin gets a token or changes something.
package application

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/console"
)

// ErrSignedOut reports a request of a visitor who is not signed in.
var ErrSignedOut = errors.New("sign in first")

const (
	maxComment = 500 // characters
	maxBody    = 8 << 10
)

// Named is a principal or a resource.
type Named struct {
	ID   uuid.UUID `json:"id"`
	Name string    `json:"name"`
}

// Session is what the application knows of its visitor: who they are, a person who works with them,
// and the project that its pages show.
type Session struct {
	TenantID  uuid.UUID `json:"tenant_id"`
	User      Named     `json:"user"`
	Colleague Named     `json:"colleague"`
	Project   Named     `json:"project"`
}

// Options of New. All are required, except Files.
type Options struct {
	// Files are the built pages; nil are those of the binary.
	Files fs.FS
	// Host is the address and the port of the application's server.
	Host string
	// APIURL is the origin of Fanfare's API; RealtimeURL is the WebSocket URL of Centrifugo.
	APIURL, RealtimeURL string
	// Session returns the session of a request, or ErrSignedOut.
	Session func(r *http.Request) (Session, error)
	// Token returns a JWT for the API, and how long it is valid.
	Token func(r *http.Request, s Session) (string, time.Duration, error)
	// Comment records a comment of the colleague on the project.
	Comment func(ctx context.Context, s Session, text string) error
}

// New returns the handler of the application.
func New(o Options) (http.Handler, error) {
	pages, err := console.NewExamples(o.Files, o.APIURL, o.RealtimeURL)
	if err != nil {
		return nil, fmt.Errorf("application: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", pages)
	mux.HandleFunc("GET /session", o.session)
	mux.HandleFunc("POST /token", o.token)
	mux.HandleFunc("POST /comments", o.comment)
	// It permits GET, so that a link to a page works. Scripts of other origins read no answer.
	return o.ownHost(http.NewCrossOriginProtection().Handler(mux)), nil
}

// ownHost refuses requests for other hosts, which the pages of another site send after they have
// changed the address of their own name.
func (o *Options) ownHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != o.Host {
			http.Error(w, "This server is http://"+o.Host+"/.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (o *Options) session(w http.ResponseWriter, r *http.Request) {
	s, err := o.Session(r)
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, struct {
		Session
		APIURL string `json:"api_url"`
	}{s, o.APIURL})
}

func (o *Options) token(w http.ResponseWriter, r *http.Request) {
	s, err := o.Session(r)
	if err != nil {
		fail(w, err)
		return
	}
	token, lifetime, err := o.Token(r, s)
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, map[string]any{"token": token, "expires_in": lifetime.Seconds()})
}

func (o *Options) comment(w http.ResponseWriter, r *http.Request) {
	s, err := o.Session(r)
	if err != nil {
		fail(w, err)
		return
	}
	var body struct {
		Text string `json:"text"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&body); err != nil ||
		body.Text == "" || len([]rune(body.Text)) > maxComment {
		http.Error(w, fmt.Sprintf("text must have 1 to %d characters", maxComment), http.StatusBadRequest)
		return
	}
	if err := o.Comment(r.Context(), s, body.Text); err != nil {
		fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func fail(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	if errors.Is(err, ErrSignedOut) {
		status = http.StatusUnauthorized
	}
	http.Error(w, err.Error(), status)
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(body) // fails only if the client has disconnected
}
