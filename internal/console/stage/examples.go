package stage

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	app "github.com/fanfarehq/fanfare/internal/console/application"
)

// sessionCookie is the cookie of the example application with its session, as JSON in base64url. It
// is not signed: tests set it.
const sessionCookie = "session"

// exampleSession is the content of the cookie.
type exampleSession struct {
	app.Session
	LifetimeSeconds float64 `json:"lifetime_seconds"` // of the tokens; 0 is the default
}

// listenExamples chooses the origin of the example application.
func (s *Stage) listenExamples(ctx context.Context) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.onStop(func(context.Context) error { _ = listener.Close(); return nil }) // usually closed by its server
	s.ExamplesURL = "http://" + listener.Addr().String()
	return listener, nil
}

// serveExamples serves the example application to the persons of all worlds.
func (s *Stage) serveExamples(listener net.Listener) error {
	handler, err := app.New(app.Options{
		Files: s.options.Examples, Host: listener.Addr().String(), APIURL: s.URL, RealtimeURL: s.WebSocketURL,
		Session: func(r *http.Request) (app.Session, error) {
			session, err := sessionOf(r)
			return session.Session, err
		},
		Token: func(r *http.Request, _ app.Session) (string, time.Duration, error) {
			session, err := sessionOf(r)
			if err != nil {
				return "", 0, err
			}
			lifetime := time.Duration(session.LifetimeSeconds * float64(time.Second))
			if lifetime == 0 {
				lifetime = defaultLifetime
			}
			p := activity.Principal{TenantID: session.TenantID, PrincipalID: session.User.ID}
			token, err := s.Token(p, lifetime)
			return token, lifetime, err
		},
		Comment: s.comment,
	})
	if err != nil {
		return err
	}
	s.serve(listener, handler)
	return nil
}

func sessionOf(r *http.Request) (session exampleSession, err error) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return session, app.ErrSignedOut
	}
	content, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err == nil {
		err = json.Unmarshal(content, &session)
	}
	return session, err
}

func (s *Stage) comment(ctx context.Context, session app.Session, text string) error {
	_, err := s.Record(ctx, []Envelope{{
		"tenant_id": session.TenantID, "actor_principal_id": session.Colleague.ID,
		"resource_id": session.Project.ID, "resource_type": "project", "action": "comment.created",
		"message": text, "payload": map[string]any{"comment_id": uuid.New()},
	}}, false)
	return err
}
